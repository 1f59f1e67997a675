"""`storefleet smoke-test`, as `helm test` runs it."""

import pytest

from runtime import settings
from tests.support.cli import run_storefleet
from tests.support.harness import Harness, process_environment
from tests.support.processes import start_storefleet
from tests.support.waiting import wait_until

TOKENS = "SELECT revoked_at IS NOT NULL AS revoked FROM api_tokens WHERE name = 'smoke-test'"


@pytest.fixture
def environment(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a process of this platform."""
    settings.load_settings.cache_clear()
    for name, value in process_environment(harness.api_settings).items():
        monkeypatch.setenv(name, value)


async def statuses(harness: Harness) -> list[str]:
    return [row["status"] for row in await harness.sql("SELECT status FROM stores ORDER BY created_at")]


@pytest.mark.usefixtures("environment")
async def test_it_leaves_nothing_but_its_user(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        assert await run_storefleet(harness, monkeypatch, "smoke-test") == 0
        output = capsys.readouterr().out
        assert "createStore → Smoke test" in output
        assert "receipt" in output
        assert await statuses(harness) == ["DELETED"] * number
        assert [row["revoked"] for row in await harness.sql(TOKENS)] == [True] * number
    assert len(await harness.sql("SELECT FROM users WHERE email = 'smoke-test@example.com'")) == 1


@pytest.mark.usefixtures("environment")
async def test_a_store_that_fails_fails_the_test_and_is_deleted(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await harness.set_faults({"fault": "image", "component": "web"})
    assert await run_storefleet(harness, monkeypatch, "smoke-test", "--engine", "WOOCOMMERCE") == 1
    assert "failed" in capsys.readouterr().out
    assert await statuses(harness) == ["DELETED"]


@pytest.mark.usefixtures("environment")
async def test_it_deletes_what_a_killed_test_left(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = process_environment(harness.api_settings)
    killed = await start_storefleet("smoke-test", "--url", harness.url, environment=environment)
    harness.processes.append(killed)
    await wait_until(lambda: statuses(harness))
    killed.kill()
    assert await run_storefleet(harness, monkeypatch, "smoke-test") == 0
    assert await statuses(harness) == ["DELETED", "DELETED"]


@pytest.mark.usefixtures("environment")
async def test_an_error_of_the_api_is_reported(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run_storefleet(harness, monkeypatch, "smoke-test", "--engine", "NONE") == 1
    assert "NONE" in capsys.readouterr().err
    assert all(row["revoked"] for row in await harness.sql(TOKENS))
