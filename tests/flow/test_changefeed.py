"""Listeners are notified at commit, and after every gap in which a notification may have been lost."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import text
from structlog.testing import capture_logs

from runtime import changefeed
from runtime.changefeed import Changefeed, Listener, notify, run_changefeed
from runtime.database import DatabaseUnavailable, SessionFactory, session_factory
from sandbox.postgres import Postgres
from tests.support.rows import connected
from tests.support.waiting import HANG_SECONDS, hang_limit, wait_until

FIGS, OLIVES = UUID(int=1), UUID(int=2)
NEVER = 1e6
"""Seconds; longer than any test."""


@pytest.fixture(autouse=True)
def _no_resync(monkeypatch: pytest.MonkeyPatch) -> None:
    """No notifications without a cause, and fast reconnects."""
    monkeypatch.setattr(changefeed, "NOTIFY_ALL_SECONDS", NEVER)
    monkeypatch.setattr(changefeed, "RETRY_SECONDS", 0.02)


@pytest_asyncio.fixture
async def sessions(database_url: str) -> AsyncIterator[SessionFactory]:
    async with session_factory(SecretStr(database_url), 2) as made:
        yield made


@pytest_asyncio.fixture
async def feed(database_url: str) -> AsyncIterator[Changefeed]:
    async with run_changefeed(database_url) as made:
        with made.listen(uuid4()) as listener:
            await notified(listener)  # it is connected
        yield made


async def listening_backends(url: str) -> list[int]:
    """Process ids of the changefeed's backends."""
    query = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name = 'storefleet changefeed' AND datname = current_database()"
    )
    async with connected(url) as connection:
        return [row["pid"] for row in await connection.fetch(query)]


async def is_connected(feed: Changefeed) -> bool:
    return feed.connected


async def is_logged(logs: list[Any], event: str) -> bool:
    return any(entry["event"] == event for entry in logs)


async def notified(listener: Listener) -> None:
    await asyncio.wait_for(listener.wait(), HANG_SECONDS)
    listener.clear()


async def is_silent(listener: Listener) -> bool:
    """Whether 0.1 s pass without a notification."""
    try:
        await asyncio.wait_for(listener.wait(), 0.1)
    except TimeoutError:
        return True
    return False


async def test_a_notification_comes_with_the_commit(feed: Changefeed, sessions: SessionFactory) -> None:
    with feed.listen(FIGS) as listener:
        async with sessions.begin() as session:
            await notify(session, FIGS)
            assert await is_silent(listener)
        await notified(listener)
        assert not listener.access_changed
        assert await is_silent(listener)


async def test_what_is_rolled_back_never_notifies(feed: Changefeed, sessions: SessionFactory) -> None:
    with feed.listen(FIGS) as figs, feed.listen(OLIVES) as olives:
        async with sessions.begin() as session:
            await notify(session, FIGS)
            await session.rollback()
        async with sessions.begin() as session:
            await notify(session, OLIVES)
        await notified(olives)
        assert await is_silent(figs)


async def test_everybody_who_waits_for_the_account_hears_it(feed: Changefeed, sessions: SessionFactory) -> None:
    with feed.listen(FIGS) as one, feed.listen(FIGS) as two, feed.listen(OLIVES) as other:
        with feed.listen(FIGS) as gone:
            pass
        async with sessions.begin() as session:
            await notify(session, FIGS)
        await asyncio.gather(notified(one), notified(two))
        assert await is_silent(other)
        assert await is_silent(gone)


async def test_a_change_of_access_is_told_until_it_is_checked(feed: Changefeed, sessions: SessionFactory) -> None:
    with feed.listen(FIGS) as listener:
        async with sessions.begin() as session:
            await session.execute(text(f"SELECT pg_notify('account_changed', '{FIGS} access')"))  # as triggers do
        await notified(listener)
        assert listener.access_changed
        async with sessions.begin() as session:
            await notify(session, FIGS)
        await notified(listener)
        assert listener.access_changed


async def test_after_a_lost_connection_everybody_looks_and_hears_again(
    feed: Changefeed, sessions: SessionFactory, database_url: str
) -> None:
    with feed.listen(FIGS) as listener, feed.listen(OLIVES) as other:
        for _ in range(2):  # more than once
            [pid] = await listening_backends(database_url)
            async with connected(database_url) as connection:
                assert await connection.fetchval("SELECT pg_terminate_backend($1)", pid)
            await asyncio.gather(notified(listener), notified(other))
            assert listener.access_changed  # this notification may have been lost, too
            listener.access_changed = False
            async with sessions.begin() as session:
                await notify(session, FIGS)
            await notified(listener)
            assert not listener.access_changed


async def test_it_listens_as_soon_as_the_server_is_available(
    postgres: Postgres, database_url: str, sessions: SessionFactory, tmp_path: Path
) -> None:
    link = tmp_path / "pg"
    url = f"postgresql://storefleet@/{database_url.partition('@/')[2].partition('?')[0]}?host={quote(str(link))}"
    async with run_changefeed(url) as feed:
        with feed.listen(FIGS) as listener:
            assert await is_silent(listener)
            link.symlink_to(postgres.socket_folder)
            await notified(listener)
            async with sessions.begin() as session:
                await notify(session, FIGS)
            await notified(listener)


