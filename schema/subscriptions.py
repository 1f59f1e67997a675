"""The root type of all subscriptions: an account's events after a cursor, one store's events, and a store's logs.

A WebSocket or event stream is closed, with its subscriptions, when its access ends (accounts/access_changes.py).
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import lru_cache
from uuid import UUID

import strawberry

from accounts.errors import CallerError
from schema.access import VIEWER_READ
from schema.arguments import AfterEvent, Component, OwnAccountId, StoreId, Tail, Workload
from schema.context import Info, RequestError
from schema.ids import decode_event_cursor, decode_id
from schema.types.events import Event
from schema.types.logs import StoreLogLine
from stores.engines import require_engine
from stores.events import events_after, is_expired, last_seq
from stores.log_protocol import MAX_TAIL
from stores.log_stream import LogStreamError
from stores.models import Event as EventRow
from stores.queries import StoreWithCursor, store_by_id
from stores.status import Status


@strawberry.type(description="What can be followed live: over WebSocket, or as server-sent events.")
class Subscription:
    @strawberry.subscription(
        extensions=[VIEWER_READ],
        description="One store's events: from the first one, or after the cursor. Completes when the store is DELETED.",
    )
    async def store_events(
        self, info: Info, store_id: StoreId, after: AfterEvent = None
    ) -> AsyncGenerator[Event, None]:
        after = info.context.last_event_id or after
        store = (await _require_store(info, store_id)).store
        seq = await _require_seq(info, store.account_id, after) if after is not None else 0
        platform = info.context.platform
        if store.status == Status.DELETED:
            async with platform.sessions() as session:
                if not await events_after(session, store.account_id, seq, store_id=store.id, limit=1):
                    return
        async for row in platform.event_stream.follow(store.account_id, seq, store_id=store.id):
            yield _event(info, row)
            if row.type == "STATUS" and row.status == Status.DELETED:
                return

    @strawberry.subscription(
        extensions=[VIEWER_READ], description="All events of an account: from now on, or after the cursor."
    )
    async def account_events(
        self, info: Info, account_id: OwnAccountId = None, after: AfterEvent = None
    ) -> AsyncGenerator[Event, None]:
        after = info.context.last_event_id or after
        account = info.context.require_account(account_id)
        if after is not None:
            seq = await _require_seq(info, account, after)
        else:
            async with info.context.platform.sessions() as session:
                seq = await last_seq(session, account)
        async for row in info.context.platform.event_stream.follow(account, seq, store_id=None):
            yield _event(info, row)

    @strawberry.subscription(
        extensions=[VIEWER_READ],
        description="The last lines of a component of the store, e.g. web, then each new line; for 15 minutes.",
    )
    async def store_logs(
        self,
        info: Info,
        store_id: StoreId,
        component: Component = None,
        tail: Tail = 100,
        workload: Workload = None,
    ) -> AsyncGenerator[StoreLogLine, None]:
        actor, platform, store = (
            info.context.require_actor(),
            info.context.platform,
            await _require_store(info, store_id),
        )
        if not 0 <= tail <= MAX_TAIL:
            raise RequestError("BAD_USER_INPUT", f"Ask for a tail of 0 to {MAX_TAIL} lines: it was {tail}.")
        try:
            components = require_engine(platform.engines, store.store.engine).components
            component = component if component is not None else workload
            if component is None or component not in components:
                raise RequestError("BAD_USER_INPUT", f"`component` is one of {', '.join(components)}.")
            async with aclosing(platform.log_stream.follow(actor, store, component, tail)) as items:
                async for item in items:
                    yield StoreLogLine.from_item(item)
        except (CallerError, LogStreamError) as error:
            raise RequestError(error.code, error.message) from None


@lru_cache(maxsize=200)
def _from_row(row: EventRow) -> Event:
    """One object for all subscribers who read the same row (stores/event_stream.py)."""
    return Event.from_row(row)


def _event(info: Info, row: EventRow) -> Event:
    event = _from_row(row)
    info.context.event_cursor = event.cursor
    return event


async def _require_store(info: Info, global_id: strawberry.ID) -> StoreWithCursor:
    """Raises RequestError NOT_FOUND for an unknown store, and also for a store of another account."""
    actor, store_id = info.context.require_actor(), decode_id("Store", global_id)
    if store_id is not None:
        async with info.context.platform.sessions() as session:
            store = await store_by_id(session, actor, store_id)
        if store is not None:
            return store
    raise RequestError("NOT_FOUND", "There is no such store.")


async def _require_seq(info: Info, account_id: UUID, cursor: str) -> int:
    """The event number in the cursor. Raises RequestError: malformed, of another account, or expired."""
    decoded = decode_event_cursor(cursor)
    if decoded is None or decoded[0] != account_id:
        raise RequestError("BAD_USER_INPUT", "`after` is not a cursor of this account's events.")
    async with info.context.platform.sessions() as session:
        if await is_expired(session, account_id, decoded[1]):
            message = (
                "Events after this cursor are no longer kept. Query the stores again and continue after eventCursor."
            )
            raise RequestError("CURSOR_EXPIRED", message)
    return decoded[1]
