"""Points of operations, and budgets a minute: they refuse only the caller who used them up."""

import asyncio
import json
from typing import Any

import pytest
from redis.asyncio import Redis

from api import admission
from api.websocket_protocol import BURST, FLOODING
from runtime.budgets import Budget, Budgets
from sandbox.valkey import Valkey
from tests.support.harness import Harness
from tests.support.sockets import closed, open_socket, run_operation
from tests.support.waiting import wait_until

VIEWER = "{ viewer { user { email } } }"
PAGE = "{ stores(first: 100) { nodes { id } } }"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MIN_PAUSE_SECONDS", 0.0)


def limits(**points: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("settings", [points], indirect=True)


async def ask(api: Harness, query: str, token: str = "", address: str = "203.0.113.1") -> tuple[int, Any, Any]:
    """Status, answer and headers. `address`: of the client."""
    headers = {"X-Forwarded-For": address} | ({"Authorization": f"Bearer {token}"} if token else {})
    async with api.http.post(f"{api.url}/graphql", json={"query": query}, headers=headers) as response:
        return response.status, await response.json(), response.headers


@limits(points_per_minute=1000, account_points_per_minute=10_000)
async def test_each_answer_says_what_is_left_until_nothing_is(api: Harness) -> None:
    status, answer, headers = await ask(api, PAGE, api.token)
    cost = answer["extensions"]["cost"]
    assert (status, cost["requested"], cost["limit"]) == (200, 101, 1000)
    assert 0 < cost["remaining"] < 1000
    assert cost["resetAt"] > "2020"
    assert headers["RateLimit-Policy"] == '"token";q=1000;w=60, "account";q=10000;w=60'
    assert headers["RateLimit"].startswith('"token";r=')
    while status == 200:
        status, answer, headers = await ask(api, PAGE, api.token)
    error = answer["errors"][0]["extensions"]
    assert (status, error["code"], headers["Retry-After"]) == (429, "RATE_LIMITED", str(error["retryAfterSeconds"]))
    assert '"token";r=0;' in headers["RateLimit"]
    # another token of the account, a session of the user, and an anonymous caller aren't hindered
    other, _ = await api.sign_up("other@example.com")
    assert (await ask(api, VIEWER, other))[0] == 200
    assert (await ask(api, VIEWER))[0] == 200


@limits(account_points_per_minute=150)
async def test_the_tokens_of_an_account_share_its_budget(api: Harness) -> None:
    token = 'mutation { createApiToken(input: {name: "second", scopes: [READ]}) { secret } }'
    second = (await api.client().execute(token))["createApiToken"]["secret"]
    for _ in range(2):
        assert (await ask(api, PAGE, api.token))[0] == 200
    assert (await ask(api, VIEWER, second))[0] == 200  # its first request: the process doesn't know the token
    assert (await ask(api, VIEWER, second))[0] == 429


@limits(points_per_request=100)
async def test_an_operation_beyond_the_limit_is_refused_before_it_runs(api: Harness) -> None:
    _, answer, _ = await ask(api, PAGE, api.token)
    assert answer["errors"][0]["extensions"]["code"] == "DOCUMENT_TOO_LARGE"
    _, answer, _ = await ask(api, PAGE.replace("100", "99"), api.token)
    assert answer["extensions"]["cost"]["requested"] == 100


@limits(points_per_minute=200)
async def test_operations_of_a_socket_cost_the_same(api: Harness) -> None:
    socket = await open_socket(api, api.token)
    first = await run_operation(socket, PAGE)
    assert first["payload"]["extensions"]["cost"]["requested"] == 101
    await run_operation(socket, PAGE)
    refused = await run_operation(socket, PAGE)
    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")
    assert refused["payload"][0]["extensions"]["retryAfterSeconds"] >= 1
    assert (await ask(api, VIEWER, api.token))[0] == 429


@limits(anonymous_points_per_minute=60)
async def test_refused_documents_use_up_the_budget_of_their_address_only(api: Harness) -> None:
    mistakes = ["{", "{ nothing }", "{ viewer { user { id } } " + "a { " * 20 + "}" * 20, "query A { x }"]
    statuses = [(await ask(api, mistakes[number % 4]))[0] for number in range(10)]
    assert statuses[:5] == [200] * 5
    assert statuses[-1] == 429
    assert (await ask(api, VIEWER))[0] == 429
    assert (await ask(api, VIEWER, address="203.0.113.2"))[0] == 200
    assert (await ask(api, VIEWER, api.token))[0] == 200  # with a budget of its own


@limits(anonymous_points_per_minute=20)
async def test_wrong_credentials_are_not_tried_without_end(api: Harness) -> None:
    await ask(api, VIEWER, api.token)
    statuses = [(await ask(api, VIEWER, f"sf_wrong{number}"))[0] for number in range(6)]
    assert (statuses[:2], statuses[-1]) == ([401, 401], 429)
    for token, address in ((api.token, "203.0.113.1"), ("", "203.0.113.1"), (api.token, "203.0.113.2")):
        assert (await ask(api, VIEWER, token, address))[0] == 200


@limits(anonymous_points_per_minute=60)
async def test_requests_that_are_not_understood_cost_as_much(api: Harness) -> None:
    for _ in range(10):
        async with api.http.post(f"{api.url}/graphql", data="x") as response:
            status = response.status
    assert status == 429


@limits(anonymous_points_per_minute=500)
async def test_a_flood_can_not_be_repeated_at_once(api: Harness) -> None:
    socket = await open_socket(api)
    for _ in range(int(BURST) + 10):
        await socket.send_json({"type": "ping"})
    assert await closed(socket) == FLOODING
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "graphql-transport-ws"}
    await wait_until(lambda: _is_refused(api, headers))
    assert (await open_socket(api, api.token)).closed is False


