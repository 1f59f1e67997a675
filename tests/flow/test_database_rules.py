"""The rules that the database enforces, against any defect in a process."""

import asyncio
import os
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr

from cli.migrate import ROOT, upgrade
from runtime.database import Base, create_engine, head_revision
from runtime.sealing import generate_key
from sandbox.postgres import Postgres
from stores.status import FAILABLE, TRANSITIONS, Status
from tests.databases import TEMPLATE
from tests.support.rows import NOW, PROOF, change_store, columns_of, connected, new_account, new_event, new_store

WHERE_IT_FAILED: list[tuple[Status, Status | None]] = [
    *((status, None) for status in Status if status != Status.FAILED),
    *((Status.FAILED, status) for status in FAILABLE),
]


@pytest.fixture(scope="module")
def rules_url(postgres: Postgres) -> Iterator[str]:
    """One database for all tests: each test has its own account, and a database costs more than a test."""
    asyncio.run(_execute(postgres.url, f"CREATE DATABASE rules TEMPLATE {TEMPLATE}"))
    yield postgres.url_of("rules")
    asyncio.run(_execute(postgres.url, "DROP DATABASE rules WITH (FORCE)"))


async def _execute(url: str, statement: str) -> None:
    async with connected(url) as connection:
        await connection.execute(statement)


@pytest.mark.parametrize(("status", "failed_in"), WHERE_IT_FAILED)
async def test_the_database_refuses_exactly_the_moves_that_the_table_lacks(
    rules_url: str, status: Status, failed_in: Status | None
) -> None:
    """A FAILED store goes back to where it failed, or is suspended: which of the table's moves that is, only the row
    knows."""
    async with connected(rules_url) as connection:
        account = await new_account(connection)
        allowed = set()
        for to in set(Status) - {status}:
            store = await new_store(connection, account, **columns_of(status, failed_in))
            refusals = []
            try:
                await change_store(connection, store, **columns_of(to, status if to == Status.FAILED else None))
                allowed.add(to)
            except asyncpg.CheckViolationError as refusal:
                refusals.append(str(refusal))
            assert refusals == ([] if to in allowed else [f"a store cannot go from {status} to {to}"])
            now = await connection.fetchval("SELECT status FROM stores WHERE id = $1", store)
            assert now == (to if to in allowed else status)
    elsewhere = set(FAILABLE) - {failed_in, Status.SUSPENDING} if failed_in is not None else set()
    assert allowed == TRANSITIONS[status] - elsewhere


@pytest.mark.parametrize("status", Status)
async def test_staying_is_no_move(rules_url: str, status: Status) -> None:
    failed_in = Status.UPDATING if status == Status.FAILED else None
    async with connected(rules_url) as connection:
        store = await new_store(connection, await new_account(connection), **columns_of(status, failed_in))
        await change_store(connection, store, status=status.value, name="Another name")
        assert await connection.fetchval("SELECT name FROM stores WHERE id = $1", store) == "Another name"


@pytest.mark.parametrize("failed_in", [None, Status.UPDATING, Status.READY])
async def test_a_store_that_fails_says_where(rules_url: str, failed_in: Status | None) -> None:
    async with connected(rules_url) as connection:
        store = await new_store(connection, await new_account(connection), **columns_of(Status.PROVISIONING))
        with pytest.raises(asyncpg.CheckViolationError, match="fails in PROVISIONING must say so"):
            await change_store(connection, store, **columns_of(Status.FAILED, failed_in))
        await change_store(connection, store, **columns_of(Status.FAILED, Status.PROVISIONING))


@pytest.mark.parametrize("status", [Status.PROVISIONING, Status.UPDATING, Status.RESUMING])
@pytest.mark.parametrize("without", [{name: None} for name in PROOF] + [{"proof_hash": "b2"}, {"spec_hash": "b2"}])
async def test_ready_needs_proof_of_exactly_what_runs(rules_url: str, status: Status, without: dict[str, Any]) -> None:
    async with connected(rules_url) as connection:
        store = await new_store(connection, await new_account(connection), **columns_of(status))
        with pytest.raises(asyncpg.CheckViolationError, match="ck_stores_ready_is_proven"):
            await change_store(connection, store, **columns_of(Status.READY) | without)
        await change_store(connection, store, **columns_of(Status.READY))


async def test_a_ready_store_cant_lose_its_proof(rules_url: str) -> None:
    async with connected(rules_url) as connection:
        store = await new_store(connection, await new_account(connection), **columns_of(Status.READY))
        for changed in ({"spec_hash": "b2"}, {"receipt": None}, {"proof_hash": None, "spec_hash": None}):
            with pytest.raises(asyncpg.CheckViolationError, match="ck_stores_ready_is_proven"):
                await change_store(connection, store, **changed)


