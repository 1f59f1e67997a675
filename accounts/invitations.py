"""Invitations into an account: a link that works once, for one e-mail address, within a week.

An invitation has no more rights than its inviter has now: it ends when the inviter is removed or demoted. Only the hash
of the link's token is stored.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor, generate_secret, hash_credential
from accounts.audit import audit
from accounts.errors import CallerError, Code
from accounts.idempotency import claim_idempotency_key
from accounts.members import lock_role, require_manager
from accounts.models import Account, Invitation, Membership, User
from accounts.passwords import hash_password, password_problem
from accounts.sessions import SignedIn, begin_session
from accounts.users import add_user, normalize_email, require_password_domain
from runtime.database import SessionFactory
from runtime.pagination import ALL, Page, PageRange, page_of, within

LIFETIME = timedelta(days=7)
RETENTION = timedelta(days=30)
"""How long the row of an ended invitation is kept."""
MAX_OPEN = 100
"""Open invitations of an account."""


def _open(condition: ColumnElement[bool]) -> Select[Invitation, str, str]:
    """Invitations that can be accepted now, with the account's name and the inviter's e-mail address."""
    inviter = and_(
        Membership.account_id == Invitation.account_id,
        Membership.user_id == Invitation.invited_by,
        or_(Membership.role == "owner", and_(Membership.role == "admin", Invitation.role != "owner")),
    )
    return (
        select(Invitation, Account.name, User.email)
        .join(Account, Account.id == Invitation.account_id)
        .join(User, User.id == Invitation.invited_by)
        .join(Membership, inviter)
        .where(
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > func.now(),
            condition,
        )
    )


async def invitations_page(session: AsyncSession, account_id: UUID, wanted: PageRange) -> Page[Invitation]:
    """The account's invitations that can be accepted, the newest first.

    The key of the range: time of creation and id.
    """
    key = [Invitation.created_at, Invitation.id]
    rows = (
        await session.scalars(within(_open(Invitation.account_id == account_id), key, wanted, descending=True))
    ).all()
    return page_of(rows, wanted, from_the_end=wanted.last)


async def invitations_by_id(
    session: AsyncSession, account_ids: Collection[UUID], ids: Collection[UUID]
) -> dict[UUID, Invitation]:
    """The accounts' invitations that are found and can be accepted."""
    found = await session.scalars(_open(and_(Invitation.id.in_(ids), Invitation.account_id.in_(account_ids))))
    return {row.id: row for row in found}


async def invitation_by_token(session: AsyncSession, token: str) -> tuple[Invitation, str, str] | None:
    """The open invitation of a link, with account name and inviter."""
    row = (await session.execute(_open(Invitation.token_hash == hash_credential(token)))).one_or_none()
    return (row[0], row[1], row[2]) if row is not None else None


async def is_invited(session: AsyncSession, email: str) -> bool:
    """Whether an open invitation is for this address, in lower case."""
    return (await session.scalars(_open(Invitation.email == email).limit(1))).first() is not None


