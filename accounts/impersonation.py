"""Impersonation: an operator signs in as a user, for a reason that the user's accounts see in their audit logs.

The session is short, marked with the operator, and has few mutations: none of them outlives the session as a way in.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor, generate_secret, hash_credential
from accounts.audit import audit, printable
from accounts.errors import CallerError, Code
from accounts.models import Membership, Session, User
from accounts.operators import check_reason, require_operator
from accounts.sessions import SignedIn

LIFETIME = timedelta(hours=1)
MUTATIONS = frozenset(
    {"createStore", "retryStore", "changePlan", "suspendStore", "resumeStore", "deleteStore"}
    | {"updateWebhook", "testWebhook", "replayWebhook"}
)
"""Those of an operator who is signed in as a user. Not: passwords, credentials, tokens, members, secrets, sessions."""


def require_mutation(actor: Actor, mutation: str) -> None:
    """Raises CallerError FORBIDDEN for an operator who is signed in as a user, and for what isn't one of MUTATIONS."""
    if actor.operator_id is not None and mutation not in MUTATIONS:
        message = "An operator who is signed in as a user can't do this: it is for the user alone."
        account_id = next(iter(actor.roles)) if len(actor.roles) == 1 else None
        raise CallerError(Code.FORBIDDEN, None, message, account_id=account_id)


async def impersonate(
    session: AsyncSession, actor: Actor, user_id: UUID | None, reason: str, user_agent: str | None
) -> SignedIn:
    """A new session of the user for the operator. Raises CallerError."""
    # locked: when an operator is removed at the same moment, this fails, or the removal ends the new session
    await session.execute(select(User.id).where(User.id == actor.user_id).with_for_update(read=True))
    await require_operator(session, actor)
    reason = check_reason(reason)
    if await session.scalar(select(User.id).where(User.id == user_id)) is None or user_id is None:
        raise CallerError(Code.NOT_FOUND, "userId", "There is no such user.")
    cookie = generate_secret()
    await session.execute(
        insert(Session).values(
            id=uuid4(),
            token_hash=hash_credential(cookie),
            user_id=user_id,
            operator_id=actor.user_id,
            reason=reason,
            user_agent=printable(user_agent),
            expires_at=func.now() + LIFETIME,
        )
    )
    accounts: Sequence[UUID | None] = (
        await session.scalars(
            select(Membership.account_id).where(Membership.user_id == user_id).order_by(Membership.account_id)
        )
    ).all()
    for account_id in accounts or [None]:
        audit(session, account_id, actor.name, "user.impersonated", f"user:{user_id}", reason=reason)
    return SignedIn(user_id, accounts[0] if accounts else None, cookie)


async def impersonation_of(session: AsyncSession, actor: Actor) -> tuple[str, str, datetime] | None:
    """The operator's e-mail address, the reason, and when the session expires; None: it is no such session."""
    if actor.operator_id is None:
        return None
    query = (
        select(User.email, Session.reason, Session.expires_at)
        .join(User, User.id == Session.operator_id)
        .where(Session.token_hash == actor.credential)
    )
    row = (await session.execute(query)).one()
    return row[0], row[1] or "", row[2]
