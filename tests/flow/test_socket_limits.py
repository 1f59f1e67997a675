"""What one WebSocket may cost, each limit at its value and one beyond; and mistakes that leave the socket open."""

import json
from typing import Any

import aiohttp
import pytest

from api import graphql, websocket_protocol
from api.graphql_socket import MAX_REASON
from api.websocket_protocol import BURST
from tests.support.harness import Harness
from tests.support.sockets import closed, open_socket, run_operation
from tests.support.waiting import HANG_SECONDS

EVENTS = "subscription { accountEvents { cursor } }"
VIEWER = "{ viewer { user { email } } }"
MISTAKES = {
    "a syntax error": "{ viewer",
    "an unknown field": "{ nothing }",
    "an unknown type": "query ($v: Nothing) { viewer { user { email } } }",
    "an unknown fragment": "{ ...Nope }",
    "an empty query": "",
    "no operation": "fragment F on Query { __typename }",
    "half a character": '{ store(slug: "\ud800") { id } }',
    "too large a document": "{" + "__typename " * 500 + "}",
}
HANDSHAKES: dict[str, Any] = {
    "null": None,
    "Authorization": "Bearer {}",
    "authorization": "Bearer {}",
    "headers": {"Authorization": "Bearer {}"},
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_is_told_under_its_id_and_the_socket_lives(api: Harness, mistake: str) -> None:
    socket = await open_socket(api, api.token)
    answer = await run_operation(socket, MISTAKES[mistake], identity="x" * 200)
    assert (answer["type"], answer["id"]) == ("error", "x" * 200)
    assert answer["payload"][0]["message"]
    assert answer["payload"][0].get("extensions", {}).get("code") != "INTERNAL"
    assert (await run_operation(socket, VIEWER))["type"] == "next"


async def test_a_repeated_id_closes_with_a_reason_that_fits(api: Harness) -> None:
    socket = await open_socket(api, api.token)
    for _ in range(2):
        await socket.send_json({"id": "é" * 300, "type": "subscribe", "payload": {"query": EVENTS}})
    code, reason = await closed(socket)
    assert code == 4409
    assert MAX_REASON - 4 < len(reason.encode()) <= MAX_REASON


@pytest.mark.parametrize("handshake", HANDSHAKES)
async def test_connection_init_says_who_asks(api: Harness, handshake: str) -> None:
    text = json.dumps(HANDSHAKES[handshake]).replace("{}", api.token)
    payload = None if handshake == "null" else {handshake: json.loads(text)}
    socket = await api.http.ws_connect(f"{api.url}/graphql", protocols=("graphql-transport-ws",))
    await socket.send_json({"type": "connection_init", "payload": payload})
    assert (await socket.receive_json(timeout=HANG_SECONDS))["type"] == "connection_ack"
    viewer = (await run_operation(socket, VIEWER))["payload"]["data"]["viewer"]
    assert viewer == (None if handshake == "null" else {"user": {"email": "owner@example.com"}})


@pytest.mark.parametrize("message", ['{"type":"ping"}', '{"type":"pong","payload":{"pad":"' + "x" * 10_000 + '"}}'])
async def test_a_flood_of_messages_ends_the_socket(api: Harness, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_protocol, "MESSAGES_PER_SECOND", 0.0)  # nothing comes back while the test runs
    socket = await open_socket(api)
    cost = 1 + len(message) / 1024
    allowed = int((BURST - 1 - len('{"type": "connection_init"}') / 1024) // cost)
    for _ in range(allowed):
        await socket.send_str(message)
    await socket.send_str(message)
    assert (await closed(socket))[0] == 4429


async def test_the_limit_of_operations_is_told_and_the_socket_lives(api: Harness) -> None:
    socket = await open_socket(api, api.token)
    for number in range(graphql.MAX_OPERATIONS_PER_SOCKET):
        await socket.send_json({"id": str(number), "type": "subscribe", "payload": {"query": EVENTS}})
    answer = await run_operation(socket, EVENTS, identity="beyond")
    assert answer["type"] == "error"
    assert "limit" in answer["payload"][0]["message"]
    await socket.send_json({"id": "0", "type": "complete"})
    assert (await run_operation(socket, VIEWER, identity="again"))["type"] == "next"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql, "CONNECTION_INIT_TIMEOUT_SECONDS", 0.1)


async def test_a_client_that_sends_no_connection_init_is_closed(impatient: None, api: Harness) -> None:
    socket = await api.http.ws_connect(f"{api.url}/graphql", protocols=("graphql-transport-ws",))
    message = await socket.receive(timeout=HANG_SECONDS)
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 4408)


@pytest.mark.parametrize("depth", [2_000, 20_000])
async def test_deeply_nested_json_is_refused(api: Harness, depth: int) -> None:
    socket = await open_socket(api, api.token)
    await socket.send_str('{"type":"ping","payload":' + "[" * depth + "]" * depth + "}")
    assert (await closed(socket))[0] == 4400