async def _is_refused(api: Harness, headers: dict[str, str]) -> bool:
    async with api.http.get(f"{api.url}/graphql", headers=headers) as response:
        return response.status == 429


async def test_pings_of_the_protocol_are_a_flood_too(api: Harness) -> None:
    socket = await open_socket(api)
    for _ in range(int(BURST) + 10):
        await socket.ping()
    assert await closed(socket) == FLOODING


@limits(anonymous_points_per_minute=10)
async def test_refusals_wait_their_turn_and_the_connection_ends_if_that_takes_too_long(
    api: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await ask(api, "{")
    monkeypatch.setattr(admission, "REFUSALS_PER_SECOND", 1e6)
    statuses = await asyncio.gather(*(ask(api, "{") for _ in range(5)))
    assert {(status, headers.get("Connection")) for status, _, headers in statuses} == {(429, None)}
    monkeypatch.setattr(admission, "MAX_PAUSE_SECONDS", -1.0)
    status, _, headers = await ask(api, "{")
    assert (status, headers["Connection"]) == (429, "close")


async def test_processes_share_a_budget_through_redis_and_go_on_without(redis_url: str, valkey: Valkey) -> None:
    token = Budget("token:1", 1000, shared=True)
    first, second = Budgets(), Budgets()
    async with Redis.from_url(redis_url) as redis:
        for budgets in (first, second):
            budgets.charge([token], 400)
            await budgets.share(redis)
        first.charge([token], 1)
        await first.share(redis)
        assert 190 <= first.lowest([token]).remaining < 230
        second.charge([token], 5000)
        await second.share(redis)
        first.charge([token], 1)
        await first.share(redis)
        assert first.lowest([token]).retry_after is not None
        assert json.loads(await redis.hget("storefleet:budget:token:1", "points")) < -900
        await first.share(redis)  # nothing is new


@limits(points_per_minute=1000)
async def test_without_redis_each_process_counts_for_itself(api: Harness, valkey: Valkey) -> None:
    valkey.kill()
    try:
        status = 200
        while status == 200:
            status, _, _ = await ask(api, PAGE, api.token)
        assert status == 429
    finally:
        valkey.restart()
