"""Every follower sees each event of its account or store once, in order, whenever it comes and whatever happens."""

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
from stores import event_stream as tail_module
from stores.event_stream import EventStream
from stores.events import PAGE_SIZE, EventDraft, append_events, events_after, last_seq
from stores.models import Event, Store
from tests.support.rows import connected, new_account, new_store
from tests.support.waiting import hang_limit

THE_END = "The end."


class House:
    """An account with two stores, and a tail on it as an API process has."""

    def __init__(self, sessions: SessionFactory, feed: Changefeed, account: UUID, stores: list[UUID]) -> None:
        self.sessions, self.feed, self.account, self.stores = sessions, feed, account, stores
        self.tail = EventStream(sessions, feed)
        self.written: list[tuple[int, UUID]] = []
        """(number, store) of what was committed."""

    async def write(self, store_id: UUID, events: int = 1, *, commit: bool = True, message: str = "Hello.") -> None:
        async with self.sessions() as session:
            store = await session.get_one(Store, store_id)
            await append_events(session, store, [EventDraft("NOTICE", message)] * events)
            last = await last_seq(session, self.account)
            if commit:
                await session.commit()
                self.written += [(seq, store_id) for seq in range(last - events + 1, last + 1)]

    def expected(self, after: int, store: UUID | None) -> list[int]:
        return sorted(seq for seq, whose in self.written if seq > after and store in (None, whose))

    def follow(self, after: int = 0, store: UUID | None = None) -> AsyncGenerator[Event, None]:
        return self.tail.follow(self.account, after, store_id=store)

    async def read(self, count: int, after: int = 0, store: UUID | None = None) -> list[int]:
        """The next numbers, as many as that."""
        seen: list[int] = []
        async with hang_limit(), aclosing(self.follow(after, store)) as events:
            while len(seen) < count:
                seen.append((await anext(events)).seq)
        return seen


@pytest.fixture(autouse=True)
def _nothing_rings_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changefeed, "RESYNC_SECONDS", 1e6)
    monkeypatch.setattr(changefeed, "RETRY_SECONDS", 0.05)


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with connected(database_url) as connection:
        account = await new_account(connection)
        stores = [await new_store(connection, account) for _ in range(2)]
    async with session_factory(SecretStr(database_url), 10) as sessions, run_changefeed(database_url) as feed:
        with feed.listen(account) as listener:
            await listener.wait()  # it listens
        yield House(sessions, feed, account, stores)


async def test_what_is_there_and_then_what_comes(house: House) -> None:
    figs, olives = house.stores
    await house.write(figs, 2)
    reads = [asyncio.create_task(house.read(4, 0)), asyncio.create_task(house.read(3, 1))]
    await house.write(olives)
    await house.write(figs, commit=False)
    await house.write(figs)
    assert await asyncio.gather(*reads) == [[1, 2, 3, 4], [2, 3, 4]]
    assert await house.read(3, 0, figs) == [1, 2, 4]
    assert await house.read(1, 0, olives) == [3]


@pytest.mark.parametrize("more", [-1, 0, 1, PAGE_SIZE])
async def test_a_long_history_is_read_page_by_page(house: House, more: int) -> None:
    figs, olives = house.stores
    await house.write(olives, 7)
    await house.write(figs, PAGE_SIZE + more)
    await house.write(olives, 3)
    await house.write(figs)
    for store in (figs, None):
        expected = house.expected(0, store)
        assert await house.read(len(expected), 0, store) == expected


async def test_many_followers_of_many_writers_through_a_lost_connection(house: House, database_url: str) -> None:
    """Followers come at any time and place; some writers roll back; the doorbell is torn off in the middle."""
    chance = random.Random(7)
    figs, olives = house.stores

    async def writer(number: int) -> None:
        for turn in range(8):
            await house.write(chance.choice(house.stores), 1 + turn % 2, commit=chance.random() < 0.8)
            if (number, turn) == (0, 3):
                async with connected(database_url) as connection:
                    query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query ~ '^LISTEN'"
                    assert await connection.fetchval(query) == 1

    async def follower(after: int, store: UUID | None) -> list[int]:
        seen, ends = [], 0
        async with aclosing(house.follow(after, store)) as events:
            while ends < (2 if store is None else 1):
                event = await anext(events)
                seen.append(event.seq)
                ends += event.message == THE_END
        return seen

    async with hang_limit():
        followers: list[tuple[int, UUID | None, asyncio.Task[list[int]]]] = []
        writers = [asyncio.create_task(writer(number)) for number in range(10)]
        while not all(task.done() for task in writers):
            after, store = chance.choice([0, *(seq for seq, _ in house.written)]), chance.choice([None, *house.stores])
            followers.append((after, store, asyncio.create_task(follower(after, store))))
            await asyncio.wait(writers, timeout=0.01)
        await asyncio.gather(*writers)
        await house.write(figs, message=THE_END)
        await house.write(olives, message=THE_END)
        assert len(followers) > 10
        for after, store, task in followers:
            assert await task == house.expected(after, store)
    assert house.expected(0, None) == list(range(1, 1 + len(house.written)))