@pytest.mark.parametrize(
    ("check", "columns"),
    [
        ("ck_stores_status", {"status": "LOST"}),
        ("ck_stores_desired", {"desired": "MAYBE"}),
        ("ck_stores_health", {"health": "FINE"}),
        ("ck_stores_slug", {"slug": "Fig"}),
        ("ck_stores_slug", {"slug": "fig-"}),
        ("ck_stores_slug", {"slug": "fig\n"}),
        ("ck_stores_slug", {"slug": "f" * 41}),
        ("ck_stores_slug", {"slug": "fig/../admin"}),
        ("ck_stores_name", {"name": ""}),
        ("ck_stores_name", {"name": "🧶" * 81}),
        ("ck_stores_never_forgotten", {"due_at": None}),
        ("ck_stores_delete_wins", {"desired": "DELETED"}),
        ("ck_stores_delete_wins", columns_of(Status.DELETING) | {"desired": "RUNNING"}),
        ("ck_stores_deleted_at", {"deleted_at": NOW}),
        ("ck_stores_deleted_at", columns_of(Status.DELETED) | {"deleted_at": None}),
        ("ck_stores_failed_in", {"failed_in": "PROVISIONING"}),
        ("ck_stores_failed_in", columns_of(Status.FAILED)),
        ("ck_stores_failed_has_cause", columns_of(Status.FAILED, Status.UPDATING) | {"cause": None}),
        ("ck_stores_generation", {"generation": 1, "observed_generation": 2}),
    ],
)
async def test_what_no_store_may_be(rules_url: str, check: str, columns: dict[str, Any]) -> None:
    async with connected(rules_url) as connection:
        account = await new_account(connection)
        with pytest.raises(asyncpg.CheckViolationError, match=check):
            await new_store(connection, account, **columns)
        await new_store(connection, account, name="🧶" * 80, slug="f" * 40)


async def test_a_deleted_store_may_be_forgotten(rules_url: str) -> None:
    async with connected(rules_url) as connection:
        await new_store(connection, await new_account(connection), **columns_of(Status.DELETED), due_at=None)


@pytest.mark.parametrize(
    ("check", "columns"),
    [
        ("ck_events_type", {"type": "RUMOUR"}),
        ("ck_events_step", {"type": "STEP"}),
        ("ck_events_step", {"type": "NOTICE", "step": "{}"}),
    ],
)
async def test_what_no_event_may_be(rules_url: str, check: str, columns: dict[str, Any]) -> None:
    async with connected(rules_url) as connection:
        account = await new_account(connection)
        store = await new_store(connection, account)
        with pytest.raises(asyncpg.CheckViolationError, match=check):
            await new_event(connection, account, store, **columns)
        assert await new_event(connection, account, store, type="STEP", step="{}") == 1  # a refused one has no number


async def test_an_event_cant_choose_its_number(rules_url: str) -> None:
    async with connected(rules_url) as connection:
        account = await new_account(connection)
        store = await new_store(connection, account)
        assert [await new_event(connection, account, store, seq=seq) for seq in (70, -1, 0)] == [1, 2, 3]


async def test_an_account_without_a_stream_has_no_events(rules_url: str) -> None:
    async with connected(rules_url) as connection:
        account = await new_account(connection)
        store = await new_store(connection, account)
        await connection.execute("DELETE FROM account_streams WHERE account_id = $1", account)
        with pytest.raises(asyncpg.NoDataFoundError):
            await new_event(connection, account, store)


async def test_numbers_have_no_gap_under_parallel_transactions(rules_url: str) -> None:
    """Twenty at once on one account, every third rolls back, and each commits at its own pace."""
    async with connected(rules_url) as connection:
        account, other = await new_account(connection), await new_account(connection)
        store, others = await new_store(connection, account), await new_store(connection, other)

    async def write(number: int) -> list[int]:
        async with connected(rules_url) as connection:
            transaction = connection.transaction()
            await transaction.start()
            numbers = []
            for _ in range(1 + number % 4):
                numbers.append(await new_event(connection, account, store))
                await asyncio.sleep(0)  # let the other tasks run
            if number % 3 == 0:
                await transaction.rollback()
                return []
            await new_event(connection, other, others)
            await transaction.commit()
            return numbers

    written = await asyncio.gather(*(write(number) for number in range(20)))
    assert sorted(chain(*written)) == list(range(1, 1 + sum(map(len, written))))
    assert all(numbers == list(range(numbers[0], numbers[0] + len(numbers))) for numbers in written if numbers)
    async with connected(rules_url) as connection:
        for whose in (account, other):
            rows = await connection.fetch("SELECT seq FROM events WHERE account_id = $1 ORDER BY seq", whose)
            last = await connection.fetchval("SELECT seq FROM account_streams WHERE account_id = $1", whose)
            assert [row["seq"] for row in rows] == list(range(1, last + 1))


