"""Rows put straight into the tables, for tests of what the database itself does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from stores.status import Status

NOW = datetime.now(UTC)
PROOF = {"proof_hash": "a1", "spec_hash": "a1", "receipt": "{}", "ready_at": NOW, "health": "HEALTHY"}


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def new_account(connection: asyncpg.Connection) -> UUID:
    """With its stream of events."""
    account = uuid4()
    await connection.execute("INSERT INTO accounts (id, name) VALUES ($1, 'Figs')", account)
    await connection.execute("INSERT INTO account_streams (account_id) VALUES ($1)", account)
    return account


async def new_store(connection: asyncpg.Connection, account: UUID, **columns: Any) -> UUID:
    """In REQUESTED unless `columns` say otherwise."""
    store = uuid4()
    row = {
        "id": store,
        "account_id": account,
        "name": "Fig & Olive",
        "slug": f"fig-{store.hex[:8]}",
        "engine": "woocommerce",
        "release": "1",
        "plan": "small",
        "admin_email": "owner@example.com",
        "country": "DE",
        "currency": "EUR",
    } | columns
    await _insert(connection, "stores", row)
    return store


async def new_event(connection: asyncpg.Connection, account: UUID, store: UUID, **columns: Any) -> int:
    """Its number."""
    row = {"account_id": account, "store_id": store, "type": "NOTICE", "status": "REQUESTED", "message": "Hello."}
    number: int = await _insert(connection, "events", row | columns, returning="seq")
    return number


def columns_of(status: Status, failed_in: Status | None = None) -> dict[str, Any]:
    """What a row in that status must have beside it."""
    return {
        "status": status.value,
        "desired": "DELETED" if status in (Status.DELETING, Status.DELETED) else "RUNNING",
        "deleted_at": NOW if status == Status.DELETED else None,
        "failed_in": failed_in.value if failed_in is not None else None,
        "cause": "It broke.",
        **PROOF,
    }


async def change_store(connection: asyncpg.Connection, store: UUID, **columns: Any) -> None:
    settings = ", ".join(f"{name} = ${number}" for number, name in enumerate(columns, 2))
    statement = f"UPDATE stores SET {settings} WHERE id = $1"  # noqa: S608  # columns that a test names
    await connection.execute(statement, store, *columns.values())


async def _insert(connection: asyncpg.Connection, table: str, row: dict[str, Any], returning: str = "NULL") -> Any:
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    names = ", ".join(row)
    statement = f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING {returning}"  # noqa: S608  # the same
    return await connection.fetchval(statement, *row.values())
