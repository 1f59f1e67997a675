"""The doorbell rings for whoever waits, at commit, and after every gap in which a ring may have been lost."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from runtime import changefeed
from runtime.changefeed import Bell, Changefeed, listening, ring
from runtime.database import Sessions, connect
from sandbox.postgres import Postgres
from tests.flow.rows import connected

FIGS, OLIVES = UUID(int=1), UUID(int=2)
NEVER = 1e6
"""Seconds; as long as no test takes."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing rings by itself, and nobody waits long for a new connection."""
    monkeypatch.setattr(changefeed, "RESYNC_SECONDS", NEVER)
    monkeypatch.setattr(changefeed, "RETRY_SECONDS", 0.02)


@pytest_asyncio.fixture
async def sessions(database_url: str) -> AsyncIterator[Sessions]:
    async with connect(SecretStr(database_url), 2) as made:
        yield made


@pytest_asyncio.fixture
async def feed(database_url: str) -> AsyncIterator[Changefeed]:
    async with listening(database_url) as made:
        with made.bell(uuid4()) as bell:
            await rung(bell)  # it listens
        yield made


async def listeners(url: str) -> list[int]:
    """Process ids of the backends that listen."""
    query = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name = 'storefleet changefeed' AND datname = current_database()"
    )
    async with connected(url) as connection:
        return [row["pid"] for row in await connection.fetch(query)]


async def rung(bell: Bell, seconds: float = 5) -> None:
    await asyncio.wait_for(bell.wait(), seconds)
    bell.clear()


async def silent(bell: Bell) -> bool:
    """For a moment; only for what could ring at once."""
    try:
        await asyncio.wait_for(bell.wait(), 0.1)
    except TimeoutError:
        return True
    return False


async def test_a_ring_comes_with_the_commit(feed: Changefeed, sessions: Sessions) -> None:
    with feed.bell(FIGS) as bell:
        async with sessions.begin() as session:
            await ring(session, FIGS)
            assert await silent(bell)
        await rung(bell)
        assert not bell.access_changed
        assert await silent(bell)


async def test_what_is_rolled_back_never_rang(feed: Changefeed, sessions: Sessions) -> None:
    with feed.bell(FIGS) as figs, feed.bell(OLIVES) as olives:
        async with sessions() as session:
            await ring(session, FIGS)
            await session.rollback()
        async with sessions.begin() as session:
            await ring(session, OLIVES)
        await rung(olives)
        assert await silent(figs)


async def test_everybody_who_waits_for_the_account_hears_it(feed: Changefeed, sessions: Sessions) -> None:
    with feed.bell(FIGS) as one, feed.bell(FIGS) as two, feed.bell(OLIVES) as other:
        with feed.bell(FIGS) as gone:
            pass
        async with sessions.begin() as session:
            await ring(session, FIGS)
        await asyncio.gather(rung(one), rung(two))
        assert await silent(other)
        assert await silent(gone)


async def test_a_change_of_access_is_told_until_it_is_checked(feed: Changefeed, sessions: Sessions) -> None:
    with feed.bell(FIGS) as bell:
        async with sessions.begin() as session:
            await ring(session, FIGS, access=True)
        await rung(bell)
        assert bell.access_changed
        async with sessions.begin() as session:
            await ring(session, FIGS)
        await rung(bell)
        assert bell.access_changed


async def test_after_a_lost_connection_everybody_looks_and_hears_again(
    feed: Changefeed, sessions: Sessions, database_url: str
) -> None:
    with feed.bell(FIGS) as bell, feed.bell(OLIVES) as other:
        for _ in range(2):  # more than once
            [listener] = await listeners(database_url)
            async with connected(database_url) as connection:
                assert await connection.fetchval("SELECT pg_terminate_backend($1)", listener)
            await asyncio.gather(rung(bell), rung(other))
            assert bell.access_changed  # its ring may have been lost, too
            bell.access_changed = False
            async with sessions.begin() as session:
                await ring(session, FIGS)
            await rung(bell)
            assert not bell.access_changed


async def test_it_listens_as_soon_as_there_is_somebody_to_listen_to(
    postgres: Postgres, database_url: str, sessions: Sessions, tmp_path: Path
) -> None:
    link = tmp_path / "pg"
    url = f"postgresql://storefleet@/{database_url.partition('@/')[2].partition('?')[0]}?host={quote(str(link))}"
    async with listening(url) as feed:
        with feed.bell(FIGS) as bell:
            assert await silent(bell)
            link.symlink_to(postgres.sockets)
            await rung(bell)
            async with sessions.begin() as session:
                await ring(session, FIGS)
            await rung(bell)


async def test_every_now_and_then_everybody_looks_anyway(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changefeed, "RESYNC_SECONDS", 0.05)
    async with listening(database_url) as feed:
        with feed.bell(FIGS) as bell:
            await rung(bell)
            first = await listeners(database_url)
            for _ in range(3):
                await rung(bell)
                assert await listeners(database_url) == first  # on one connection all the time


class Wire:
    """Between the feed and Postgres; it can go dead without a word, as a firewall that forgets a connection."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()
        self._ways: list[tuple[asyncio.StreamWriter, asyncio.Event]] = []

    def cut(self) -> None:
        """What is connected hears and reaches nobody any more; what connects from now on does."""
        for _, dead in self._ways:
            dead.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._server)
        dead = asyncio.Event()
        self._ways += [(writer, dead), (back, dead)]
        for source, target in ((reader, back), (there, writer)):
            self._tasks.add(asyncio.create_task(self._carry(source, target, dead)))

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, dead: asyncio.Event) -> None:
        while some := await source.read(65536):
            if not dead.is_set():
                target.write(some)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer, _ in self._ways:
            writer.close()


async def test_a_connection_that_dies_silently_is_noticed(
    postgres: Postgres, database_url: str, sessions: Sessions, monkeypatch: pytest.MonkeyPatch, servers_folder: Path
) -> None:
    monkeypatch.setattr(changefeed, "RESYNC_SECONDS", 0.2)
    monkeypatch.setattr(changefeed, "PING_SECONDS", 0.2)
    [server] = [path for path in postgres.sockets.iterdir() if not path.name.endswith(".lock")]
    folder = servers_folder / "wire"
    folder.mkdir()
    wire = Wire(server)
    async with await asyncio.start_unix_server(wire.accept, folder / server.name):
        async with listening(database_url.replace(quote(str(postgres.sockets)), quote(str(folder)))) as feed:
            with feed.bell(FIGS) as bell:
                await rung(bell)
                wire.cut()
                before = feed.heard(FIGS)
                async with asyncio.timeout(5):
                    for pause in itertools.repeat(0.05):  # until it has noticed, and listens again
                        async with sessions.begin() as session:
                            await ring(session, FIGS)
                        await asyncio.sleep(pause)
                        if feed.heard(FIGS)[1] > before[1]:
                            break
        await wire.close()


async def test_it_ends_whatever_it_is_doing(postgres: Postgres, database_url: str, tmp_path: Path) -> None:
    nobody = f"postgresql://storefleet@/postgres?host={quote(str(tmp_path))}"
    async with asyncio.timeout(5):
        async with listening(nobody):
            await asyncio.sleep(0)
        async with listening(database_url):
            await asyncio.sleep(0)
        async with listening(database_url) as feed:
            with feed.bell(FIGS) as bell:
                await rung(bell)
        while await listeners(database_url):
            pass  # each question takes its time