async def test_it_listens_again_after_a_switchover(database_url: str) -> None:
    """During which no server of the URL can be written to."""
    name = database_url.partition("@/")[2].partition("?")[0]
    url = f"{database_url}&target_session_attrs=read-write"
    async with run_changefeed(url) as feed, session_factory(SecretStr(url), 2) as sessions:
        with feed.listen(FIGS) as listener, capture_logs() as logs:
            await notified(listener)
            async with connected(database_url) as connection:
                await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            [pid] = await listening_backends(database_url)
            async with connected(database_url) as connection:
                assert await connection.fetchval("SELECT pg_terminate_backend($1)", pid)
            await wait_until(lambda: is_logged(logs, "changefeed.database_unavailable"))
            with pytest.raises(DatabaseUnavailable):
                async with sessions() as session:
                    await session.execute(text("SELECT 1"))
            async with connected(database_url) as connection:
                await connection.execute("SET default_transaction_read_only = off")
                await connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            await notified(listener)


async def test_it_listens_again_after_a_bug(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changefeed, "_connect", None)
    with capture_logs() as logs:
        async with run_changefeed(database_url) as feed:
            with feed.listen(FIGS) as listener:
                await wait_until(lambda: is_logged(logs, "changefeed.crashed"))
                monkeypatch.undo()
                await notified(listener)
    assert any(entry.get("exc_info") for entry in logs)


async def test_every_now_and_then_everybody_looks_anyway(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changefeed, "NOTIFY_ALL_SECONDS", 0.05)
    async with run_changefeed(database_url) as feed:
        with feed.listen(FIGS) as listener:
            await notified(listener)
            first = await listening_backends(database_url)
            for _ in range(3):
                await notified(listener)
                assert await listening_backends(database_url) == first  # on the same connection


class Proxy:
    """A proxy in front of PostgreSQL that can drop all packets, like a firewall that forgot the connection."""

    def __init__(self, server: Path, cut_at: bytes = b"") -> None:
        """`cut_at`: a text of the client, at which the first connection is cut."""
        self._server = server
        self._cut_at = cut_at
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: list[tuple[asyncio.StreamWriter, asyncio.Event]] = []

    def cut(self) -> None:
        """Drops everything on current connections. New connections work."""
        for _, dead in self._connections:
            dead.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(self._server)
        dead = asyncio.Event()
        self._connections += [(writer, dead), (server_writer, dead)]
        for source, target in ((reader, server_writer), (server_reader, writer)):
            self._tasks.add(asyncio.create_task(self._forward(source, target, dead)))

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, dead: asyncio.Event) -> None:
        while data := await source.read(65536):
            if self._cut_at and self._cut_at in data:
                self._cut_at = b""
                dead.set()
            if not dead.is_set():
                target.write(data)

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer, _ in self._connections:
            writer.close()


@pytest.mark.parametrize("cut_at", [b"", b"LISTEN"])
async def test_a_connection_that_dies_silently_is_noticed(
    postgres: Postgres,
    database_url: str,
    sessions: SessionFactory,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    cut_at: bytes,
) -> None:
    """While it waits for notifications, or before it does."""
    monkeypatch.setattr(changefeed, "NOTIFY_ALL_SECONDS", 0.2)
    monkeypatch.setattr(changefeed, "NOTIFY_ALL_SLOTS", 1)
    monkeypatch.setattr(changefeed, "PING_TIMEOUT_SECONDS", 1.0)
    [server] = [path for path in postgres.socket_folder.iterdir() if not path.name.endswith(".lock")]
    folder = tmp_path_factory.mktemp("p")  # a socket's path has a limit
    url = database_url.replace(quote(str(postgres.socket_folder)), quote(str(folder)))
    async with (
        aclosing(Proxy(server, cut_at)) as proxy,
        await asyncio.start_unix_server(proxy.accept, folder / server.name),
        run_changefeed(url) as feed,
    ):
        with feed.listen(FIGS):
            if not cut_at:
                await wait_until(lambda: is_connected(feed))
                proxy.cut()
            before = feed.version(FIGS)
            async with hang_limit():
                for pause in itertools.repeat(0.05):  # until it has reconnected
                    async with sessions.begin() as session:
                        await notify(session, FIGS)
                    await asyncio.sleep(pause)
                    if feed.version(FIGS)[1] > before[1]:
                        break


async def test_it_ends_whatever_it_is_doing(postgres: Postgres, database_url: str, tmp_path: Path) -> None:
    unreachable = f"postgresql://storefleet@/postgres?host={quote(str(tmp_path))}"
    async with hang_limit():
        async with run_changefeed(unreachable):
            await asyncio.sleep(0)
        async with run_changefeed(database_url):
            await asyncio.sleep(0)
        async with run_changefeed(database_url) as feed:
            with feed.listen(FIGS) as listener:
                await notified(listener)
        while await listening_backends(database_url):
            pass
