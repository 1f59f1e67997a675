"""Behind a transaction pooler: each transaction may get another connection to the server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from runtime import database
from runtime.database import TIMEOUTS, DatabaseUnavailable, session_factory
from sandbox.postgres import Postgres
from tests.support.harness import run_harness
from tests.support.pgbouncer import POOL_SIZE, find_pgbouncer, run_pgbouncer
from tests.support.waiting import hang_limit


@pytest.fixture
def pooler_url(database_url: str) -> Iterator[str]:
    """The test's database through PgBouncer."""
    find_pgbouncer()
    # a short path, because that of a socket has at most 107 bytes; one that the user nobody can enter
    with TemporaryDirectory(prefix="pgbouncer-") as folder:
        Path(folder).chmod(0o755)
        with run_pgbouncer(database_url, Path(folder) / "run") as url:
            yield url


async def test_a_store_gets_ready_behind_a_pooler(
    pooler_url: str, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """Many requests share two connections of the server; notifications come by the direct URL."""
    listen = SecretStr(database_url)
    async with run_harness(pooler_url, redis_url, tmp_path, database_listen_url=listen) as harness:
        store = await harness.create_store()
        viewer = "{ viewer { user { email } accounts { tokens { id } } } }"
        answers = await asyncio.gather(*(harness.client().execute(viewer) for _ in range(100)))
        assert {answer["viewer"]["user"]["email"] for answer in answers} == {"owner@example.com"}
        events = await harness.wait_for_status(store["id"], "READY")
        assert events[-1]["status"] == "READY"
        names = await harness.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'storefleet'")
        assert 0 < names[0]["count"] <= POOL_SIZE


async def test_the_timeouts_hold_behind_a_pooler_and_end_with_the_transaction(pooler_url: str) -> None:
    async with session_factory(SecretStr(pooler_url), 20, has_pooler=True) as sessions:

        async def in_a_transaction() -> dict[str, str]:
            query = text("SELECT name, setting FROM pg_settings WHERE name LIKE '%timeout%'")
            async with sessions() as session:
                return {name: value for name, value in await session.execute(query) if name in TIMEOUTS}

        for settings in await asyncio.gather(*(in_a_transaction() for _ in range(20))):
            assert settings == dict(TIMEOUTS)
    async with session_factory(SecretStr(pooler_url), 2, has_pooler=True) as sessions, sessions() as session:
        left = await session.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
    assert left == 0


async def test_a_new_connection_to_a_pooler_whose_server_hangs_is_given_up(
    pooler_url: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pooler itself accepts the connection."""
    monkeypatch.setattr(database, "ANSWER_TIMEOUT_SECONDS", 0.5)

    async def ask() -> None:
        async with (
            session_factory(SecretStr(pooler_url), 1, has_pooler=True) as sessions,
            sessions() as session,
        ):
            await session.execute(text("SELECT 1"))

    async with hang_limit():
        await ask()
        postgres.pause()
        try:
            with pytest.raises(DatabaseUnavailable):
                await ask()
        finally:
            postgres.resume()


async def test_without_the_setting_a_pooler_is_detected_at_start(
    pooler_url: str, redis_url: str, tmp_path: Path
) -> None:
    """PgBouncer refuses the timeouts, which it can't keep apart for each client."""
    async with (
        run_harness(pooler_url, redis_url, tmp_path, worker=False, sign_up="closed") as harness,
        harness.http.get(f"{harness.url}/readyz") as response,
    ):
        assert (response.status, (await response.json())["reason"]) == (503, "the database can't be reached")