def test_models_and_migrations_agree(database_url: str) -> None:
    """Alembic finds no table, column, index or constraint that only one of them has."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = database_url
    command.check(config)


async def test_every_check_of_the_models_is_in_the_database_word_for_word(database_url: str) -> None:
    """Alembic doesn't compare CHECKs: the models' own are made beside, and the database's words for both compared."""
    words = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = $1::regnamespace"
    engine = create_engine(SecretStr(database_url), 1).execution_options(schema_translate_map={None: "m"})
    async with connected(database_url) as connection:
        await connection.execute("CREATE SCHEMA m")
        async with engine.begin() as made:
            await made.run_sync(Base.metadata.create_all)
        await engine.dispose()
        migrated, modelled = [
            {row[0]: row[1].replace("REFERENCES m.", "REFERENCES ") for row in await connection.fetch(words, schema)}
            for schema in ("public", "m")
        ]
    assert {name: words for name, words in migrated.items() if not name.startswith("alembic_version")} == modelled
    assert "ck_stores_ready_is_proven" in modelled


OLD_TO_NEW = {"wake": "requeues", "seen_wake": "observed_requeues"}
COUNTERS = "SELECT wake, requeues, seen_wake, observed_requeues FROM stores WHERE id = $1"


@pytest.mark.parametrize(("written", "copied"), [*OLD_TO_NEW.items(), *((new, old) for old, new in OLD_TO_NEW.items())])
async def test_old_and_new_workers_see_each_others_requeues(rules_url: str, written: str, copied: str) -> None:
    """They run side by side during an upgrade: old ones write the old columns, new ones the new columns."""
    async with connected(rules_url) as connection:
        account = await new_account(connection)
        store = await new_store(connection, account)
        counters = dict(await connection.fetchrow(COUNTERS, store))
        assert counters == {"wake": 1, "requeues": 1, "seen_wake": 0, "observed_requeues": 0}
        for column, value in ((written, 2), (copied, 3), (written, 4)):
            await change_store(connection, store, **{column: value})
            assert dict(await connection.fetchrow(COUNTERS, store)) == counters | {written: value, copied: value}
        store = await new_store(connection, account, **{written: 5})
        assert dict(await connection.fetchrow(COUNTERS, store)) == counters | {written: 5, copied: 5}


async def test_the_new_columns_start_with_the_values_of_the_old_ones(postgres: Postgres) -> None:
    await _execute(postgres.url, "CREATE DATABASE counters")
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = url = postgres.url_of("counters")
    await asyncio.to_thread(command.upgrade, config, "0003")
    async with connected(url) as connection:
        store = await new_store(connection, await new_account(connection), wake=7, seen_wake=6)
        await asyncio.to_thread(command.upgrade, config, "0004")
        counters = {"wake": 7, "requeues": 7, "seen_wake": 6, "observed_requeues": 6}
        assert dict(await connection.fetchrow(COUNTERS, store)) == counters
    await _execute(postgres.url, "DROP DATABASE counters WITH (FORCE)")


async def test_parallel_migrations_wait_for_each_other(postgres: Postgres) -> None:
    await _execute(postgres.url, "CREATE DATABASE parallel")
    environment = {
        **os.environ,
        "STOREFLEET_DATABASE_URL": postgres.url_of("parallel"),
        "STOREFLEET_REDIS_URL": "redis://unused",
        "STOREFLEET_ADMIN_KEYS": generate_key(),
    }
    arguments = (sys.executable, "-m", "cli", "migrate")
    processes = [await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, env=environment) for _ in range(3)]
    assert [await process.wait() for process in processes] == [0, 0, 0]
    async with connected(postgres.url_of("parallel")) as connection:
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == head_revision()
        indexes = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
        assert await connection.fetchval(indexes) == 0
    await _execute(postgres.url, "DROP DATABASE parallel WITH (FORCE)")


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    await asyncio.to_thread(upgrade, database_url)
    async with connected(database_url) as connection:
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == head_revision()
