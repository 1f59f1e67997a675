"""PostgreSQL: one SQLAlchemy engine per process, its errors, and the base class of all tables."""

import socket
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import asyncpg
from pydantic import SecretStr
from sqlalchemy import ARRAY, CollectionAggregate, DateTime, MetaData, Text, Uuid, any_, event, literal, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect, ExceptionContext
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.util import greenlet_spawn

from runtime import pooler
from runtime.database_url import connect_arguments

POOL_TIMEOUT_SECONDS = 30.0
"""How long a session waits for a free connection of the pool: a burst of requests is slow, and doesn't fail."""
CONNECT_TIMEOUT_SECONDS = 15.0
"""A burst opens all connections of the pool at the same time: on a busy machine that takes seconds."""
TIMEOUTS = {
    "statement_timeout": "35000",  # longer than lock_timeout: it counts the wait for locks, too
    "lock_timeout": "30000",
    "idle_in_transaction_session_timeout": "15000",
}
"""Milliseconds."""
ANSWER_TIMEOUT_SECONDS = 40.0
"""How long a statement waits for its answer: longer than the server's own timeouts. The machine of a server that hangs
acknowledges packets, and so does a pooler whose server is gone."""
LOST_SECONDS = 30
"""A connection is lost after so long without a sign of life of the server, as when its machine is gone. By default,
Linux waits a quarter of an hour, and without end for the answer to a query that the server has received."""
KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": LOST_SECONDS * 1000}
SOCKET_OPTIONS = {getattr(socket, name): value for name, value in KEEPALIVE.items() if hasattr(socket, name)}
"""macOS lacks some."""
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations" / "versions"


