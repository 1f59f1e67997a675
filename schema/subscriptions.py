"""The root of all subscriptions: an account's history from a cursor on, then each event as it happens; and logs."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from uuid import UUID

import strawberry

from accounts.actors import authenticate
from schema import types
from schema.context import Info, RequestError
from schema.ids import decode, read_event_cursor
from schema.queries import account_of
from stores.events import is_expired, last_seq
from stores.log_tail import LogsRefused
from stores.logs import MAX_TAIL
from stores.queries import Seen, store_by_id


@strawberry.type
class Subscription:
    @strawberry.subscription(description="One store's events: from its beginning, or after the cursor.")
    async def store_events(
        self, info: Info, store_id: strawberry.ID, after: str | None = None
    ) -> AsyncGenerator[types.Event, None]:
        store = (await _store(info, store_id)).store
        seq = await _place(info, store.account_id, after) if after is not None else 0
        async for event in _follow(info, store.account_id, seq, store.id):
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

    @strawberry.subscription(
        description="The last lines of a part of the store, such as web, then each as it is printed; for 15 minutes."
    )
    async def store_logs(
        self, info: Info, store_id: strawberry.ID, workload: str, tail: int = 100
    ) -> AsyncGenerator[types.StoreLogLine, None]:
        actor, platform, seen = info.context.caller(), info.context.platform, await _store(info, store_id)
        if "read" not in actor.scopes:
            raise RequestError("FORBIDDEN", "This needs a token with the scope READ.")
        if not 0 <= tail <= MAX_TAIL:
            raise RequestError("BAD_USER_INPUT", f"Ask for a tail of 0 to {MAX_TAIL} lines: it was {tail}.")
        workloads = platform.engines[seen.store.engine].workloads
        if workload not in workloads:
            raise RequestError("BAD_USER_INPUT", f"`workload` is one of {', '.join(workloads)}.")
        may_go_on = _may_go_on(info, seen.store.account_id)
        try:
            async with aclosing(
                platform.logs.follow(actor.user_id, seen, workload, tail, may_go_on=may_go_on)
            ) as items:
                async for item in items:
                    yield types.log_line(item)
        except LogsRefused as error:
            raise RequestError(error.code, error.message) from None


async def _store(info: Info, store_id: strawberry.ID) -> Seen:
    """One of the caller's. Raises RequestError; the same for a foreign one and for none."""
    actor, wanted = info.context.caller(), decode("Store", store_id)
    if wanted is not None:
        async with info.context.platform.sessions() as session:
            seen = await store_by_id(session, actor, wanted)
        if seen is not None:
            return seen
    raise RequestError("NOT_FOUND", "There is no such store.")


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
    tail = info.context.platform.tail
    async for row in tail.follow(account, seq, store_id=store_id, may_go_on=_may_go_on(info, account)):
        yield types.event(row)
    raise RequestError("UNAUTHENTICATED", "The token or session has ended. Sign in again.")


def _may_go_on(info: Info, account: UUID) -> Callable[[], Awaitable[bool]]:
    """Whether the caller may still see the account."""
    actor, platform = info.context.caller(), info.context.platform

    async def may_go_on() -> bool:
        async with platform.sessions() as session:
            now = await authenticate(session, actor.credential, actor.kind)
        return now is not None and now.may_see(account)

    return may_go_on
