"""Only a lost database is UNAVAILABLE. A programming error is INTERNAL, with a traceback in the log."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from structlog.testing import capture_logs

from cli.client import ClientError
from runtime import database
from runtime.database import (
    BUSY,
    CONNECTION_ERRORS,
    DatabaseBusy,
    DatabaseUnavailable,
    create_engine,
    session_factory,
)
from sandbox.postgres import Postgres
from tests.support.harness import Harness
from tests.support.sockets import closed, open_socket
from tests.support.waiting import hang_limit, wait_until

RENAMES = {
    "/graphql?query={__typename}": "ALTER TABLE api_tokens RENAME scopes TO renamed",
    "/readyz": "ALTER TABLE alembic_version RENAME version_num TO renamed",
    "": "ALTER TABLE stores RENAME name TO renamed",
}
"""A request, and the column that it needs. The status page of a store has its own host."""


@pytest.mark.parametrize("path", RENAMES)
async def test_a_renamed_column_is_logged(api: Harness, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    await api.sql(RENAMES[path])
    headers = {"Authorization": f"Bearer {api.token}"} if path else {"Host": "shop.localhost"}
    async with api.http.get(api.url + path, headers=headers) as response:
        answer = await response.text()
        assert response.status == 500
        assert ("INTERNAL" if path else "One moment, please") in answer
    logged = capsys.readouterr().out
    assert "Traceback" in logged
    assert "UndefinedColumnError" in logged


async def test_a_renamed_column_is_logged_by_a_worker_which_continues(harness: Harness) -> None:
    with capture_logs() as logs:
        await harness.sql("ALTER TABLE stores RENAME due_at TO renamed")

        async def crashed() -> list[Any]:
            return [entry for entry in logs if entry["event"] == "task.crashed" and entry["exc_info"]]

        await wait_until(crashed)
        await harness.sql("ALTER TABLE stores RENAME renamed TO due_at")
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")


async def test_a_renamed_column_closes_open_sockets(api: Harness) -> None:
    """Whether the access still holds can't be checked."""
    socket = await open_socket(api, api.token)
    await api.sql("ALTER TABLE api_tokens RENAME scopes TO renamed")
    with capture_logs() as logs:
        await api.sql("UPDATE api_tokens SET revoked_at = now() + interval '1 hour'")
        assert (await closed(socket))[0] == 1011
    assert [entry["event"] for entry in logs if entry.get("exc_info")] == ["access_check.failed"]


async def test_a_lost_or_refused_connection_is_database_unavailable(api: Harness) -> None:
    url = api.settings.database_url
    engine = create_engine(url, 2)
    async with engine.connect() as connection:
        pid = await connection.scalar(text("SELECT pg_backend_pid()"))
        await api.sql("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(DatabaseUnavailable):
            await connection.execute(text("SELECT 1"))
    await engine.dispose()
    wrong = url.get_secret_value().replace("/test_", "/missing_")
    for refused in (wrong, "postgresql://127.0.0.1:1/x"):
        engine = create_engine(type(url)(refused), 2)
        with pytest.raises(CONNECTION_ERRORS):
            await engine.connect()
        await engine.dispose()


async def test_a_lock_timeout_is_database_busy(api: Harness) -> None:
    engine = create_engine(api.settings.database_url, 2, timeouts={"lock_timeout": "10"})
    async with engine.begin() as first, engine.connect() as second:
        await first.execute(text("LOCK TABLE stores"))
        with pytest.raises(DatabaseBusy, match="lock timeout"):
            await second.execute(text("SELECT FROM stores"))
    await engine.dispose()
    assert not issubclass(asyncio.CancelledError, CONNECTION_ERRORS + BUSY)


async def test_connections_to_a_server_that_is_no_longer_the_primary_are_replaced(api: Harness) -> None:
    """They were made while a standby had the primary's address, as during a switchover."""
    [(name,)] = await api.sql("SELECT current_database()")
    await api.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")  # of new connections
    await api.sql(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with pytest.raises(ClientError, match="can't be reached now"):
        await api.create_store()
    await api.sql(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert (await api.create_store())["status"] == "REQUESTED"


async def test_a_server_that_hangs_is_given_up(
    database_url: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel of its machine still acknowledges packets."""
    monkeypatch.setattr(database, "ANSWER_TIMEOUT_SECONDS", 0.5)
    async with hang_limit(), session_factory(SecretStr(database_url), 2) as sessions:

        async def ask() -> None:
            async with sessions.begin() as session:
                await session.execute(text("SELECT 1"))

        await asyncio.gather(ask(), sessions.fetch("SELECT 1", []))
        postgres.pause()
        try:
            asked = await asyncio.gather(ask(), sessions.fetch("SELECT 1", []), return_exceptions=True)
            assert [type(error) for error in asked] == [DatabaseUnavailable] * 2
        finally:
            postgres.resume()
        monkeypatch.undo()
        await asyncio.gather(ask(), sessions.fetch("SELECT 1", []))
