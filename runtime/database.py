"""PostgreSQL: one SQLAlchemy engine per process, and the base class of all tables."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import DateTime, MetaData, Text, Uuid, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

POOL_TIMEOUT_SECONDS = 30.0
"""How long a session waits for a free connection of the pool: a burst of requests is slow, and doesn't fail."""
CONNECT_TIMEOUT_SECONDS = 15.0
"""A burst opens all connections of the pool at the same time: on a busy machine that takes seconds."""
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations" / "versions"

SessionFactory = async_sessionmaker[AsyncSession]


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


def sqlalchemy_url(url: str) -> str:
    """The same URL with the asyncpg driver."""
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


def create_engine(url: SecretStr, pool: int) -> AsyncEngine:
    """An engine with timeouts for connecting, statements, locks and idle transactions."""
    engine = create_async_engine(
        sqlalchemy_url(url.get_secret_value()),
        pool_size=pool,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,  # they hold e-mail addresses and hashes, and errors are logged
        connect_args={
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "server_settings": {
                "application_name": "storefleet",
                "statement_timeout": "10000",
                "lock_timeout": "9000",
                "idle_in_transaction_session_timeout": "15000",
            },
        },
    )
    event.listen(engine.sync_engine, "checkout", _replace_closed)
    return engine


def _replace_closed(connection: DBAPIConnection, _record: object, _proxy: object) -> None:
    """After a restart of PostgreSQL, no request fails: the pool replaces each connection that asyncpg saw close.

    Instead of `pool_pre_ping`, which costs three round trips per session.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the connection was closed while it was idle")


@asynccontextmanager
async def session_factory(url: SecretStr, pool: int) -> AsyncIterator[SessionFactory]:
    """A session factory on its own engine, disposed at the end of the block. Connects at the first query."""
    engine = create_engine(url, pool)
    try:
        yield async_sessionmaker(engine, expire_on_commit=False)
    finally:
        await engine.dispose()


def is_data_error(error: BaseException | None) -> bool:
    """Whether PostgreSQL can't store or compare a value: NUL or half a character in a text, a date out of range."""
    return isinstance(error, DBAPIError) and str(getattr(error.orig, "sqlstate", None) or "").startswith("22")


def head_revision() -> str:
    """The latest migration of this code, e.g. `0004`. An upgrade applies it before it starts the code."""
    return max(path.name.partition("_")[0] for path in MIGRATIONS.glob("[0-9]*.py"))


async def schema_problem(session: AsyncSession) -> str | None:
    """Why this code can't work with the database's schema, or None. Raises SQLAlchemyError or OSError."""
    if await session.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return "the database has no schema yet: run `storefleet migrate`"
    revision = await session.scalar(text("SELECT version_num FROM alembic_version"))
    if revision is None or revision < head_revision():
        return f"the database's schema is at {revision}, this version needs {head_revision()}: run `storefleet migrate`"
    return None
