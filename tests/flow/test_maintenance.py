"""What a worker does from time to time."""

import pytest

from tests.support.harness import Harness
from tests.support.waiting import wait_until
from workers import main


async def test_a_worker_deletes_what_ended_long_ago(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "MAINTENANCE_SECONDS", 0.01)
    await api.sign_in()
    newest = "SELECT max(id::text)::uuid FROM sessions"
    await api.sql(f"UPDATE sessions SET expires_at = now() - interval '1 year' WHERE id = ({newest})")  # noqa: S608  # ours
    assert len(await api.sql("SELECT 1 FROM sessions")) == 2

    async def is_deleted() -> bool:
        return len(await api.sql("SELECT 1 FROM sessions")) == 1

    async with main.worker_lifespan(api.worker_settings, api.profile):
        await wait_until(is_deleted)