async def test_what_comes_while_a_store_is_read_comes_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the questions for the last number and for the store's events, something may happen."""
    figs, olives = house.stores
    await house.write(figs, 2)

    came = asyncio.Event()

    async def and_then(session: AsyncSession, account: UUID) -> int:
        number = await last_seq(session, account)
        await house.write(figs, 2)
        came.set()
        return number

    monkeypatch.setattr(tail_module, "last_seq", and_then)
    reading = asyncio.create_task(house.read(6, 0, figs))
    await came.wait()
    await house.write(olives)
    await house.write(figs, 2)
    assert await reading == house.expected(0, figs) == [1, 2, 3, 4, 6, 7]


async def test_all_who_wait_at_one_place_share_one_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0

    async def counted(*given: Any, **more: Any) -> Sequence[Event]:
        nonlocal reads
        reads += 1
        return await events_after(*given, **more)

    monkeypatch.setattr(tail_module, "events_after", counted)
    followers = [asyncio.create_task(house.read(3)) for _ in range(200)]
    await house.write(house.stores[0], 2)
    await house.write(house.stores[0])
    assert await asyncio.gather(*followers) == [[1, 2, 3]] * 200
    assert reads < 12


async def test_who_waits_reads_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0

    async def counted(*given: Any, **more: Any) -> Sequence[Event]:
        nonlocal reads
        reads += 1
        return await events_after(*given, **more)

    monkeypatch.setattr(tail_module, "events_after", counted)
    waiting = asyncio.create_task(house.read(2))
    await house.write(house.stores[0])
    await asyncio.wait({waiting}, timeout=0.2)
    assert 1 <= reads <= 2
    await house.write(house.stores[0])
    assert await waiting == [1, 2]


async def test_a_read_that_began_before_a_ring_isnt_joined_after_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hasn't seen what the ring told of, and the newcomer's bell won't ring for it again."""
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow_at_first(*given: Any, **more: Any) -> Sequence[Event]:
        page = await events_after(*given, **more)
        if not began.is_set():
            began.set()
            await go_on.wait()
        return page

    monkeypatch.setattr(tail_module, "events_after", slow_at_first)
    early = asyncio.create_task(house.read(1))
    await began.wait()
    with house.feed.listen(house.account) as listener:
        await house.write(house.stores[0])
        await listener.wait()
    assert await house.read(1) == [1]
    go_on.set()
    assert await early == [1]


async def test_a_read_whose_reader_left_isnt_joined_after_a_ring(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody heard that ring: there was no bell for the account just then."""
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow_at_first(*given: Any, **more: Any) -> Sequence[Event]:
        page = await events_after(*given, **more)
        if not began.is_set():
            began.set()
            await go_on.wait()
        return page

    monkeypatch.setattr(tail_module, "events_after", slow_at_first)
    leaving = asyncio.create_task(house.read(1))
    await began.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await house.write(house.stores[0])
    with house.feed.listen(UUID(int=7)) as listener:  # another's, only to know that the ring before has come
        async with house.sessions.begin() as session:
            await notify(session, UUID(int=7))
        await listener.wait()
    coming = asyncio.create_task(house.read(1))
    await asyncio.wait({coming}, timeout=0.1)
    go_on.set()
    assert await coming == [1]


async def test_one_that_leaves_disturbs_nobody_who_reads_with_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*given: Any, **more: Any) -> Sequence[Event]:
        reading.set()
        await go_on.wait()
        return await events_after(*given, **more)

    monkeypatch.setattr(tail_module, "events_after", slow)
    await house.write(house.stores[0])
    leaving, staying = (asyncio.create_task(house.read(1)) for _ in range(2))
    await reading.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    go_on.set()
    assert await staying == [1]


async def test_who_left_leaves_nothing_behind(house: House) -> None:
    await house.write(house.stores[0])
    await house.read(1)
    await house.read(1, 0, house.stores[0])
    assert not house.feed._listeners
    assert not house.tail._reads


async def test_a_failed_read_ends_those_who_waited_for_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come again with their cursor; a later follower isn't harmed."""

    async def broken(*_: Any, **__: Any) -> Sequence[Event]:
        raise ConnectionError("no database")

    with monkeypatch.context() as patch:
        patch.setattr(tail_module, "events_after", broken)
        outcomes = await asyncio.gather(house.read(1), house.read(1), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError] * 2
    await house.write(house.stores[0])
    assert await house.read(1) == [1]
