"""Changes a user's password. Guessing the current password is throttled, as at sign-in."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.audit import audit
from accounts.errors import CallerError, Code
from accounts.idempotency import claim_idempotency_key
from accounts.models import Session, User
from accounts.passwords import hash_password, password_problem, verify_password
from accounts.sessions import end_other_sessions, password_optional
from accounts.sign_in_links import expire_links
from accounts.throttle import MAX_ATTEMPTS, WINDOW, count_attempt, refund_attempt


async def count_password_attempt(session: AsyncSession, actor: Actor) -> None:
    """Call it, and commit, before `change_password`, so that parallel attempts count. Raises CallerError."""
    actor.require_session()
    if not await count_attempt(session, {_throttle_key(actor): MAX_ATTEMPTS}):
        raise CallerError(
            Code.RATE_LIMITED,
            None,
            "Too many attempts. Wait a quarter of an hour.",
            retry_after=int(WINDOW.total_seconds()),
        )


async def change_password(
    session: AsyncSession,
    actor: Actor,
    *,
    current_password: str | None,
    new_password: str,
    idempotency_key: str | None,
) -> User:
    """Set the password, and end the user's other sessions and open sign-in links.

    `current_password`: None only if accounts.sessions.password_optional. Raises CallerError. A repeated idempotency key
    is recognized with any input, because no hash of a password may be stored with the key. Keys belong to an
    account: without one, the key is ignored.
    """
    actor.require_session()
    account_id = min(actor.roles, default=None)
    if idempotency_key is not None and account_id is not None:
        replayed = await claim_idempotency_key(
            session, actor, account_id, "changePassword", idempotency_key, {}, actor.user_id
        )
        if replayed is not None:
            await refund_attempt(session, [_throttle_key(actor)])
            return await session.get_one(User, actor.user_id)
    if problem := password_problem(new_password):
        raise CallerError(Code.INVALID_PASSWORD, "newPassword", f"The password {problem}.")
    user = await session.get_one(User, actor.user_id)
    own_session = (await session.scalars(select(Session).where(Session.token_hash == actor.credential))).one()
    if current_password is None:
        if not password_optional(own_session):
            raise CallerError(Code.INVALID_PASSWORD, "currentPassword", "Give the current password.")
    elif not await verify_password(user.password_hash, current_password[:1000]):
        raise CallerError(Code.INVALID_PASSWORD, "currentPassword", "This is not the current password.")
    changed = await session.scalar(
        update(User)
        .where(User.id == user.id, User.password_hash == user.password_hash)
        .values(password_hash=await hash_password(new_password))
        .returning(User.id)
    )
    if changed is None:
        message = "The password was changed by another request in the meantime."
        raise CallerError(Code.INVALID_PASSWORD, "currentPassword", message)
    own_session.by_link = False
    await expire_links(session, actor)  # first: it waits for a sign-in with a link, whose session then ends, too
    await end_other_sessions(session, actor)
    await refund_attempt(session, [_throttle_key(actor)])
    audit(session, account_id, actor.name, "password.changed", f"user:{user.id}")
    return user


def _throttle_key(actor: Actor) -> str:
    return f"password:{actor.user_id}"
