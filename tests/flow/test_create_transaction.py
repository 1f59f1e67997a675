"""createStore locks the account: few statements under the lock, and a queue in front of it."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Engine, event

from cli.client import ClientError
from schema import context
from tests.support.harness import Harness
from tests.support.waiting import wait_until

SMALL_POOL = pytest.mark.parametrize("settings", [{"database_pool": context.MUTATIONS_PER_USER + 1}], indirect=True)


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What SQLAlchemy sends to the database, with each COMMIT and ROLLBACK."""
    sent: list[str] = []

    def executes(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        sent.append(" ".join(statement.split()))

    listeners: dict[str, Callable[..., Any]] = {
        "before_cursor_execute": executes,
        "commit": lambda _connection: sent.append("COMMIT"),
        "rollback": lambda _connection: sent.append("ROLLBACK"),
    }
    for name, listener in listeners.items():
        event.listen(Engine, name, listener)
    yield sent
    for name, listener in listeners.items():
        event.remove(Engine, name, listener)


def under_the_lock(statements: list[str]) -> list[str]:
    """The statements from the one that locks the account to the end of its transaction; their first words."""
    [first] = [number for number, text in enumerate(statements) if "FOR NO KEY UPDATE OF accounts" in text]
    last = next(number for number, text in enumerate(statements) if number > first and text in ("COMMIT", "ROLLBACK"))
    return [text.partition(" ")[0] for text in statements[first : last + 1]]


@pytest.mark.parametrize("more", [{}, {"slug": "a-slug", "adminEmail": "a@example.com", "idempotencyKey": "k"}])
async def test_three_statements_under_the_lock(api: Harness, statements: list[str], more: dict[str, str]) -> None:
    await api.create_store()  # an account's first store also creates its event stream
    statements.clear()
    store = await api.create_store(**more)
    assert under_the_lock(statements) == ["SELECT", "SELECT", "WITH", "COMMIT"]
    assert [step["status"] for step in store["steps"]] == ["PENDING"] * len(store["steps"]) != []


@pytest.mark.parametrize("settings", [{"store_quota": 1}], indirect=True)
async def test_a_refusal_ends_the_lock_at_once(api: Harness, statements: list[str]) -> None:
    await api.create_store()
    statements.clear()
    assert (await api.create_store_payload())["userErrors"][0]["code"] == "QUOTA_EXCEEDED"
    assert under_the_lock(statements) == ["SELECT", "SELECT", "ROLLBACK"]


async def all_wait(api: Harness) -> bool:
    """Whether as many transactions wait for a lock as one user's mutations can."""
    [row] = await api.sql("SELECT count(*) FROM pg_locks WHERE NOT granted")
    return bool(row["count"] == context.MUTATIONS_PER_USER)


@SMALL_POOL
async def test_a_users_burst_leaves_connections_to_others(api: Harness) -> None:
    """While all of one user's creations wait for the lock on the account, another user creates a store."""
    other, _ = await api.sign_up("other@example.com")
    connection = await asyncpg.connect(api.settings.database_url.get_secret_value())
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM accounts WHERE name LIKE 'owner%' FOR UPDATE")
            burst = [asyncio.create_task(api.create_store_payload(name=f"Store {number}")) for number in range(20)]
            await wait_until(partial(all_wait, api))
            assert (await api.create_store_payload(other))["userErrors"] == []
            assert not any(task.done() for task in burst)
    finally:
        await connection.close()
    assert [payload["userErrors"] for payload in await asyncio.gather(*burst)] == [[]] * 20


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "MUTATION_WAIT_SECONDS", 0.05)


async def test_who_waits_too_long_is_told_to_try_again(impatient: None, api: Harness) -> None:
    connection = await asyncpg.connect(api.settings.database_url.get_secret_value())
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM accounts FOR UPDATE")
            first = [asyncio.create_task(api.create_store_payload()) for _ in range(context.MUTATIONS_PER_USER)]
            await wait_until(partial(all_wait, api))
            with pytest.raises(ClientError, match="nothing was done"):
                await api.create_store_payload()
    finally:
        await connection.close()
    assert [payload["userErrors"] for payload in await asyncio.gather(*first)] == [[]] * len(first)
