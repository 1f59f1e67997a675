"""What a worker does from time to time."""

import pytest
from prometheus_client import REGISTRY

from tests.support.harness import Harness
from tests.support.waiting import wait_until
from workers import maintenance
from workers.main import worker_lifespan


async def test_a_worker_deletes_what_ended_long_ago(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """In several transactions, and although another table can't be read."""
    monkeypatch.setattr(maintenance, "MAINTENANCE_SECONDS", 0.01)
    monkeypatch.setattr(maintenance, "BATCH", 2)
    await api.sql(
        "INSERT INTO sessions (token_hash, user_id, expires_at) SELECT n::text::bytea, users.id, "
        "now() - interval '1 year' FROM generate_series(1, 5) n, users"
    )
    await api.sql("ALTER TABLE api_tokens RENAME revoked_at TO renamed")

    async def is_deleted() -> bool:
        return len(await api.sql("SELECT 1 FROM sessions")) == 1

    async with worker_lifespan(api.worker_settings, api.profile):
        await wait_until(is_deleted)
    assert REGISTRY.get_sample_value("storefleet_maintenance_failures_total", {"table": "api_tokens"})
