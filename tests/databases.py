"""Migrated databases for tests. A database that a test gave back is emptied and used again, unless its schema changed.

To copy and to drop a database costs 25 to 100 ms of CPU, because of its 330 files; to empty one costs 5 ms.
"""

import asyncio
import fcntl
import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import asyncpg

from cli.migrate import upgrade
from sandbox.postgres import Postgres, start_postgres
from stores.database_roles import RoleUrls

TEMPLATE = "migrated"
"""The name of a migrated database with rights for the roles. No test writes to it."""
MANY_ROWS = 2000
"""A database that had more rows isn't used again: PostgreSQL keeps deleted rows for a while, and queries read them."""
CATALOGS = (
    *("pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_default_acl", "pg_enum", "pg_event_trigger"),
    *("pg_extension", "pg_index", "pg_namespace", "pg_policy", "pg_proc", "pg_rewrite", "pg_trigger", "pg_type"),
)
SCHEMA = " UNION ALL ".join(
    f"SELECT count(*)::text || ' ' || max(xmin::text::int8) AS schema FROM {catalog}"  # noqa: S608  # our list
    for catalog in CATALOGS
)
"""How many rows each catalog has, and which is the newest. A change of the schema or of rights changes a row."""
REVISION = "SELECT version_num FROM alembic_version"
OTHERS = (
    "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
    "AND relname <> 'alembic_version'"
)
SEQUENCES = "SELECT setval(seqrelid, seqstart, false) FROM pg_sequence"


def copy_prepared_postgres(prepared: Path, data: Path) -> None:
    """Make DATA/postgres, which contains the template. Raises SandboxError.

    The first process of a run prepares it, and all copy the files: initdb and migrations take 3 s of CPU, a copy 0.1 s.
    """
    prepared.mkdir(mode=0o711, exist_ok=True)
    with (prepared / "copies").open("w") as copies:
        fcntl.flock(copies, fcntl.LOCK_EX)
        complete = prepared / "complete"
        if not complete.exists():
            server = start_postgres(prepared, durable=False)
            try:
                asyncio.run(_execute(server.url, f"CREATE DATABASE {TEMPLATE}"))
                roles = RoleUrls(*(server.url_of(TEMPLATE, f"storefleet_{name}") for name in RoleUrls._fields))
                upgrade(server.url_of(TEMPLATE), roles)
            finally:
                server.stop()
            complete.touch()
        subprocess.run(["cp", "-a", prepared / "postgres", data / "postgres"], check=True)


@dataclass
class Databases:
    """The databases of one server, which has the template."""

    server: Postgres
    _free: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @cached_property
    def _template_schema(self) -> list[asyncpg.Record]:
        return asyncio.run(_execute(self.server.url_of(TEMPLATE), SCHEMA))

    @cached_property
    def _template_revision(self) -> list[asyncpg.Record]:
        return asyncio.run(_execute(self.server.url_of(TEMPLATE), REVISION))

    def take(self) -> str:
        """The name of a migrated database without rows."""
        assert self._template_schema
        assert self._template_revision
        if self._free:
            return self._free.pop()
        name = f"test_{next(self._numbers)}"
        create = f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY"  # the default writes 7 MB of WAL
        asyncio.run(_execute(self.server.url, create))
        return name

    def give_back(self, name: str) -> None:
        """End all connections to a database, and empty it for the next test, or drop it."""
        if asyncio.run(self._empty(name)):
            self._free.append(name)
        else:
            asyncio.run(_execute(self.server.url, f"DROP DATABASE {name} WITH (FORCE)"))

    async def _empty(self, name: str) -> bool:
        """Whether the database can be used again."""
        connection = await asyncpg.connect(self.server.url_of(name))
        try:
            await connection.execute("SET session_replication_role = replica")  # no triggers, no foreign keys
            await connection.fetch(OTHERS)
            if await connection.fetch(SCHEMA) != self._template_schema:
                return False
            if await connection.fetch(REVISION) != self._template_revision:
                return False
            tables = [row["relname"] for row in await connection.fetch(TABLES)]
            deletions = ", ".join(f"{table}_ AS (DELETE FROM {table} RETURNING 1)" for table in tables)  # noqa: S608  # ours
            rows = " UNION ALL ".join(f"SELECT 1 FROM {table}_" for table in tables)  # noqa: S608  # ours
            deleted = await connection.fetch(f"WITH {deletions} {rows} LIMIT {MANY_ROWS}")
            await connection.fetch(SEQUENCES)
            return len(deleted) < MANY_ROWS
        finally:
            await connection.close()


async def _execute(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(statement)
        return rows
    finally:
        await connection.close()
