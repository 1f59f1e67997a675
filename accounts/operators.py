"""Operators: users who run this installation. They see all accounts, limit them and suspend them.

An operator acts in a session of their own, never with an API token. Each command is written to the audit log of the
account that it changes.
"""

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.audit import audit
from accounts.errors import CallerError, Code
from accounts.models import Account, Session, User

MAX_REASON = 300
MAX_LIMIT = 1_000_000


def acts_as_operator(actor: Actor, user: User) -> bool:
    """Whether the user is an operator, and signed in: neither a token, nor an operator who is signed in as the user."""
    return user.is_operator and actor.kind == "user" and actor.operator_id is None


async def require_operator(session: AsyncSession, actor: Actor) -> None:
    """Raises CallerError FORBIDDEN, the same for everybody else. Read each time: an open session proves nothing."""
    if not acts_as_operator(actor, await session.get_one(User, actor.user_id)):
        raise CallerError(Code.FORBIDDEN, None, "This is for operators of this installation, signed in as themselves.")


async def set_operator(session: AsyncSession, email: str, *, operator: bool) -> None:
    """Make the user an operator, or a normal user: then sessions as other users end. Raises CallerError NOT_FOUND."""
    user_id = await session.scalar(
        update(User).where(User.email == email.lower()).values(is_operator=operator).returning(User.id)
    )
    if user_id is None:
        raise CallerError(Code.NOT_FOUND, "email", f"There is no user {email}.")
    if not operator:
        await session.execute(
            update(Session)
            .where(Session.operator_id == user_id, Session.revoked_at.is_(None))
            .values(revoked_at=func.now())
        )
    audit(session, None, "cli", "operator.added" if operator else "operator.removed", f"user:{user_id}")


def check_reason(reason: str) -> str:
    """Without spaces at its ends. Raises CallerError."""
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON or not reason.isprintable():
        message = f"Give a reason of 1 to {MAX_REASON} printable characters. The account sees it."
        raise CallerError(Code.INVALID_REASON, "reason", message)
    return reason


async def set_account_limits(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID | None,
    store_quota: int | None,
    creations_per_hour: int | None,
) -> Account:
    """Both limits of the account. None: the settings' default. Raises CallerError."""
    await require_operator(session, actor)
    for field, limit in (("storeQuota", store_quota), ("creationsPerHour", creations_per_hour)):
        if limit is not None and not 0 <= limit <= MAX_LIMIT:
            raise CallerError(Code.INVALID_LIMIT, field, f"Give a number from 0 to {MAX_LIMIT:,}.")
    account = await _lock(session, account_id)
    if (account.store_quota, account.creations_per_hour) != (store_quota, creations_per_hour):
        account.store_quota, account.creations_per_hour = store_quota, creations_per_hour
        audit(
            session,
            account.id,
            actor.name,
            "account.limits_changed",
            f"account:{account.id}",
            storeQuota=_or_default(store_quota),
            creationsPerHour=_or_default(creations_per_hour),
        )
        await session.flush()
    return account


def _or_default(limit: int | None) -> int | str:
    return "default" if limit is None else limit


async def suspend_account(session: AsyncSession, actor: Actor, account_id: UUID | None, reason: str) -> Account:
    """Suspend the account; workers then suspend its stores (stores/account_suspension.py). For a suspended account only
    the reason changes. Raises CallerError.
    """
    await require_operator(session, actor)
    reason = check_reason(reason)
    account = await _lock(session, account_id)
    if account.suspension_reason != reason:
        account.suspended_at = account.suspended_at or func.now()
        account.suspension_reason = reason
        audit(session, account.id, actor.name, "account.suspended", f"account:{account.id}", reason=reason)
        await session.flush()
        await session.refresh(account)
    return account


async def resume_account(session: AsyncSession, actor: Actor, account_id: UUID | None) -> Account:
    """End the suspension; workers then resume the stores that it suspended. Raises CallerError."""
    await require_operator(session, actor)
    account = await _lock(session, account_id)
    if account.suspended_at is not None:
        account.suspended_at, account.suspension_reason = None, None
        audit(session, account.id, actor.name, "account.resumed", f"account:{account.id}")
        await session.flush()
    return account


async def _lock(session: AsyncSession, account_id: UUID | None) -> Account:
    """The account, locked. Raises CallerError NOT_FOUND, also for a malformed id (None)."""
    account = await session.scalar(select(Account).where(Account.id == account_id).with_for_update(key_share=True))
    if account is None:
        raise CallerError(Code.NOT_FOUND, "accountId", "There is no such account.")
    return account


def refuse_suspended(account: Account) -> None:
    """Raises CallerError ACCOUNT_SUSPENDED, with the operator's reason."""
    if account.suspended_at is not None:
        message = (
            f"This account is suspended: {account.suspension_reason} Its stores are suspended too. "
            "Nothing is lost. Ask the operator."
        )
        raise CallerError(Code.ACCOUNT_SUSPENDED, None, message)
