"""SQLAlchemy's asyncpg dialect behind a transaction pooler, such as PgBouncer.

Each transaction may get another connection to the server. So what is prepared must be used in the same transaction,
and settings hold for one transaction only.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

URL = "postgresql+pooler://"
UNNAMED_STATEMENTS = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: "",
}
"""Arguments of connections. A named statement would stay at one connection to the server, where nothing closes it."""


class PoolerDialect(PGDialect_asyncpg):
    """On a new connection the driver looks types up with prepared statements: this dialect does it in transactions."""

    supports_statement_cache = True

    async def setup_asyncpg_json_codec(self, conn: Any) -> None:
        async with conn.driver_connection.transaction():
            await super().setup_asyncpg_json_codec(conn)  # type: ignore[no-untyped-call]  # SQLAlchemy declares no types

    async def setup_asyncpg_jsonb_codec(self, conn: Any) -> None:
        async with conn.driver_connection.transaction():
            await super().setup_asyncpg_jsonb_codec(conn)  # type: ignore[no-untyped-call]  # as above


def set_in_each_transaction(engine: AsyncEngine, settings: Mapping[str, str]) -> None:
    """Set these settings of the server at the start of each transaction. PgBouncer accepts none on connecting."""
    calls = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(f"SELECT {calls}"))


registry.register("postgresql.pooler", __name__, PoolerDialect.__name__)
