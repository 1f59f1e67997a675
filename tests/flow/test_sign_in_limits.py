"""Sign-in under attack: others can't lock an owner out, and a password check that waits holds nothing."""

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from accounts import passwords, throttle, users
from runtime.concurrency_limiter import ConcurrencyLimiter
from tests.support.harness import PASSWORD, Harness
from tests.support.waiting import wait_until

OWNER = "owner@example.com"


async def sign_in(api: Harness, password: str, address: str) -> tuple[int, str | None]:
    """The status and Retry-After of a sign-in from that address."""
    body, headers = {"email": OWNER, "password": password}, {"X-Forwarded-For": address}
    async with api.http.post(f"{api.url}/auth/sign-in", json=body, headers=headers) as response:
        return response.status, response.headers.get("Retry-After")


async def test_wrong_passwords_from_elsewhere_do_not_lock_the_owner_out(api: Harness) -> None:
    for number in range(12):
        assert (await sign_in(api, "wrong", f"203.0.113.{number % 2}"))[0] == 401
    assert (await sign_in(api, PASSWORD, "198.51.100.1"))[0] == 200


async def test_one_address_has_ten_attempts_and_all_together_a_hundred(api: Harness) -> None:
    assert [(await sign_in(api, "wrong", "203.0.113.9"))[0] for _ in range(11)] == [401] * 10 + [429]
    await api.sql(
        "UPDATE sign_in_throttle SET tries = $1 WHERE key LIKE 'email:%'", throttle.MAX_ATTEMPTS_PER_EMAIL - 1
    )
    assert (await sign_in(api, "wrong", "203.0.113.10"))[0] == 401
    assert await sign_in(api, PASSWORD, "203.0.113.11") == (429, "900")


async def test_passwords_that_wait_hold_no_database_connection(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, waiting = asyncio.Event(), 0

    async def slow(*_: object) -> bool:
        nonlocal waiting
        waiting += 1
        await go_on.wait()
        return False

    monkeypatch.setattr(users, "verify_password", slow)
    several = api.settings.database_pool * 3
    attempts = [asyncio.create_task(sign_in(api, "wrong", f"203.0.113.{number}")) for number in range(several)]

    async def all_wait() -> bool:
        return waiting == several

    await wait_until(all_wait)
    viewer = await api.client().execute("{ viewer { user { email } } }")
    assert viewer["viewer"]["user"]["email"] == OWNER
    go_on.set()
    assert {status for status, _ in await asyncio.gather(*attempts)} == {401}


async def test_a_sign_in_does_not_wait_for_all_others(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database doesn't answer, each of them would wait until the one before it has given up."""
    app: Any = api.server.config.app
    platform = replace(app.state.platform, sign_in_limiter=ConcurrencyLimiter(1, 0.01))
    monkeypatch.setattr(app.state, "platform", platform)

    async def is_waiting() -> object:
        return await api.sql("SELECT 1 FROM pg_locks WHERE relation = 'sign_in_throttle'::regclass AND NOT granted")

    lock = await asyncpg.connect(api.settings.database_url.get_secret_value())
    async with lock.transaction():
        await lock.execute("LOCK TABLE sign_in_throttle IN ACCESS EXCLUSIVE MODE")
        first = asyncio.create_task(sign_in(api, PASSWORD, "203.0.113.1"))
        await wait_until(is_waiting)
        with capture_logs() as logs:
            assert await sign_in(api, PASSWORD, "203.0.113.2") == (503, "5")
        assert "request.database_busy" in [entry["event"] for entry in logs]
    await lock.close()
    assert (await first)[0] == 200


async def test_a_full_queue_of_passwords_says_when_to_come_again(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MAX_QUEUED", 0)
    assert await sign_in(api, PASSWORD, "203.0.113.1") == (503, "5")
    sign_up = {"email": "new@example.com", "password": PASSWORD}
    async with api.http.post(f"{api.url}/auth/sign-up", json=sign_up) as response:
        assert response.status == 503
