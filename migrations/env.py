"""Alembic on the async engine. Parallel migrations wait for each other (an advisory lock)."""

import asyncio
import time

from alembic import context
from pydantic import SecretStr
from sqlalchemy import Connection, text

from runtime.database import Base, create_engine, head_revision
from runtime.settings import load_settings_or_exit
from stores import models  # noqa: F401  # registers the tables in the metadata
from stores.database_roles import create_roles, grant_rights
from stores.webhooks import models as webhook_models  # noqa: F401  # also registers tables

LOCK_ID = 0x53746F7265  # "Store"
LOCK_POLL_SECONDS = 0.2


def run(connection: Connection) -> None:
    # a session's lock, because CREATE INDEX CONCURRENTLY commits; polled, because it waits for transactions that wait
    while not connection.scalar(text(f"SELECT pg_try_advisory_lock({LOCK_ID})")):
        connection.rollback()
        time.sleep(LOCK_POLL_SECONDS)
    connection.commit()
    context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=False)
    revision = context.get_context().get_current_revision()
    if revision is not None and revision > head_revision():
        return  # a newer release migrated it; this release works with a newer schema
    with context.begin_transaction():
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        roles = context.config.attributes.get("roles")
        if roles is not None:
            create_roles(connection, roles)  # or nothing is done
        context.run_migrations()
        if roles is not None:
            grant_rights(connection, roles)  # with the last migration: what waits for the schema also has its rights


async def online(url: str) -> None:
    engine = create_engine(SecretStr(url), 1, timeouts={})
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


url = context.config.attributes.get("url") or load_settings_or_exit().direct_database_url.get_secret_value()
asyncio.run(online(url))
