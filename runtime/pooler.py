"""SQLAlchemy and asyncpg behind a transaction pooler, such as PgBouncer.

Each transaction may get another connection to the server. So what is prepared must be used in the same transaction,
and settings hold for one transaction only.
"""

from collections.abc import Mapping

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

UNNAMED_STATEMENTS = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: "",
}
"""Arguments of connections. A named statement would stay at one connection to the server, where nothing closes it."""


def set_in_each_transaction(engine: AsyncEngine, settings: Mapping[str, str]) -> None:
    """Set these settings of the server at the start of each transaction. PgBouncer accepts none on connecting."""
    calls = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(f"SELECT {calls}"))
