"""An account's history: written with the change it tells of, numbered by the database, read after a cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.changefeed import ring
from stores.models import AccountStream, Event, Store

KEPT = timedelta(days=90)
PAGE = 100
TYPES = ("STATUS", "STEP", "HEALTH", "NOTICE")


@dataclass(frozen=True)
class News:
    """What an event will say. `step` is there for type STEP only."""

    type: Literal["STATUS", "STEP", "HEALTH", "NOTICE"]
    message: str
    step: dict[str, str | None] | None = None
    """`{name, status, message}` as it was then: the row goes on changing."""


async def record(session: AsyncSession, store: Store, news: Sequence[News]) -> None:
    """Write the row's changes and their events, and ring. The last thing a transaction does: it locks the stream."""
    await session.flush()
    if not news:
        return
    rows = [
        {
            "account_id": store.account_id,
            "store_id": store.id,
            "type": item.type,
            "status": store.status,
            "message": item.message,
            "step": item.step,
        }
        for item in news
    ]
    await session.execute(insert(Event).inline().values(rows))
    await ring(session, store.account_id)


async def last_seq(session: AsyncSession, account_id: UUID) -> int:
    """The number of the account's latest event, 0 before the first."""
    return await session.scalar(select(AccountStream.seq).where(AccountStream.account_id == account_id)) or 0


async def events_after(
    session: AsyncSession, account_id: UUID, seq: int, *, store_id: UUID | None = None, limit: int = PAGE
) -> Sequence[Event]:
    """The next events after that number, oldest first, at most `limit`; of one store if given."""
    query = select(Event).where(Event.account_id == account_id, Event.seq > seq)
    if store_id is not None:
        query = query.where(Event.store_id == store_id)
    return (await session.scalars(query.order_by(Event.seq).limit(limit))).all()


async def is_expired(session: AsyncSession, account_id: UUID, seq: int) -> bool:
    """Whether events after that number are no longer kept."""
    oldest = await session.scalar(select(func.min(Event.seq)).where(Event.account_id == account_id))
    return seq + 1 < (oldest if oldest is not None else await last_seq(session, account_id) + 1)


async def forget_old(session: AsyncSession) -> None:
    """Delete events older than KEPT, the oldest first so that what stays has no gap; called by a worker."""
    await session.execute(delete(Event).where(Event.at < func.now() - KEPT))
