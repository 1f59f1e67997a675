"""The root of all subscriptions: an account's history from a cursor on, then each event as it happens."""

from collections.abc import AsyncGenerator
from uuid import UUID

import strawberry

from accounts.actors import authenticate
from schema import types
from schema.context import Info, RequestError
from schema.ids import decode, read_event_cursor
from schema.queries import account_of
from stores.events import is_expired, last_seq
from stores.queries import store_by_id


@strawberry.type
class Subscription:
    @strawberry.subscription(description="One store's events: from its beginning, or after the cursor.")
    async def store_events(
        self, info: Info, store_id: strawberry.ID, after: str | None = None
    ) -> AsyncGenerator[types.Event, None]:
        actor = info.context.caller()
        wanted = decode("Store", store_id)
        seen = None
        if wanted is not None:
            async with info.context.platform.sessions() as session:
                seen = await store_by_id(session, actor, wanted)
        if seen is None:
            raise RequestError("NOT_FOUND", "There is no such store.")
        account = seen.store.account_id
        seq = await _place(info, account, after) if after is not None else 0
        async for event in _follow(info, account, seq, wanted):
            yield event

    @strawberry.subscription(description="All events of an account: from now on, or after the cursor.")
    async def account_events(
        self, info: Info, account_id: strawberry.ID | None = None, after: str | None = None
    ) -> AsyncGenerator[types.Event, None]:
        account = account_of(info, account_id)
        if after is not None:
            seq = await _place(info, account, after)
        else:
            async with info.context.platform.sessions() as session:
                seq = await last_seq(session, account)
        async for event in _follow(info, account, seq, None):
            yield event


async def _place(info: Info, account: UUID, after: str) -> int:
    """The number in the cursor. Raises RequestError when it is none of this account's, or too old."""
    place = read_event_cursor(after)
    if place is None or place[0] != account:
        raise RequestError("BAD_USER_INPUT", "`after` is no cursor of this account's events.")
    async with info.context.platform.sessions() as session:
        if await is_expired(session, account, place[1]):
            message = "Events after this cursor are no longer kept. Read the stores anew and follow their eventCursor."
            raise RequestError("CURSOR_EXPIRED", message)
    return place[1]


async def _follow(info: Info, account: UUID, seq: int, store_id: UUID | None) -> AsyncGenerator[types.Event, None]:
    actor, platform = info.context.caller(), info.context.platform

    async def may_go_on() -> bool:
        async with platform.sessions() as session:
            now = await authenticate(session, actor.credential, actor.kind)
        return now is not None and now.may_see(account)

    async for row in platform.tail.follow(account, seq, store_id=store_id, may_go_on=may_go_on):
        yield types.event(row)
    raise RequestError("UNAUTHENTICATED", "The token or session has ended. Sign in again.")
