"""Sessions of signed-in browsers. A session that ends closes its WebSockets (accounts/access_changes.py)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor, generate_secret, hash_credential
from accounts.audit import audit_user, printable, set_credential
from accounts.errors import CallerError, Code
from accounts.models import Membership, Session
from runtime.pagination import Page, PageRange, page_of, within

RETENTION = timedelta(days=30)
"""How long the row of an ended session is kept."""
PASSWORD_OPTIONAL = timedelta(hours=1)
"""How long after a sign-in with a link the user may set a password without the current one."""


@dataclass(frozen=True)
class SignedIn:
    """A new session. `cookie`: the value of the session cookie, which is not stored."""

    user_id: UUID
    account_id: UUID | None
    cookie: str


async def begin_session(
    session: AsyncSession, user_id: UUID, days: int, user_agent: str | None, *, by_link: bool = False
) -> SignedIn:
    """A new session of the user that expires after `days`. `account_id` is the user's first account."""
    cookie, session_id = generate_secret(), uuid4()
    set_credential(session, user_id, f"session:{session_id}")
    account_id = await session.scalar(
        select(Membership.account_id).where(Membership.user_id == user_id).order_by(Membership.account_id).limit(1)
    )
    await session.execute(
        insert(Session).values(
            id=session_id,
            token_hash=hash_credential(cookie),
            user_id=user_id,
            user_agent=printable(user_agent),
            by_link=by_link,
            expires_at=func.now() + timedelta(days=days),
        )
    )
    return SignedIn(user_id, account_id, cookie)


def password_optional(row: Session) -> bool:
    """Whether this session may set a password without the current one: it began with a link, and not long ago."""
    return row.by_link and row.created_at > datetime.now(UTC) - PASSWORD_OPTIONAL


async def sessions_page(session: AsyncSession, actor: Actor, wanted: PageRange) -> Page[Session]:
    """The user's sessions that are neither revoked nor expired, the newest first; none for an API token.

    The key of the range: time of creation and id.
    """
    key = [Session.created_at, Session.id]
    found = (await session.scalars(within(_active(actor), key, wanted, descending=True))).all()
    return page_of(found, wanted, from_the_end=wanted.last)


async def sessions_by_id(session: AsyncSession, actor: Actor, ids: Collection[UUID]) -> dict[UUID, Session]:
    """The user's active sessions that are found; none for an API token."""
    return {row.id: row for row in await session.scalars(_active(actor).where(Session.id.in_(ids)))}


def _active(actor: Actor) -> Select[Session]:
    own = Session.user_id == actor.user_id if actor.kind == "user" else false()
    return select(Session).where(own, Session.revoked_at.is_(None), Session.expires_at > func.now())


async def end_session(session: AsyncSession, actor: Actor, session_id: UUID | None) -> Session:
    """Revoke a session of the user. A session that has ended already is no error.

    Raises CallerError NOT_FOUND for an unknown id, another user's id, or None (malformed).
    """
    row = await session.scalar(
        select(Session).where(Session.user_id == actor.user_id, Session.id == session_id).with_for_update()
    )
    if row is None:
        raise CallerError(Code.NOT_FOUND, "id", "There is no such session.")
    if row.revoked_at is None:
        row.revoked_at = func.now()
        await session.flush()
        await session.refresh(row)
        await audit_user(session, actor.user_id, "session.ended", f"session:{row.id}")
    return row


async def end_sessions(session: AsyncSession, user_id: UUID, *, but: bytes = b"") -> None:
    """Revoke all sessions of the user but the one whose cookie has this hash."""
    await session.execute(
        update(Session)
        .where(Session.user_id == user_id, Session.token_hash != but, Session.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )


async def sign_out(session: AsyncSession, cookie: str) -> None:
    """Revoke the cookie's session. Does nothing for an unknown or revoked session."""
    ended = await session.execute(
        update(Session)
        .where(Session.token_hash == hash_credential(cookie), Session.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(Session.id, Session.user_id, Session.operator_id)
    )
    for session_id, user_id, operator_id in ended:
        set_credential(session, user_id, f"session:{session_id}", operator_id)
        await audit_user(session, user_id, "user.signed_out", f"user:{user_id}")


def expired() -> ColumnElement[bool]:
    """Sessions that ended more than RETENTION ago; the workers' maintenance deletes them."""
    before = func.now() - RETENTION
    return or_(Session.revoked_at < before, Session.expires_at < before)
