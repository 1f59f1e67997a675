"""Points of operations, and budgets a minute: they refuse only the caller who used them up."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError
from redis.asyncio import Redis

from api import rate_limiting
from api.websocket_protocol import BURST, FLOODING
from runtime import budgets
from runtime.budgets import Budget, Budgets
from sandbox.valkey import Valkey
from tests.support.harness import Harness
from tests.support.sockets import closed, open_socket, run_operation
from tests.support.waiting import HANG_SECONDS, hang_limit, wait_until

VIEWER = "{ viewer { user { email } } }"
PAGE = "{ stores(first: 100) { nodes { id } } }"
MISTAKES = ["{", "{ nothing }", "{ viewer { user { id } } " + "a { " * 20 + "}" * 20, "query A { x }"]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limiting, "MIN_PAUSE_SECONDS", 0.0)


@pytest.fixture
def no_refill(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, points come back faster than a test uses them up."""
    monkeypatch.setattr(budgets, "WINDOW_SECONDS", 1e9)


NO_REFILL = pytest.mark.usefixtures("no_refill")


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


EVENTS = "subscription { accountEvents { message } }"


def stream(api: Harness, query: str, token: str = "", address: str = "203.0.113.1") -> Any:
    """A request for an event stream."""
    headers = {"X-Forwarded-For": address} | ({"Authorization": f"Bearer {token}"} if token else {})
    return api.http.post(f"{api.url}/graphql/stream", json={"query": query}, headers=headers)


async def read_result(response: Any) -> Any:
    """The next result of an event stream."""
    async with hang_limit():
        async for line in response.content:
            if line.startswith(b"data: {"):
                return json.loads(line.removeprefix(b"data: "))
    raise AssertionError("the stream has ended")


