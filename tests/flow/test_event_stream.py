"""Every subscriber gets each event of its account or store once and in order, whenever it subscribes."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from runtime import changefeed
from runtime.changefeed import Changefeed, notify, run_changefeed
from runtime.database import SessionFactory, session_factory
from stores import event_stream
from stores.event_stream import EventStream
from stores.events import PAGE_SIZE, EventDraft, append_events, events_after, last_seq
from stores.models import Event, Store
from tests.support.rows import connected, new_account, new_store
from tests.support.waiting import hang_limit

THE_END = "The end."


class Account:
    """An account with two stores, and the event stream of an API process."""

    def __init__(self, sessions: SessionFactory, feed: Changefeed, account_id: UUID, stores: list[UUID]) -> None:
        self.sessions, self.feed, self.account_id, self.stores = sessions, feed, account_id, stores
        self.stream = EventStream(sessions, feed)
        self.written: list[tuple[int, UUID]] = []
        """(number, store) of each committed event."""

    async def write(self, store_id: UUID, events: int = 1, *, commit: bool = True, message: str = "Hello.") -> None:
        async with self.sessions.begin() as session:
            store = await session.get_one(Store, store_id)
            last = await append_events(session, store, [EventDraft("NOTICE", message)] * events)
            if not commit:
                await session.rollback()
        if commit:
            self.written += [(seq, store_id) for seq in range(last - events + 1, last + 1)]

    def expected(self, after: int, store: UUID | None) -> list[int]:
        return sorted(seq for seq, whose in self.written if seq > after and store in (None, whose))

    def follow(self, after: int = 0, store: UUID | None = None) -> AsyncGenerator[Event, None]:
        return self.stream.follow(self.account_id, after, store_id=store)

    async def read(self, count: int, after: int = 0, store: UUID | None = None) -> list[int]:
        """The numbers of the next `count` events."""
        seen: list[int] = []
        async with hang_limit(), aclosing(self.follow(after, store)) as events:
            while len(seen) < count:
                seen.append((await anext(events)).seq)
        return seen


@pytest.fixture(autouse=True)
def _nothing_rings_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changefeed, "NOTIFY_ALL_SECONDS", 1e6)
    monkeypatch.setattr(changefeed, "RETRY_SECONDS", 0.05)


@pytest_asyncio.fixture
async def account(database_url: str) -> AsyncIterator[Account]:
    async with connected(database_url) as connection:
        account = await new_account(connection)
        stores = [await new_store(connection, account) for _ in range(2)]
    async with session_factory(SecretStr(database_url), 10) as sessions, run_changefeed(database_url) as feed:
        with feed.listen(account) as listener:
            await listener.wait()  # the changefeed is connected
        yield Account(sessions, feed, account, stores)


async def test_what_is_there_and_then_what_comes(account: Account) -> None:
    figs, olives = account.stores
    await account.write(figs, 2)
    reads = [asyncio.create_task(account.read(4, 0)), asyncio.create_task(account.read(3, 1))]
    await account.write(olives)
    await account.write(figs, commit=False)
    await account.write(figs)
    assert await asyncio.gather(*reads) == [[1, 2, 3, 4], [2, 3, 4]]
    assert await account.read(3, 0, figs) == [1, 2, 4]
    assert await account.read(1, 0, olives) == [3]


@pytest.mark.parametrize("more", [-1, 0, 1, PAGE_SIZE])
async def test_a_long_history_is_read_page_by_page(account: Account, more: int) -> None:
    figs, olives = account.stores
    await account.write(olives, 7)
    await account.write(figs, PAGE_SIZE + more)
    await account.write(olives, 3)
    await account.write(figs)
    for store in (figs, None):
        expected = account.expected(0, store)
        assert await account.read(len(expected), 0, store) == expected


async def test_many_followers_of_many_writers_through_a_lost_connection(account: Account, database_url: str) -> None:
    """Subscribers begin at any time and cursor, some writers roll back, and the changefeed loses its connection."""
    chance = random.Random(7)
    figs, olives = account.stores

    async def writer(number: int) -> None:
        for turn in range(8):
            await account.write(chance.choice(account.stores), 1 + turn % 2, commit=chance.random() < 0.8)
            if (number, turn) == (0, 3):
                async with connected(database_url) as connection:
                    query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query ~ '^LISTEN'"
                    assert await connection.fetchval(query) == 1

    async def follower(after: int, store: UUID | None) -> list[int]:
        seen, ends = [], 0
        async with aclosing(account.follow(after, store)) as events:
            while ends < (2 if store is None else 1):
                event = await anext(events)
                seen.append(event.seq)
                ends += event.message == THE_END
        return seen

    async with hang_limit():
        followers: list[tuple[int, UUID | None, asyncio.Task[list[int]]]] = []
        writers = [asyncio.create_task(writer(number)) for number in range(10)]
        while not all(task.done() for task in writers):
            after, store = (
                chance.choice([0, *(seq for seq, _ in account.written)]),
                chance.choice([None, *account.stores]),
            )
            followers.append((after, store, asyncio.create_task(follower(after, store))))
            await asyncio.wait(writers, timeout=0.01)
        await asyncio.gather(*writers)
        await account.write(figs, message=THE_END)
        await account.write(olives, message=THE_END)
        assert len(followers) > 10
        for after, store, task in followers:
            assert await task == account.expected(after, store)
    assert account.expected(0, None) == list(range(1, 1 + len(account.written)))


async def test_what_comes_while_a_store_is_read_comes_once(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the queries for the last number and for the store's events, new events may be written."""
    figs, olives = account.stores
    await account.write(figs, 2)

    came = asyncio.Event()

    async def and_then(session: AsyncSession, account_id: UUID) -> int:
        number = await last_seq(session, account_id)
        await account.write(figs, 2)
        came.set()
        return number

    monkeypatch.setattr(event_stream, "last_seq", and_then)
    reading = asyncio.create_task(account.read(6, 0, figs))
    await came.wait()
    await account.write(olives)
    await account.write(figs, 2)
    assert await reading == account.expected(0, figs) == [1, 2, 3, 4, 6, 7]


