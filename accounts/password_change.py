"""Changes a user's password. Guessing the current password is throttled, as at sign-in.

`begin_change` and `finish_change` are transactions of their own. Between them, `hash_new_password` waits for its turn,
and holds no database connection.
"""

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.audit import audit_user
from accounts.errors import CallerError, Code
from accounts.idempotency import claim_idempotency_key, is_key_used
from accounts.models import Session, User
from accounts.passwords import hash_password, password_problem, verify_password
from accounts.sessions import end_sessions, password_optional
from accounts.sign_in_links import expire_links
from accounts.throttle import MAX_ATTEMPTS, WINDOW, count_attempt, refund_attempt

MUTATION = "changePassword"


@dataclass(frozen=True)
class PasswordChange:
    """What the first transaction has read."""

    user: User
    password_optional: bool
    replayed: bool
    """A call with this idempotency key has acted: there is nothing to do."""


async def begin_change(session: AsyncSession, actor: Actor, idempotency_key: str | None) -> PasswordChange:
    """Counts the attempt: commit, so that parallel attempts count. Raises CallerError.

    A repeated idempotency key is recognized with any input, because no hash of a password may be stored with the key.
    The key is the user's own, stored with an account: without one, it is ignored.
    """
    user = await session.get_one(User, actor.user_id)
    own_session = await _own_session(session, actor)
    account_id = min(actor.roles, default=None)
    replayed = (
        idempotency_key is not None
        and account_id is not None
        and await is_key_used(session, account_id, MUTATION, idempotency_key, actor.name)
    )
    if not replayed and not await count_attempt(session, {_throttle_key(actor): MAX_ATTEMPTS}):
        raise CallerError(
            Code.RATE_LIMITED,
            None,
            "Too many attempts. Wait a quarter of an hour.",
            retry_after=int(WINDOW.total_seconds()),
        )
    return PasswordChange(user, password_optional(own_session), replayed)


async def hash_new_password(change: PasswordChange, current_password: str | None, new_password: str) -> str:
    """The hash of the new password, after a check of the current one. Raises CallerError.

    `current_password`: None only if accounts.sessions.password_optional.
    """
    if problem := password_problem(new_password):
        raise CallerError(Code.INVALID_PASSWORD, "newPassword", f"The password {problem}.")
    if change.user.password_hash is None and not change.password_optional:
        message = "You have no password. The operator can make a sign-in link for you, with which you can set one."
        raise CallerError(Code.INVALID_PASSWORD, "currentPassword", message)
    if current_password is None:
        if not change.password_optional:
            raise CallerError(Code.INVALID_PASSWORD, "currentPassword", "Give the current password.")
    elif not await verify_password(change.user.password_hash, current_password[:1000]):
        raise CallerError(Code.INVALID_PASSWORD, "currentPassword", "This is not the current password.")
    return await hash_password(new_password)


async def finish_change(
    session: AsyncSession, actor: Actor, change: PasswordChange, password_hash: str, idempotency_key: str | None
) -> None:
    """Set the password, and end the user's other sessions and open sign-in links. Raises CallerError."""
    account_id = min(actor.roles, default=None)
    if idempotency_key is not None and account_id is not None:
        claim = claim_idempotency_key(
            session, account_id, MUTATION, idempotency_key, {}, actor.user_id, owner=actor.name
        )
        if await claim is not None:
            await refund_attempt(session, [_throttle_key(actor)])
            return
    changed = await session.scalar(
        update(User)
        .where(User.id == change.user.id, User.password_hash == change.user.password_hash)
        .values(password_hash=password_hash)
        .returning(User.id)
    )
    if changed is None:
        message = "The password was changed by another request in the meantime."
        raise CallerError(Code.INVALID_PASSWORD, "currentPassword", message)
    (await _own_session(session, actor)).by_link = False
    await expire_links(
        session, actor.user_id
    )  # first: it waits for a sign-in with a link, whose session then ends, too
    await end_sessions(session, actor.user_id, but=actor.credential)
    await refund_attempt(session, [_throttle_key(actor)])
    await audit_user(session, actor.user_id, "password.changed", f"user:{change.user.id}")


async def _own_session(session: AsyncSession, actor: Actor) -> Session:
    return (await session.scalars(select(Session).where(Session.token_hash == actor.credential))).one()


def _throttle_key(actor: Actor) -> str:
    return f"password:{actor.user_id}"