@NO_REFILL
@limits(points_per_minute=250)
async def test_operations_of_event_streams_cost_the_same_and_open_ones_go_on(api: Harness) -> None:
    other, _ = await api.sign_up("other@example.com")
    async with stream(api, EVENTS, api.token) as following:
        socket = await open_socket(api, api.token)
        await socket.send_json({"id": "events", "type": "subscribe", "payload": {"query": EVENTS}})
        for requested in (101, 101):
            async with stream(api, PAGE, api.token) as response:
                cost = (await read_result(response))["extensions"]["cost"]
                assert (response.status, cost["requested"], cost["limit"]) == (200, requested, 250)
        status = 200
        while status == 200:
            async with stream(api, PAGE, api.token) as response:
                status, answer = response.status, await response.text()
        assert (status, response.content_type) == (429, "application/json")
        error = json.loads(answer)["errors"][0]["extensions"]
        assert (error["code"], str(error["retryAfterSeconds"])) == ("RATE_LIMITED", response.headers["Retry-After"])
        for kind in (
            stream(api, VIEWER, api.token),
            api.http.get(
                f"{api.url}/graphql/stream", params={"query": VIEWER}, headers={"Authorization": f"Bearer {api.token}"}
            ),
        ):
            async with kind as response:
                assert response.status == 429
        assert (await ask(api, VIEWER, api.token))[0] == 429
        assert (await run_operation(socket, VIEWER))["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        with pytest.raises(WSServerHandshakeError, match="429"):
            await open_socket(api, api.token)
        async with stream(api, VIEWER, other) as response:  # another caller isn't hindered
            assert (await read_result(response))["data"]["viewer"]["user"]["email"] == "other@example.com"

        store = 'mutation { createStore(input: {name: "A", engine: WOOCOMMERCE}) { userErrors { code } } }'
        session = await api.sign_in()  # a budget of its own
        assert (await api.ask(session, store))["data"]["createStore"]["userErrors"] == []
        assert (await read_result(following))["data"]["accountEvents"]["message"] == "A was requested."
        event = await socket.receive_json(timeout=HANG_SECONDS)
        assert event["payload"]["data"]["accountEvents"]["message"] == "A was requested."


@NO_REFILL
@limits(account_points_per_minute=150)
async def test_requests_sockets_and_event_streams_of_an_account_share_its_budget(api: Harness) -> None:
    token = 'mutation { createApiToken(input: {name: "%s", scopes: [READ]}) { secret } }'
    second, third = [
        (await api.client().execute(token % name))["createApiToken"]["secret"] for name in ("second", "third")
    ]
    for known in (second, third):  # the first request of a token: the process doesn't know its account
        assert (await ask(api, VIEWER, known))[0] == 200
    socket = await open_socket(api, second)
    assert (await run_operation(socket, PAGE))["type"] == "next"
    async with stream(api, PAGE, third) as response:
        assert response.status == 200
        await read_result(response)
    async with stream(api, VIEWER, third) as response:
        assert response.status == 429
    assert (await run_operation(socket, VIEWER))["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


@limits(points_per_request=100)
async def test_an_event_stream_or_a_socket_refuses_an_operation_beyond_the_limit(api: Harness) -> None:
    async with stream(api, PAGE, api.token) as response:
        assert (await read_result(response))["errors"][0]["extensions"]["code"] == "DOCUMENT_TOO_LARGE"
    refused = await run_operation(await open_socket(api, api.token), PAGE)
    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "DOCUMENT_TOO_LARGE")


@NO_REFILL
@limits(anonymous_points_per_minute=60)
async def test_refused_documents_of_event_streams_and_sockets_cost_as_much(api: Harness) -> None:
    async def refused_stream(number: int, address: str) -> bool:
        async with stream(api, MISTAKES[number % len(MISTAKES)], address=address) as response:
            return bool(response.status == 429)

    seen = [await refused_stream(number, "203.0.113.3") for number in range(10)]
    assert (seen[0], seen[-1]) == (False, True)
    socket = await open_socket(api, headers={"X-Forwarded-For": "203.0.113.4"})
    codes = []
    for number in range(10):
        answer = await run_operation(socket, MISTAKES[number % len(MISTAKES)], identity=str(number))
        codes.append(answer["payload"][0].get("extensions", {}).get("code"))
    assert (codes[0] != "RATE_LIMITED", codes[-1]) == (True, "RATE_LIMITED")
    assert (await ask(api, VIEWER, address="203.0.113.4"))[0] == 429
    assert not await refused_stream(0, "203.0.113.5")


@NO_REFILL
@limits(anonymous_points_per_minute=60)
async def test_refused_documents_use_up_the_budget_of_their_address_only(api: Harness) -> None:
    statuses = [(await ask(api, MISTAKES[number % len(MISTAKES)]))[0] for number in range(10)]
    assert statuses[:5] == [200] * 5
    assert statuses[-1] == 429
    assert (await ask(api, VIEWER))[0] == 429
    assert (await ask(api, VIEWER, address="203.0.113.2"))[0] == 200
    assert (await ask(api, VIEWER, api.token))[0] == 200  # with a budget of its own


@NO_REFILL
@limits(anonymous_points_per_minute=20)
async def test_wrong_credentials_are_not_tried_without_end(api: Harness) -> None:
    await ask(api, VIEWER, api.token)
    statuses = [(await ask(api, VIEWER, f"sf_wrong{number}"))[0] for number in range(6)]
    assert (statuses[:2], statuses[-1]) == ([401, 401], 429)
    for token, address in ((api.token, "203.0.113.1"), ("", "203.0.113.1"), (api.token, "203.0.113.2")):
        assert (await ask(api, VIEWER, token, address))[0] == 200


@NO_REFILL
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
    monkeypatch.setattr(rate_limiting, "REFUSALS_PER_SECOND", 1e6)
    statuses = await asyncio.gather(*(ask(api, "{") for _ in range(5)))
    assert {(status, headers.get("Connection")) for status, _, headers in statuses} == {(429, None)}
    monkeypatch.setattr(rate_limiting, "MAX_PAUSE_SECONDS", -1.0)
    status, _, headers = await ask(api, "{")
    assert (status, headers["Connection"]) == (429, "close")


async def test_processes_share_a_budget_through_redis_and_go_on_without(redis_url: str, valkey: Valkey) -> None:
    token = Budget("token:1", 1000, shared=True)
    first, second = Budgets(), Budgets()
    async with Redis.from_url(redis_url) as redis:
        for each in (first, second):
            each.charge([token], 400)
            await each.share(redis)
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
