"""What a worker does from time to time."""

from typing import Any

import asyncpg
import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from structlog.testing import capture_logs

from runtime.database import SessionFactory, create_engine
from tests.support.harness import Harness
from tests.support.waiting import wait_until
from workers import maintenance
from workers.main import worker_lifespan


async def test_a_worker_deletes_what_ended_long_ago(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """In several transactions, and although another table can't be read."""
    monkeypatch.setattr(maintenance, "MAINTENANCE_SECONDS", 0.01)
    monkeypatch.setattr(maintenance, "BATCH", 2)
    before = failures("api_tokens")
    await api.sql(
        "INSERT INTO sessions (token_hash, user_id, expires_at) SELECT n::text::bytea, users.id, "
        "now() - interval '1 year' FROM generate_series(1, 5) n, users"
    )
    await api.sql("ALTER TABLE api_tokens RENAME revoked_at TO renamed")

    async def is_deleted() -> bool:
        return len(await api.sql("SELECT 1 FROM sessions")) == 1

    async with worker_lifespan(api.worker_settings, api.profile):
        await wait_until(is_deleted)
    assert failures("api_tokens") > before


async def test_a_locked_table_is_counted_and_an_outage_is_not(api: Harness) -> None:
    """The other tables go on; without a database they don't try."""
    url = api.worker_settings.database_url
    before, locked = failures("api_tokens"), await asyncpg.connect(api.settings.database_url.get_secret_value())
    async with locked.transaction():
        await locked.execute("LOCK TABLE api_tokens")
        assert [entry["event"] for entry in await run_once(api, url)] == ["maintenance.database_busy"]
    await locked.close()
    assert failures("api_tokens") == before + 1
    entries = await run_once(api, SecretStr("postgresql://127.0.0.1:1/x"))
    assert [entry["event"] for entry in entries] == ["maintenance.database_unavailable"]
    assert failures("api_tokens") == before + 1


async def run_once(api: Harness, url: SecretStr) -> list[Any]:
    """What a round of maintenance logs. It doesn't wait for locks."""
    engine = create_engine(url, 2, timeouts={"lock_timeout": "10"})
    with capture_logs() as logs:
        await maintenance.delete_expired(SessionFactory(engine, has_pooler=False), api.worker_settings)
    await engine.dispose()
    return list(logs)


def failures(table: str) -> float:
    return REGISTRY.get_sample_value("storefleet_maintenance_failures_total", {"table": table}) or 0
