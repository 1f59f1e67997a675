"""Alembic on the async engine. Two deploys that migrate at once wait for each other."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from runtime.database import Base, sqlalchemy_url
from runtime.settings import load_or_exit
from stores import models  # noqa: F401  # fills the metadata, accounts' included

MIGRATING = 0x53746F7265  # the advisory lock's number: "Store"


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=False)
    with context.begin_transaction():
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATING})"))
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        context.run_migrations()


async def online(url: str) -> None:
    engine = create_async_engine(sqlalchemy_url(url))
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


url = context.config.attributes.get("url") or load_or_exit().database_url.get_secret_value()
asyncio.run(online(url))