async def test_all_who_wait_at_one_place_share_one_read(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0

    async def counted(*given: Any, **more: Any) -> Sequence[Event]:
        nonlocal reads
        reads += 1
        return await events_after(*given, **more)

    monkeypatch.setattr(event_stream, "events_after", counted)
    followers = [asyncio.create_task(account.read(3)) for _ in range(200)]
    await account.write(account.stores[0], 2)
    await account.write(account.stores[0])
    assert await asyncio.gather(*followers) == [[1, 2, 3]] * 200
    assert reads < 12


async def test_who_waits_reads_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0

    async def counted(*given: Any, **more: Any) -> Sequence[Event]:
        nonlocal reads
        reads += 1
        return await events_after(*given, **more)

    monkeypatch.setattr(event_stream, "events_after", counted)
    waiting = asyncio.create_task(account.read(2))
    await account.write(account.stores[0])
    await asyncio.wait({waiting}, timeout=0.2)
    assert 1 <= reads <= 2
    await account.write(account.stores[0])
    assert await waiting == [1, 2]


async def test_a_read_that_began_before_a_notification_is_not_shared_after_it(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It missed the events of that notification, and the new listener isn't notified of them again."""
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow_at_first(*given: Any, **more: Any) -> Sequence[Event]:
        page = await events_after(*given, **more)
        if not began.is_set():
            began.set()
            await go_on.wait()
        return page

    monkeypatch.setattr(event_stream, "events_after", slow_at_first)
    early = asyncio.create_task(account.read(1))
    await began.wait()
    with account.feed.listen(account.account_id) as listener:
        await account.write(account.stores[0])
        await listener.wait()
    assert await account.read(1) == [1]
    go_on.set()
    assert await early == [1]


async def test_a_read_whose_reader_left_isnt_joined_after_a_ring(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No listener got that notification: the account had none at that moment."""
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow_at_first(*given: Any, **more: Any) -> Sequence[Event]:
        page = await events_after(*given, **more)
        if not began.is_set():
            began.set()
            await go_on.wait()
        return page

    monkeypatch.setattr(event_stream, "events_after", slow_at_first)
    leaving = asyncio.create_task(account.read(1))
    await began.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await account.write(account.stores[0])
    with account.feed.listen(UUID(int=7)) as listener:  # another account's: once it is notified, so was the first
        async with account.sessions.begin() as session:
            await notify(session, UUID(int=7))
        await listener.wait()
    coming = asyncio.create_task(account.read(1))
    await asyncio.wait({coming}, timeout=0.1)
    go_on.set()
    assert await coming == [1]


async def test_a_cancelled_subscriber_does_not_disturb_a_shared_read(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*given: Any, **more: Any) -> Sequence[Event]:
        reading.set()
        await go_on.wait()
        return await events_after(*given, **more)

    monkeypatch.setattr(event_stream, "events_after", slow)
    await account.write(account.stores[0])
    leaving, staying = (asyncio.create_task(account.read(1)) for _ in range(2))
    await reading.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    go_on.set()
    assert await staying == [1]


async def test_who_left_leaves_nothing_behind(account: Account) -> None:
    await account.write(account.stores[0])
    await account.read(1)
    await account.read(1, 0, account.stores[0])
    assert not account.feed._listeners
    assert not account.stream._reads


async def test_a_database_that_cant_be_reached_delays_those_who_wait(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "RETRY_SECONDS", 0.01)
    failures = iter(range(3))

    async def unavailable(*given: Any, **options: Any) -> Sequence[Event]:
        if next(failures, None) is not None:
            raise ConnectionError("no database")
        return await events_after(*given, **options)

    monkeypatch.setattr(event_stream, "events_after", unavailable)
    reads = [asyncio.create_task(account.read(1)) for _ in range(2)]
    await account.write(account.stores[0])
    assert await asyncio.gather(*reads) == [[1], [1]]
    assert next(failures, None) is None


async def test_a_bug_ends_those_who_waited(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """They subscribe again with their cursor; later subscribers get everything."""

    async def broken(*_: Any, **__: Any) -> Sequence[Event]:
        raise ValueError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(event_stream, "events_after", broken)
        outcomes = await asyncio.gather(account.read(1), account.read(1), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ValueError] * 2
    await account.write(account.stores[0])
    assert await account.read(1) == [1]
