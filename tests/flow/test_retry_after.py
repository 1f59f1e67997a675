"""Who is limited is told after how many seconds the same request may succeed."""

from typing import Any

import pytest

from accounts import passwords
from accounts.throttle import MAX_ATTEMPTS, WINDOW
from tests.support.harness import PASSWORD, Harness

CREATE = """
mutation { createStore(input: {name: "Fig", engine: WOOCOMMERCE}) { userErrors { code retryAfterSeconds } } }
"""
CHANGE_PASSWORD = """
mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code retryAfterSeconds } } }
"""


async def create(api: Harness) -> Any:
    return (await api.client().execute(CREATE))["createStore"]["userErrors"]


@pytest.mark.parametrize("settings", [{"creations_per_hour": 1}], indirect=True)
async def test_creations_an_hour(api: Harness) -> None:
    assert await create(api) == []
    [error] = await create(api)
    assert error["code"] == "RATE_LIMITED"
    assert 3000 < error["retryAfterSeconds"] <= 3600
    await api.sql("UPDATE stores SET created_at = now() - interval '59 minutes 59.5 seconds'")
    errors = await create(api)  # the half second may be over
    assert [error["retryAfterSeconds"] for error in errors] in ([1], [])
    await api.sql("UPDATE stores SET created_at = now() - interval '61 minutes'")
    assert await create(api) == []


@pytest.mark.parametrize("settings", [{"creations_per_hour": 0}], indirect=True)
async def test_no_creation_is_ever_allowed(api: Harness) -> None:
    assert await create(api) == [{"code": "RATE_LIMITED", "retryAfterSeconds": None}]


async def sign_in(api: Harness, password: str, **headers: str) -> Any:
    """The status, the header Retry-After and the first error of a sign-in."""
    user = {"email": "owner@example.com", "password": password}
    async with api.http.post(f"{api.url}/auth/sign-in", json=user, headers=headers) as response:
        errors = (await response.json()).get("errors", [None])
        return response.status, response.headers.get("Retry-After"), errors[0]


async def test_sign_ins(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    status, header, error = await sign_in(api, "wrong")
    assert (status, header, error["retryAfterSeconds"]) == (401, None, None)
    await api.sql("UPDATE sign_in_throttle SET tries = $1", MAX_ATTEMPTS)
    seconds = int(WINDOW.total_seconds())
    status, header, error = await sign_in(api, PASSWORD)
    assert (status, header, error["code"], error["retryAfterSeconds"]) == (429, str(seconds), "RATE_LIMITED", seconds)
    monkeypatch.setattr(passwords, "MAX_QUEUED", 0)
    status, header, error = await sign_in(api, PASSWORD, **{"X-Forwarded-For": "203.0.113.1"})
    assert (status, header, error["code"], error["retryAfterSeconds"]) == (503, "5", "RATE_LIMITED", 5)


async def test_changes_of_the_password(api: Harness) -> None:
    user = {"email": "owner@example.com", "password": PASSWORD}
    async with api.http.post(f"{api.url}/auth/sign-in", json=user) as response:
        [(name, cookie)] = response.cookies.items()
    given = {"currentPassword": "wrong", "newPassword": "another good password"}
    body = {"query": CHANGE_PASSWORD, "variables": {"input": given}}
    for number in range(MAX_ATTEMPTS + 1):
        headers = {"Cookie": f"{name}={cookie.value}"}
        async with api.http.post(f"{api.url}/graphql", json=body, headers=headers) as response:
            [error] = (await response.json())["data"]["changePassword"]["userErrors"]
        limited = number == MAX_ATTEMPTS
        assert error["retryAfterSeconds"] == (int(WINDOW.total_seconds()) if limited else None)
