"""SELECT statements that are compiled once and run by the driver itself, for what each request reads.

SQLAlchemy's session spends several times as long on a small statement as PostgreSQL does. So only the pool is used.
Behind a pooler, and after any error, the statement runs in a session instead, which reports the error as all others.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import structlog
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from runtime.database import DatabaseUnavailable, SessionFactory

log = structlog.get_logger()

DIALECT: Any = PGDialect_asyncpg()  # type: ignore[no-untyped-call]  # SQLAlchemy declares no types


class Statement:
    """A SELECT of columns whose values the driver gives as they are, with a `bindparam` for all that differs."""

    def __init__(self, query: Select[*tuple[Any, ...]]) -> None:
        self._query = query

    async def fetch(self, sessions: SessionFactory, **values: Any) -> Sequence[Any]:
        """The rows, with an attribute for each column."""
        text, make_row, arguments = self._prepared
        try:
            records = await sessions.fetch(text, [values.get(name, default) for name, default in arguments])
        except (PoolTimeoutError, DatabaseUnavailable):
            raise  # the session would wait as long again
        except Exception as error:  # the session reports it, or finds that it has passed
            log.info("statement.repeated", error=type(error).__name__)
            records = None
        if records is not None:
            return list(map(make_row, records))
        given = {name: values[name] for name, _ in arguments if name in values}
        async with sessions() as session:
            return (await session.execute(self._query, given)).all()

    @cached_property
    def _prepared(self) -> tuple[str, Callable[[Any], Any], list[tuple[str, Any]]]:
        """The text, a function that makes a row of a record, and the parameters with what stands in the query."""
        compiled: Any = self._query.compile(dialect=DIALECT)
        if compiled.post_compile_params:
            raise TypeError("the text of an IN depends on its values: use `column == any_(…)` instead")
        columns = list(self._query.selected_columns)
        row = namedtuple("row", [column.key for column in columns])  # type: ignore[misc]  # the query has the names
        return str(compiled), row._make, [(name, compiled.params[name]) for name in compiled.positiontup]
