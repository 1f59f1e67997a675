"""SELECT statements that are compiled once and run by the driver itself, for what each request reads.

SQLAlchemy spends several times as long on a small statement as PostgreSQL does. Its session still gives the connection
and the pool. In a transaction, behind a pooler and after any error the statement runs in the usual way instead.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import asyncpg
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

DIALECT: Any = PGDialect_asyncpg()  # type: ignore[no-untyped-call]  # SQLAlchemy declares no types


class Statement:
    """A SELECT of columns whose values the driver gives as they are, with a `bindparam` for all that differs."""

    def __init__(self, query: Select[*tuple[Any, ...]]) -> None:
        self._query = query

    async def fetch(self, session: AsyncSession, **values: Any) -> Sequence[Any]:
        """The rows, with an attribute for each column."""
        text, make_row, arguments = self._prepared
        proxied = await (await session.connection()).get_raw_connection()
        connection: Any = proxied.dbapi_connection
        if connection.autocommit:
            try:
                records = await connection.driver_connection.fetch(
                    text, *[values.get(name, default) for name, default in arguments]
                )
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                pass  # the session reports the error as all others, or finds that it has passed
            else:
                return list(map(make_row, records))
        return (
            await session.execute(self._query, {name: values[name] for name, _ in arguments if name in values})
        ).all()

    @cached_property
    def _prepared(self) -> tuple[str, Callable[[Any], Any], list[tuple[str, Any]]]:
        """The text, a function that makes a row of a record, and the parameters with what stands in the query."""
        compiled: Any = self._query.compile(dialect=DIALECT)
        columns = list(self._query.selected_columns)
        row = namedtuple("row", [column.key for column in columns])  # type: ignore[misc]  # the query has the names
        return str(compiled), row._make, [(name, compiled.params[name]) for name in compiled.positiontup]
