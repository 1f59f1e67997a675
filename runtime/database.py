"""The connection to Postgres: one engine a process, short transactions, and the base of all tables."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import DateTime, MetaData, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

SCHEMA_REVISION = "0001"
"""The oldest migration this code can live with; newer ones expand, so they do no harm."""

Sessions = async_sessionmaker[AsyncSession]


class Base(DeclarativeBase):
    """All tables. Names of constraints follow one rule, so that migrations can name what they change."""

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
    """The same URL with the driver that we use."""
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


def open_engine(url: SecretStr, pool: int) -> AsyncEngine:
    """An engine whose statements, locks and idle transactions all end by themselves."""
    return create_async_engine(
        sqlalchemy_url(url.get_secret_value()),
        pool_size=pool,
        max_overflow=0,
        pool_pre_ping=True,  # a restarted Postgres costs a ping, not a failed request
        pool_timeout=10,
        connect_args={
            "timeout": 5,
            "server_settings": {
                "application_name": "storefleet",
                "statement_timeout": "10000",
                "lock_timeout": "9000",
                "idle_in_transaction_session_timeout": "15000",
            },
        },
    )


@asynccontextmanager
async def connect(url: SecretStr, pool: int) -> AsyncIterator[Sessions]:
    """Sessions on one engine, disposed of at the end. Connects when first used."""
    engine = open_engine(url, pool)
    try:
        yield async_sessionmaker(engine, expire_on_commit=False)
    finally:
        await engine.dispose()


async def schema_problem(session: AsyncSession) -> str | None:
    """Why this code can't work with the database's schema, or None. Raises what the driver raises without database."""
    if await session.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return "the database has no schema yet: run `storefleet migrate`"
    revision = await session.scalar(text("SELECT version_num FROM alembic_version"))
    if revision is None or revision < SCHEMA_REVISION:
        return f"the database's schema is at {revision}, this version needs {SCHEMA_REVISION}: run `storefleet migrate`"
    return None
