"""Pages of stores' events, in either direction."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from runtime.pagination import Page, PageRange, page_of, within
from stores.models import Event, Store


async def event_pages(session: AsyncSession, store_ids: Sequence[UUID], wanted: PageRange) -> dict[UUID, Page[Event]]:
    """A page of events for each store, the oldest first, with one query. The caller checks access to the stores.

    The key of the range: the event's number.
    """
    stores = select(Store.id).where(Store.id.in_(store_ids)).subquery()
    query = select(Event).where(Event.store_id == stores.c.id)
    limited = within(query, [Event.seq], wanted).lateral()
    event = aliased(Event, limited)
    rows = await session.scalars(select(event).select_from(stores).join(limited, true()).order_by(limited.c.seq))
    found: dict[UUID, list[Event]] = {store_id: [] for store_id in store_ids}
    for row in rows:
        found[row.store_id].append(row)
    return {store_id: page_of(events, wanted) for store_id, events in found.items()}
