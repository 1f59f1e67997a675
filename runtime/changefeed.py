"""Notifies a process that an account has new events, with PostgreSQL's LISTEN and NOTIFY.

A notification carries no data: the listener reads the events table. Notifications are lost while the connection is
lost; so every listener is notified after a reconnect, and once in every NOTIFY_ALL_SECONDS.
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
from prometheus_client import Gauge
from sqlalchemy import Function, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database_url import connect_arguments
from runtime.jitter import jitter
from runtime.tasks import cancel_and_wait

CHANNEL = "account_changed"
NOTIFY_ALL_SECONDS = 30.0
NOTIFY_ALL_SLOTS = 300
RETRY_SECONDS = 1.0
PING_TIMEOUT_SECONDS = 5.0
UNAVAILABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)
"""What asyncpg raises when it can't connect, or loses a connection. InternalClientError: no server of the URL has its
`target_session_attrs` now, as during a switchover."""

CONNECTED = Gauge(
    "storefleet_changefeed_connected",
    "1: notifications of PostgreSQL arrive; 0: listeners are notified periodically",
)

log = structlog.get_logger()


async def notify(session: AsyncSession, account_id: UUID) -> None:
    """Notify the account's listeners when the transaction commits. PostgreSQL merges equal notifications."""
    await session.execute(select(notification(account_id)))


def notification(account_id: UUID) -> Function[None]:
    """The SQL expression of `notify`, for a statement that does more."""
    return func.pg_notify(CHANNEL, str(account_id))


class Listener:
    """Is notified when an account may have new events. Call `clear` *before* reading the events, then `wait`."""

    def __init__(self, *, only_access: bool) -> None:
        self._notified = asyncio.Event()
        self._only_access = only_access
        self.access_changed = False
        """True: check whether access is still allowed. The user of the listener resets it. Triggers on the tables
        of tokens, sessions and memberships send such notifications."""
        self.slot = random.randrange(NOTIFY_ALL_SLOTS)  # noqa: S311  # jitter, not a secret
        """When in NOTIFY_ALL_SECONDS it is notified: a thousand simultaneous reads would delay each other."""

    def notify(self, *, access_changed: bool) -> None:
        self.access_changed = self.access_changed or access_changed
        if access_changed or not self._only_access:
            self._notified.set()

    def clear(self) -> None:
        self._notified.clear()

    async def wait(self) -> None:
        await self._notified.wait()


class Changefeed:
    """One LISTEN connection per process, on a direct database URL (LISTEN doesn't work through a pooler)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._listeners: dict[UUID, set[Listener]] = defaultdict(set)
        self._all_listeners: set[Listener] = set()
        self._connections = 0
        self.connected = False
        """False: notifications don't arrive, and listeners are notified every NOTIFY_ALL_SECONDS only."""
        self._versions: dict[UUID, int] = {}
        self._version_counter = itertools.count()
        """Counts notifications, and accounts that get their first listener: without one, notifications were missed."""

    @contextmanager
    def listen(self, *account_ids: UUID, only_access: bool = False) -> Iterator[Listener]:
        """A new listener for the accounts, until the end of the block. `only_access`: it isn't notified of events."""
        listener = Listener(only_access=only_access)
        self._all_listeners.add(listener)
        for account_id in account_ids:
            if account_id not in self._listeners:
                self._versions[account_id] = next(self._version_counter)
            self._listeners[account_id].add(listener)
        try:
            yield listener
        finally:
            self._all_listeners.discard(listener)
            for account_id in account_ids:
                self._listeners[account_id].discard(listener)
                if not self._listeners[account_id]:
                    del self._listeners[account_id], self._versions[account_id]

    def version(self, account_id: UUID) -> tuple[int, int]:
        """A value that changes with each notification of the account. The account must have a listener.

        A read that began at an older version may have missed the events of the latest notification.
        """
        return self._connections, self._versions[account_id]

    def notify_all(self) -> None:
        """After a lost connection: every listener may have missed notifications."""
        self._connections += 1
        for listener in self._all_listeners:
            listener.notify(access_changed=True)

    async def run(self) -> None:
        """Runs until it is cancelled: listens and reconnects; also notifies all listeners periodically."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._notify_periodically())

    async def _listen(self) -> None:
        while True:
            try:
                async with _connect(self._url, self._on_notification) as (connection, lost):
                    self._set_connected(True)
                    self.notify_all()
                    await _until_lost(connection, lost)
                    log.warning("changefeed.connection_lost", hint="reconnecting; subscribers read the events table")
            except UNAVAILABLE as error:
                log.warning("changefeed.database_unavailable", error=repr(error))
            except Exception:  # a bug must not end it: subscribers would get nothing more
                log.exception("changefeed.crashed")
            self._set_connected(False)
            await asyncio.sleep(RETRY_SECONDS * jitter())

    async def _notify_periodically(self) -> None:
        for slot in itertools.cycle(range(NOTIFY_ALL_SLOTS)):
            await asyncio.sleep(NOTIFY_ALL_SECONDS / NOTIFY_ALL_SLOTS)
            for listener in self._all_listeners:
                if listener.slot == slot:
                    listener.notify(access_changed=True)

    def _set_connected(self, connected: bool) -> None:
        self.connected = connected
        CONNECTED.set(connected)

    def _on_notification(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        account, _, access = str(payload).partition(" ")
        account_id = UUID(account)
        if account_id in self._listeners:
            self._versions[account_id] = next(self._version_counter)
            for listener in self._listeners[account_id]:
                listener.notify(access_changed=bool(access))


async def _until_lost(connection: asyncpg.Connection, lost: asyncio.Event) -> None:
    """Raises TimeoutError for a dead connection: LISTEN sends nothing, so TCP alone doesn't detect that."""
    while True:
        try:
            await asyncio.wait_for(lost.wait(), NOTIFY_ALL_SECONDS)
        except TimeoutError:
            await connection.execute("SELECT 1", timeout=PING_TIMEOUT_SECONDS)
        else:
            return


@asynccontextmanager
async def _connect(url: str, callback: object) -> AsyncIterator[tuple[asyncpg.Connection, asyncio.Event]]:
    """A connection that listens, and an event that is set when the connection is lost."""
    lost = asyncio.Event()
    connection = await asyncpg.connect(
        **connect_arguments(url, timeout=5),
        command_timeout=PING_TIMEOUT_SECONDS,  # LISTEN may be the first statement that a dead connection doesn't answer
        server_settings={"application_name": "storefleet changefeed", "tcp_keepalives_idle": "15"},
    )
    try:
        connection.add_termination_listener(lambda _connection: lost.set())
        await connection.add_listener(CHANNEL, callback)
        yield connection, lost
    finally:
        connection.terminate()


@asynccontextmanager
async def run_changefeed(url: str) -> AsyncIterator[Changefeed]:
    """A changefeed that runs until the end of the block."""
    changefeed = Changefeed(url)
    task = asyncio.create_task(changefeed.run(), name="changefeed")
    try:
        yield changefeed
    finally:
        await cancel_and_wait(task)
