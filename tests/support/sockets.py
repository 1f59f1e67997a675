"""A client's side of graphql-transport-ws, message by message."""

from collections.abc import Mapping
from typing import Any

import aiohttp

from tests.support.harness import Harness
from tests.support.waiting import HANG_SECONDS


async def open_socket(
    harness: Harness, token: str = "", *, headers: Mapping[str, str] | None = None, **options: Any
) -> aiohttp.ClientWebSocketResponse:
    """A socket after connection_ack; anonymous without a token, and without headers that have a credential."""
    headers = headers or ({"Authorization": f"Bearer {token}"} if token else {})
    socket: aiohttp.ClientWebSocketResponse = await harness.http.ws_connect(
        f"{harness.url}/graphql", protocols=("graphql-transport-ws",), headers=headers, **options
    )
    await socket.send_json({"type": "connection_init"})
    assert (await socket.receive_json(timeout=HANG_SECONDS))["type"] == "connection_ack"
    return socket


async def run_operation(
    socket: aiohttp.ClientWebSocketResponse, query: str, variables: Any = None, identity: str = "1"
) -> Any:
    """Subscribe; the first message of the answer."""
    payload = {"query": query, "variables": variables}
    await socket.send_json({"id": identity, "type": "subscribe", "payload": payload})
    while (message := await socket.receive_json(timeout=HANG_SECONDS)).get("id") != identity:
        pass
    if message["type"] == "next" and not query.lstrip().startswith("subscription"):
        assert (await socket.receive_json(timeout=HANG_SECONDS))["type"] == "complete"
    return message


async def closed(socket: aiohttp.ClientWebSocketResponse) -> tuple[int, str]:
    """The code and the reason with which the server closes the socket; reads what comes before."""
    while (message := await socket.receive(timeout=HANG_SECONDS)).type != aiohttp.WSMsgType.CLOSE:
        assert message.type == aiohttp.WSMsgType.TEXT, message
    return message.data, message.extra or ""