async def invite_member(
    session: AsyncSession, actor: Actor, account_id: UUID | None, email: str, role: str, idempotency_key: str | None
) -> tuple[Invitation, str | None]:
    """A new invitation and the token of its link; None instead of the token when this is a replay. Raises CallerError.

    An earlier invitation of the same address ends.
    """
    account_id = actor.resolve_account(account_id)
    require_manager(account_id, actor.roles[account_id], role)
    email = normalize_email(email)
    invitation_id, token = uuid4(), generate_secret()
    if idempotency_key is not None:
        given = {"email": email, "role": role}
        first = await claim_idempotency_key(session, account_id, "inviteMember", idempotency_key, given, invitation_id)
        if first is not None:
            return await session.get_one(Invitation, first), None
    account_id, own_role = await lock_role(session, actor, account_id)
    require_manager(account_id, own_role, role)
    is_member = select(Membership.user_id).join(User).where(User.email == email, Membership.account_id == account_id)
    if await session.scalar(is_member) is not None:
        raise CallerError(Code.EMAIL_TAKEN, "email", f"{email} is a member already. Change the role instead.")
    await session.execute(
        update(Invitation)
        .where(Invitation.account_id == account_id, Invitation.email == email, Invitation.accepted_at.is_(None))
        .where(Invitation.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    if len((await invitations_page(session, account_id, ALL)).rows) >= MAX_OPEN:
        raise CallerError(Code.QUOTA_EXCEEDED, None, f"{MAX_OPEN} invitations are open. Revoke some of them first.")
    added = await session.scalars(
        insert(Invitation)
        .values(
            id=invitation_id,
            account_id=account_id,
            email=email,
            role=role,
            token_hash=hash_credential(token),
            invited_by=actor.user_id,
            expires_at=func.now() + LIFETIME,
        )
        .returning(Invitation)
    )
    invitation = added.one()
    audit(session, account_id, actor.name, "member.invited", f"invitation:{invitation_id}", name=email, role=role)
    return invitation, token


async def revoke_invitation(session: AsyncSession, actor: Actor, invitation_id: UUID | None) -> Invitation:
    """End an invitation. An invitation that was accepted or revoked before stays as it is. Raises CallerError."""
    account_id = await session.scalar(
        select(Invitation.account_id).where(Invitation.id == invitation_id, Invitation.account_id.in_(actor.roles))
    )
    if account_id is None:
        raise CallerError(Code.NOT_FOUND, "id", "There is no such invitation.")
    account_id, own_role = await lock_role(session, actor, account_id)
    require_manager(account_id, own_role)
    invitation = await session.get_one(Invitation, invitation_id)
    if invitation.revoked_at is None and invitation.accepted_at is None:
        invitation.revoked_at = func.now()
        await session.flush()
        await session.refresh(invitation)
        subject = f"invitation:{invitation.id}"
        audit(session, account_id, actor.name, "invitation.revoked", subject, name=invitation.email)
    return invitation


async def accept_invitation(session: AsyncSession, actor: Actor, token: str) -> UUID:
    """Make the signed-in user a member; returns the account's id. Once more by the same user changes nothing.

    Raises CallerError: NOT_FOUND, or FORBIDDEN if the invitation is for another e-mail address.
    """
    email = await session.scalar(select(User.email).where(User.id == actor.user_id))
    await _lock_account(session, token)
    accepted = await session.scalar(
        select(Invitation.account_id)
        .join(Membership, Membership.account_id == Invitation.account_id)
        .where(
            Invitation.token_hash == hash_credential(token),
            Invitation.accepted_by == actor.user_id,
            Membership.user_id == actor.user_id,
        )
    )
    if accepted is not None:
        return accepted
    invitation = await _open_invitation(session, token)
    if invitation.email != email:
        message = f"This invitation is for {invitation.email}. Sign in with that address."
        raise CallerError(Code.FORBIDDEN, "token", message)
    await _join(session, invitation, actor.user_id)
    return invitation.account_id


async def _lock_account(session: AsyncSession, token: str) -> None:
    """Parallel uses of one link wait for each other, and for a removal of the inviter."""
    of_token = select(Invitation.account_id).where(Invitation.token_hash == hash_credential(token))
    await session.execute(
        select(Account.id).where(Account.id == of_token.scalar_subquery()).with_for_update(key_share=True)
    )


async def _open_invitation(session: AsyncSession, token: str) -> Invitation:
    """Raises CallerError NOT_FOUND."""
    found = await invitation_by_token(session, token)
    if found is None:
        raise CallerError(Code.NOT_FOUND, "token", "This invitation is unknown, used or ended. Ask for a new one.")
    return found[0]


async def _join(session: AsyncSession, invitation: Invitation, user_id: UUID) -> None:
    """A user who has become a member otherwise keeps the role."""
    await session.execute(
        insert(Membership)
        .values(account_id=invitation.account_id, user_id=user_id, role=invitation.role)
        .on_conflict_do_nothing()
    )
    invitation.accepted_by, invitation.accepted_at = user_id, func.now()
    await session.flush()
    actor, subject = f"user:{user_id}", f"user:{user_id}"
    audit(session, invitation.account_id, actor, "invitation.accepted", subject, role=invitation.role)


async def hash_invited_password(
    sessions: SessionFactory, token: str, password: str, oidc_domains: Sequence[str]
) -> str:
    """The hash of a new user's password. Holds no database connection while it waits. Raises CallerError."""
    async with sessions() as session:
        require_password_domain((await _open_invitation(session, token)).email, oidc_domains)
    if problem := password_problem(password):
        raise CallerError(Code.INVALID_PASSWORD, "password", f"The password {problem}.")
    return await hash_password(password)


async def sign_up_with_invitation(
    session: AsyncSession, token: str, password_hash: str, days: int, user_agent: str | None
) -> SignedIn:
    """Create the invited user, who joins the account, and sign in. Also where sign-up is closed. Raises CallerError."""
    await _lock_account(session, token)
    invitation = await _open_invitation(session, token)
    user_id = await add_user(session, invitation.email, password_hash)
    await _join(session, invitation, user_id)
    return await begin_session(session, user_id, days, user_agent)


def expired() -> ColumnElement[bool]:
    """Invitations that ended more than RETENTION ago; the workers' maintenance deletes them."""
    before = func.now() - RETENTION
    return or_(Invitation.expires_at < before, Invitation.accepted_at < before, Invitation.revoked_at < before)
