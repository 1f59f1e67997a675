"""Sign-in with an OpenID provider: which user an identity is, and the first time of an identity.

An identity is known by issuer and subject. The e-mail address counts only the first time, and only if the provider has
verified it and decides about its domain, which the caller checks. Everything is one transaction: a process that dies
in it leaves nothing, and the person signs in again.
"""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.audit import audit, audit_user
from accounts.errors import CallerError, Code
from accounts.invitations import is_invited
from accounts.models import User, UserIdentity
from accounts.sessions import SignedIn, begin_session, end_sessions
from accounts.sign_in_links import expire_links
from accounts.users import add_first_account, normalize_email


async def sign_in_with_identity(
    session: AsyncSession,
    issuer: str,
    subject: str,
    email: str,
    *,
    sign_up_open: bool,
    days: int,
    user_agent: str | None,
) -> SignedIn:
    """A new session of the user whose identity it is. `email`: verified by the issuer. Raises CallerError.

    INVALID_EMAIL; FORBIDDEN: there is no such user, nobody invited the address, and sign-up is closed; EMAIL_TAKEN: the
    user with this address has another identity of the issuer.
    """
    actions: Sequence[str] = ()
    user_id = await _find(session, issuer, subject)
    if user_id is None:
        user_id, actions = await _begin(session, issuer, subject, normalize_email(email), sign_up_open=sign_up_open)
    signed_in = await begin_session(session, user_id, days, user_agent)
    for action in (*actions, "user.signed_in_with_identity"):
        await audit_user(session, user_id, action, f"user:{user_id}")
    return signed_in


async def _find(session: AsyncSession, issuer: str, subject: str) -> UUID | None:
    query = select(UserIdentity.user_id).where(UserIdentity.issuer == issuer, UserIdentity.subject == subject)
    return await session.scalar(query)


async def _begin(
    session: AsyncSession, issuer: str, subject: str, email: str, *, sign_up_open: bool
) -> tuple[UUID, Sequence[str]]:
    """The user of a new identity, and what the audit log says. Of parallel calls one waits for the other's commit."""
    of_email = select(User.id).where(User.email == email).with_for_update(key_share=True)
    user_id, is_new = await session.scalar(of_email), False
    if user_id is None:
        if not sign_up_open and not await is_invited(session, email):
            raise CallerError(Code.FORBIDDEN, None, "There is no user with this e-mail address.")
        added = insert(User).values(id=uuid4(), email=email).on_conflict_do_nothing().returning(User.id)
        is_new = await session.scalar(added) is not None
        user_id = (await session.scalars(of_email)).one()
    linked = await session.scalar(
        insert(UserIdentity)
        .values(issuer=issuer, subject=subject, user_id=user_id)
        .on_conflict_do_nothing()
        .returning(UserIdentity.user_id)
    )
    if linked is None:
        if await _find(session, issuer, subject) != user_id:
            raise CallerError(Code.EMAIL_TAKEN, "email", "The user with this e-mail address has another identity.")
        return user_id, ()
    if is_new:
        if sign_up_open:
            await add_first_account(session, email, user_id)
        return user_id, ("user.signed_up",)
    await _take_over(session, user_id)
    return user_id, ("identity.linked",)


async def _take_over(session: AsyncSession, user_id: UUID) -> None:
    """The password may be that of someone who signed up with another person's address: it ends, and all sessions."""
    await session.execute(update(User).where(User.id == user_id).values(password_hash=None))
    await expire_links(session, user_id)  # first: it waits for a sign-in with a link, whose session then ends, too
    await end_sessions(session, user_id)


async def unlink(session: AsyncSession, email: str) -> None:
    """Remove the user's identities, so that the address can have another one. Raises CallerError NOT_FOUND."""
    of_email = select(User.id).where(User.email == email.lower()).scalar_subquery()
    removed = await session.scalars(
        delete(UserIdentity).where(UserIdentity.user_id == of_email).returning(UserIdentity.user_id)
    )
    user_id = removed.first()
    if user_id is None:
        raise CallerError(Code.NOT_FOUND, "email", f"{email} has no identity.")
    await end_sessions(session, user_id)
    audit(session, None, "cli", "identity.unlinked", f"user:{user_id}")
