"""The doorbell: a process learns that an account has new events. The events table is the mail.

`ring` inside a transaction, `Changefeed.bell` in whoever waits. A ring may be lost with the connection; so every
bell rings after a reconnect, and every RESYNC_SECONDS anyway, each in its turn. A listener reads the table then.
"""

import asyncio
import itertools
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.tasks import end

CHANNEL = "account_changed"
RESYNC_SECONDS = 30.0
RETRY_SECONDS = 1.0
TURNS = 300
PING_SECONDS = 5.0

log = structlog.get_logger()


async def ring(session: AsyncSession, account_id: UUID, *, access: bool = False) -> None:
    """Ring at commit. `access`: who may listen has changed, too. Postgres folds a transaction's equal rings."""
    await session.execute(select(func.pg_notify(CHANNEL, f"{account_id} access" if access else str(account_id))))


class Bell:
    """Rung when an account may have something new. Clear it *before* reading what that is."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.access_changed = False
        """Whether the listener's right to listen is to be checked again; the listener resets it."""
        self.turn = random.randrange(TURNS)  # noqa: S311  # spread, not a secret
        """When in a resync it is rung: a thousand that read at once keep each other waiting for seconds."""

    def ring(self, *, access: bool) -> None:
        self.access_changed = self.access_changed or access
        self._rung.set()

    def clear(self) -> None:
        self._rung.clear()

    async def wait(self) -> None:
        await self._rung.wait()


class Changefeed:
    """One LISTEN connection for the whole process, on a direct (never pooled) database URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._bells: dict[UUID, set[Bell]] = defaultdict(set)
        self._connections = 0
        self._rings: dict[UUID, int] = {}
        self._numbers = itertools.count()
        """Of rings, and of accounts that get their first bell: after a time without one, rings went unheard."""

    @contextmanager
    def bell(self, account_id: UUID) -> Iterator[Bell]:
        """A bell of one's own for that account."""
        bell = Bell()
        if account_id not in self._bells:
            self._rings[account_id] = next(self._numbers)
        self._bells[account_id].add(bell)
        try:
            yield bell
        finally:
            self._bells[account_id].discard(bell)
            if not self._bells[account_id]:
                del self._bells[account_id], self._rings[account_id]

    def heard(self, account_id: UUID) -> tuple[int, int]:
        """Another value after each ring; there must be a bell for the account.

        What was read before a ring says nothing about what came with it.
        """
        return self._connections, self._rings[account_id]

    def _ring(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        account_id, _, access = str(payload).partition(" ")
        account = UUID(account_id)
        if account in self._bells:
            self._rings[account] = next(self._numbers)
            for bell in self._bells[account]:
                bell.ring(access=bool(access))

    def ring_all(self) -> None:
        """After a gap nobody knows what was missed, so everybody looks."""
        self._connections += 1
        for bells in self._bells.values():
            for bell in bells:
                bell.ring(access=True)

    async def run(self) -> None:
        """Listen for ever; a lost connection is made again."""
        while True:
            try:
                async with _listening(self._url, self._ring) as (connection, lost):
                    self.ring_all()
                    await self._resync_until(connection, lost)
                    log.warning("changefeed.lost", hint="listening again; subscribers read the events table")
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("changefeed.unreachable", error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS * random.uniform(0.5, 1))  # noqa: S311  # jitter, not a secret

    async def _resync_until(self, connection: asyncpg.Connection, lost: asyncio.Event) -> None:
        """Raises TimeoutError when the connection has died silently: a listener never sends, so it never notices."""
        for turn in itertools.cycle(range(TURNS)):
            try:
                await asyncio.wait_for(lost.wait(), RESYNC_SECONDS / TURNS)
            except TimeoutError:
                self._ring_turn(turn)
                if turn == 0:
                    await connection.execute("SELECT 1", timeout=PING_SECONDS)
            else:
                return

    def _ring_turn(self, turn: int) -> None:
        for bells in self._bells.values():
            for bell in bells:
                if bell.turn == turn:
                    bell.ring(access=True)


@asynccontextmanager
async def _listening(url: str, callback: object) -> AsyncIterator[tuple[asyncpg.Connection, asyncio.Event]]:
    lost = asyncio.Event()
    connection = await asyncpg.connect(
        url, timeout=5, server_settings={"application_name": "storefleet changefeed", "tcp_keepalives_idle": "15"}
    )
    try:
        connection.add_termination_listener(lambda _connection: lost.set())
        await connection.add_listener(CHANNEL, callback)
        yield connection, lost
    finally:
        connection.terminate()


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Changefeed]:
    """A changefeed that runs until the end of the block."""
    feed = Changefeed(url)
    task = asyncio.create_task(feed.run(), name="changefeed")
    try:
        yield feed
    finally:
        await end(task)
