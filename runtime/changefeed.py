"""The doorbell: a process learns that an account has new events. The events table is the mail.

`ring` inside a transaction, `Changefeed.bell` in whoever waits. A ring may be lost with the connection; so every
bell rings after a reconnect, and every RESYNC_SECONDS anyway. A listener reads the table at each ring.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

CHANNEL = "account_changed"
RESYNC_SECONDS = 30.0
RETRY_SECONDS = 1.0

log = structlog.get_logger()


async def ring(session: AsyncSession, account_id: UUID) -> None:
    """Ring at commit. Postgres folds several rings of one account in one transaction into one."""
    await session.execute(select(func.pg_notify(CHANNEL, str(account_id))))


class Changefeed:
    """One LISTEN connection for the whole process, on a direct (never pooled) database URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._bells: dict[UUID, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def bell(self, account_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set at each ring of the account. Clear it *before* reading what may have changed."""
        bell = asyncio.Event()
        self._bells[account_id].add(bell)
        try:
            yield bell
        finally:
            self._bells[account_id].discard(bell)
            if not self._bells[account_id]:
                del self._bells[account_id]

    def _ring(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        for bell in self._bells.get(UUID(str(payload)), ()):
            bell.set()

    def ring_all(self) -> None:
        """After a gap nobody knows what was missed, so everybody looks."""
        for bells in self._bells.values():
            for bell in bells:
                bell.set()

    async def run(self) -> None:
        """Listen for ever; a lost connection is made again."""
        while True:
            try:
                async with _listening(self._url, self._ring) as lost:
                    self.ring_all()
                    await self._resync_until(lost)
                    log.warning("changefeed.lost", hint="listening again; subscribers read the events table")
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("changefeed.unreachable", error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS * random.uniform(0.5, 1))  # noqa: S311  # jitter, not a secret

    async def _resync_until(self, lost: asyncio.Event) -> None:
        while not lost.is_set():
            try:
                await asyncio.wait_for(lost.wait(), RESYNC_SECONDS)
            except TimeoutError:
                self.ring_all()


@asynccontextmanager
async def _listening(url: str, callback: object) -> AsyncIterator[asyncio.Event]:
    lost = asyncio.Event()
    connection = await asyncpg.connect(
        url, timeout=5, server_settings={"application_name": "storefleet changefeed", "tcp_keepalives_idle": "15"}
    )
    try:
        connection.add_termination_listener(lambda _connection: lost.set())
        await connection.add_listener(CHANNEL, callback)
        yield lost
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
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