class SessionFactory:
    """Sessions of one engine: `()` is for reading, and `begin()` is a transaction that is committed at its end.

    A session for reading has no transaction, which would cost two more round trips; each statement sees what is
    committed when it begins, as it would in a transaction. Behind a pooler it has one, for its timeouts.
    """

    def __init__(self, engine: AsyncEngine, *, has_pooler: bool) -> None:
        self._direct = None if has_pooler else engine.sync_engine
        reading = engine if has_pooler else engine.execution_options(isolation_level="AUTOCOMMIT")
        self._reading = async_sessionmaker(reading, expire_on_commit=False)
        self._writing = async_sessionmaker(engine, expire_on_commit=False)

    def __call__(self) -> AsyncSession:
        return self._reading()

    async def fetch(self, text: str, values: Sequence[Any]) -> list[asyncpg.Record] | None:
        """What a SELECT gives, without a session (runtime/statements.py); None: behind a pooler. Raises any error.

        After ANSWER_TIMEOUT_SECONDS the pool replaces this connection. After a session's, it replaces all.
        """
        if self._direct is None:
            return None
        connection = await greenlet_spawn(self._direct.pool.connect)
        try:
            driver: Any = connection.driver_connection
            found: list[asyncpg.Record] = await driver.fetch(text, *values)
            return found
        except TimeoutError as error:
            connection.invalidate(error)
            raise DatabaseUnavailable(repr(error)) from error
        finally:
            connection.close()

    def begin(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self._writing.begin()


class DatabaseUnavailable(Exception):
    """The connection was refused or lost."""


class DatabaseBusy(DatabaseUnavailable):
    """Another transaction held a lock for too long. The transaction was rolled back: nothing was done."""


BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
USELESS = (TimeoutError, asyncpg.ReadOnlySQLTransactionError)
"""The connection is open, but its server hangs, or is no longer the primary."""
CONNECTION_ERRORS = (DatabaseUnavailable, PoolTimeoutError, OSError, TimeoutError)
"""What a query raises when the database can't be reached now: try again later. Each other error is a bug, or bad input,
and must be seen."""


class Base(DeclarativeBase):
    """Base class of all tables. The naming convention makes constraint names predictable for migrations."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text(),
        UUID: Uuid(),
        dict[str, Any]: JSONB(none_as_null=True),
    }


def create_engine(
    url: SecretStr, pool: int, *, has_pooler: bool = False, timeouts: Mapping[str, str] = TIMEOUTS
) -> AsyncEngine:
    """An engine with timeouts for connecting, statements, locks and idle transactions.

    `has_pooler`: the URL leads through a transaction pooler (runtime/pooler.py).
    """
    engine = create_async_engine(
        "postgresql+asyncpg://",
        pool_size=pool,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,  # they hold e-mail addresses and hashes, and errors are logged
        connect_args={
            **connect_arguments(url.get_secret_value(), CONNECT_TIMEOUT_SECONDS),
            "server_settings": {"application_name": "storefleet", **({} if has_pooler else timeouts)},
            **({"command_timeout": ANSWER_TIMEOUT_SECONDS} if timeouts else {}),
            **(pooler.UNNAMED_STATEMENTS if has_pooler else {}),
        },
    )
    event.listen(engine.sync_engine, "do_connect", _connect)
    event.listen(engine.sync_engine, "connect", _keep_alive)
    event.listen(engine.sync_engine, "checkout", _replace_closed)
    event.listen(engine.sync_engine, "handle_error", _translate_error, retval=True)
    if has_pooler:
        pooler.set_in_each_transaction(engine, timeouts)
    return engine


def _connect(dialect: Dialect, _record: object, arguments: tuple[Any, ...], options: dict[str, Any]) -> DBAPIConnection:
    """SQLAlchemy doesn't show these errors to `_translate_error`. Raises DatabaseUnavailable."""
    try:
        return dialect.connect(*arguments, **options)
    except (OSError, TimeoutError) as error:
        raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error


def _translate_error(context: ExceptionContext) -> BaseException | None:
    """DatabaseUnavailable or DatabaseBusy; None: the error as it is, e.g. a CancelledError."""
    error = context.original_exception
    cause = getattr(error, "driver_exception", error)
    if isinstance(cause, USELESS):
        context.is_disconnect = True  # the pool replaces all its connections
    elif context.sqlalchemy_exception is None:
        return None
    is_connecting = context.connection is None
    if is_connecting or context.is_disconnect or isinstance(cause, LOST):
        return DatabaseUnavailable(f"{type(cause).__name__}: {cause}")
    return DatabaseBusy(str(cause)) if isinstance(cause, BUSY) else None


def _keep_alive(connection: DBAPIConnection, _record: object) -> None:
    """As libpq's `keepalives_idle` and `tcp_user_timeout`, which asyncpg doesn't have."""
    peer = connection.driver_connection._transport.get_extra_info("socket")
    if peer.family != socket.AF_UNIX:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in SOCKET_OPTIONS.items():
            peer.setsockopt(socket.IPPROTO_TCP, option, value)


def _replace_closed(connection: DBAPIConnection, _record: object, _proxy: object) -> None:
    """After a restart of PostgreSQL, no request fails: the pool replaces each connection that asyncpg saw close.

    Instead of `pool_pre_ping`, which costs three round trips per session.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the connection was closed while it was idle")


@asynccontextmanager
async def session_factory(url: SecretStr, pool: int, *, has_pooler: bool = False) -> AsyncIterator[SessionFactory]:
    """A session factory on its own engine, disposed at the end of the block. Connects at the first query."""
    engine = create_engine(url, pool, has_pooler=has_pooler)
    try:
        yield SessionFactory(engine, has_pooler=has_pooler)
    finally:
        await engine.dispose()


def any_id(ids: Iterable[UUID]) -> CollectionAggregate[bool]:
    """For `column == any_id(ids)`: one parameter. `in_` makes one of each id, and PostgreSQL takes 32,767."""
    return any_(literal(list(ids), ARRAY(Uuid)))


def is_busy(error: BaseException | None) -> bool:
    """Whether the wait for a lock, or for a connection of the pool, timed out. The transaction did nothing."""
    return isinstance(error, DatabaseBusy | PoolTimeoutError)


NO_DATABASE = "The database can't be reached now. Try again in a moment."
"""What a caller reads after a DatabaseUnavailable."""
DATA_ERROR = "A value can't be stored: a text with NUL or half a character, or a date that is out of range."
"""What a caller reads whose value is_data_error."""


def is_data_error(error: BaseException | None) -> bool:
    """Whether PostgreSQL can't store or compare a value: NUL or half a character in a text, a date out of range."""
    return isinstance(error, DBAPIError) and str(getattr(error.orig, "sqlstate", None) or "").startswith("22")


@cache
def head_revision() -> str:
    """The latest migration of this code, e.g. `0004`. An upgrade applies it before it starts the code."""
    return max(path.name.partition("_")[0] for path in MIGRATIONS.glob("[0-9]*.py"))


async def schema_problem(session: AsyncSession) -> str | None:
    """Why this code can't work with the database's schema, or None. Raises CONNECTION_ERRORS."""
    may_read = await session.scalar(text("SELECT has_table_privilege(to_regclass('alembic_version'), 'SELECT')"))
    if may_read is None:
        return "the database has no schema yet: run `storefleet migrate`"
    if not may_read:
        return "this role may not read the database: run `storefleet migrate` with the URLs of all three roles"
    revision = await session.scalar(text("SELECT version_num FROM alembic_version"))
    if revision is None or revision < head_revision():
        return f"the database's schema is at {revision}, this version needs {head_revision()}: run `storefleet migrate`"
    return None
