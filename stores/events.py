"""An account's events: written in the transaction of the change, numbered by the database, read after a cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.changefeed import notification
from stores.models import AccountStream, Event, Store

RETENTION = timedelta(days=90)
PAGE_SIZE = 100
EVENT_TYPES = ("STATUS", "STEP", "HEALTH", "NOTICE")


@dataclass(frozen=True)
class EventDraft:
    """An event to be appended. `step` is set for type STEP only, `previous_status` for type STATUS only."""

    type: Literal["STATUS", "STEP", "HEALTH", "NOTICE"]
    message: str
    step: dict[str, str | None] | None = None
    """`{name, status, message}`: a copy, because the step's row changes later."""
    previous_status: str | None = None
    """The status before the change: events of the same transaction that come first have it."""


async def append_events(session: AsyncSession, store: Store, drafts: Sequence[EventDraft]) -> int:
    """Write the row's changes, then one event or more, and notify listeners. Returns the last one's sequence number.

    Call it last in a transaction: it locks the account's stream.
    """
    await session.flush()
    rows = [
        {
            "account_id": store.account_id,
            "store_id": store.id,
            "type": draft.type,
            "status": status,
            "message": draft.message,
            "step": draft.step,
        }
        for draft, status in zip(drafts, _statuses(store, drafts), strict=True)
    ]
    appended = insert(Event).inline().values(rows).returning(Event.seq).cte("appended")
    seq: int = (await session.execute(select(func.max(appended.c.seq), notification(store.account_id)))).scalar_one()
    return seq


def _statuses(store: Store, drafts: Sequence[EventDraft]) -> list[str]:
    """The store's status as of each event."""
    status, statuses = store.status, []
    for draft in reversed(drafts):
        statuses.append(status)
        status = draft.previous_status or status
    return statuses[::-1]


async def last_seq(session: AsyncSession, account_id: UUID) -> int:
    """The sequence number of the account's latest event; 0 without events."""
    return await session.scalar(select(AccountStream.seq).where(AccountStream.account_id == account_id)) or 0


async def events_after(
    session: AsyncSession, account_id: UUID, seq: int, *, store_id: UUID | None = None, limit: int = PAGE_SIZE
) -> Sequence[Event]:
    """The events after `seq`, oldest first, at most `limit`; only those of `store_id` if given."""
    query = select(Event).where(Event.account_id == account_id, Event.seq > seq)
    if store_id is not None:
        query = query.where(Event.store_id == store_id)
    return (await session.scalars(query.order_by(Event.seq).limit(limit))).all()


async def is_expired(session: AsyncSession, account_id: UUID, seq: int) -> bool:
    """Whether the events after `seq` aren't those that a client with this cursor misses: some were deleted because of
    their age, or a restored database doesn't have event `seq`. Restoring leaves a gap in the numbers: backup/after.sql
    of the chart."""
    neighbours = select(Event.seq).where(Event.account_id == account_id, Event.seq.in_((seq, seq + 1)))
    return seq != await last_seq(session, account_id) and await session.scalar(neighbours.limit(1)) is None


def expired() -> ColumnElement[bool]:
    """Events older than RETENTION; the workers' maintenance deletes them."""
    return Event.at < func.now() - RETENTION
