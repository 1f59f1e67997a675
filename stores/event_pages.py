"""Pages of stores' events, in either direction."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from stores.models import Event, Store


@dataclass(frozen=True)
class EventRange:
    """At most `limit` events of a store with numbers between `after` and `before`: the first or the `last` of them."""

    limit: int
    last: bool = False
    after: int = 0
    before: int | None = None


@dataclass(frozen=True)
class EventPage:
    """The events, oldest first, and whether the range has more of them: before a page of the last, after another."""

    events: Sequence[Event]
    has_more: bool


async def event_pages(session: AsyncSession, store_ids: Sequence[UUID], wanted: EventRange) -> dict[UUID, EventPage]:
    """A page for each store, with one query. The caller checks access to the stores."""
    stores = select(Store.id).where(Store.id.in_(store_ids)).subquery()
    query = select(Event).where(Event.store_id == stores.c.id, Event.seq > wanted.after)
    if wanted.before is not None:
        query = query.where(Event.seq < wanted.before)
    limited = query.order_by(Event.seq.desc() if wanted.last else Event.seq).limit(wanted.limit + 1).lateral()
    event = aliased(Event, limited)
    rows = await session.scalars(select(event).select_from(stores).join(limited, true()).order_by(limited.c.seq))
    found: dict[UUID, list[Event]] = {store_id: [] for store_id in store_ids}
    for row in rows:
        found[row.store_id].append(row)
    return {store_id: _page(events, wanted) for store_id, events in found.items()}


def _page(events: list[Event], wanted: EventRange) -> EventPage:
    kept = events[-wanted.limit :] if wanted.last else events[: wanted.limit]
    return EventPage(kept, has_more=len(events) > wanted.limit)
