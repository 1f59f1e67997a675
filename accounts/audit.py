"""The audit log: an entry is written in the same transaction as the action. The database refuses to change it.

A session knows the origin of its request (`set_origin`), so that commands name only the action.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import AuditEntry, Membership

MAX_USER_AGENT = 300
_ORIGIN = "audit_origin"


@dataclass(frozen=True)
class Origin:
    """Where a request came from, and with which credential."""

    address: str | None = None
    """The client's IP address."""
    user_agent: str | None = None
    user_id: UUID | None = None
    """The signed-in user, or the user who created the token."""
    credential: str | None = None
    """`session:<id>` or `token:<id>`."""
    operator_id: UUID | None = None
    """The operator who is signed in as the user."""


def set_origin(session: AsyncSession, origin: Origin) -> None:
    """What the entries of this session say about the request."""
    session.info[_ORIGIN] = origin


def set_credential(session: AsyncSession, user_id: UUID, credential: str, operator_id: UUID | None = None) -> None:
    """For a request that begins or ends a session: its entries name the session."""
    origin: Origin = session.info.get(_ORIGIN, Origin())
    set_origin(session, replace(origin, user_id=user_id, credential=credential, operator_id=operator_id))


def printable(user_agent: str | None) -> str | None:
    """A User-Agent header as it is stored."""
    text = "".join(character for character in user_agent or "" if character.isprintable())
    return text[:MAX_USER_AGENT] or None


def origin_columns(session: AsyncSession) -> dict[str, Any]:
    """The columns of an entry that say where the request came from."""
    origin: Origin = session.info.get(_ORIGIN, Origin())
    return {**asdict(origin), "user_agent": printable(origin.user_agent)}


def audit(
    session: AsyncSession,
    account_id: UUID | None,
    actor: str,
    action: str,
    subject: str,
    *,
    result: Literal["succeeded", "refused"] = "succeeded",
    **detail: Any,
) -> None:
    """Add an entry, e.g. `("user:…", "credentials.revealed", "store:…")`. Never pass a secret."""
    session.add(
        AuditEntry(
            account_id=account_id,
            actor=actor,
            action=action,
            subject=subject,
            result=result,
            detail=detail,
            **origin_columns(session),
        )
    )


async def audit_user(
    session: AsyncSession,
    user_id: UUID,
    action: str,
    subject: str,
    *,
    result: Literal["succeeded", "refused"] = "succeeded",
    **detail: Any,
) -> None:
    """Add an entry of what a user did to each of the user's accounts; one without account, if there are none."""
    accounts: Sequence[UUID | None] = (
        await session.scalars(select(Membership.account_id).where(Membership.user_id == user_id))
    ).all()
    for account_id in accounts or [None]:
        audit(session, account_id, f"user:{user_id}", action, subject, result=result, **detail)


def expired(days: int) -> ColumnElement[bool]:
    """Entries that are older; the workers' maintenance deletes them. The database keeps those of 30 days."""
    return AuditEntry.at < func.now() - timedelta(days=days)
