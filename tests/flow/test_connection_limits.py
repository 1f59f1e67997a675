"""How many connections and WebSockets a client may open; each limit at its value and one beyond."""

import asyncio
from typing import Any

import aiohttp
import pytest

from api.socket_limits import MAX_ANONYMOUS_PER_ADDRESS, RETRY_AFTER_SECONDS
from tests.support.harness import Harness
from tests.support.sockets import open_socket, run_operation
from tests.support.waiting import wait_until

VIEWER = "{ viewer { user { email } } }"


async def refused(api: Harness, token: str = "", address: str = "203.0.113.1") -> tuple[int, str, Any]:
    """The status, Retry-After and error of a WebSocket that is refused before the upgrade."""
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "graphql-transport-ws"}
    headers |= {"X-Forwarded-For": address} | ({"Authorization": f"Bearer {token}"} if token else {})
    async with api.http.get(f"{api.url}/graphql", headers=headers) as response:
        error = (await response.json())["errors"][0]
        return response.status, response.headers["Retry-After"], error["extensions"]


async def open_from(api: Harness, address: str, token: str = "") -> aiohttp.ClientWebSocketResponse:
    headers = {"X-Forwarded-For": address} | ({"Authorization": f"Bearer {token}"} if token else {})
    return await api.http.ws_connect(f"{api.url}/graphql", protocols=("graphql-transport-ws",), headers=headers)


REFUSED = (
    429,
    str(RETRY_AFTER_SECONDS),
    {"code": "RATE_LIMITED", "retryAfterSeconds": RETRY_AFTER_SECONDS},
)


async def test_anonymous_sockets_per_address_are_limited(api: Harness) -> None:
    address = "203.0.113.1"
    sockets = [await open_from(api, address) for _ in range(MAX_ANONYMOUS_PER_ADDRESS)]
    assert await refused(api) == REFUSED
    sockets.append(await open_from(api, "203.0.113.2"))
    sockets.append(await open_from(api, address, api.token))
    # one that says who it is makes room for another
    payload = {"authorization": f"Bearer {api.token}"}
    await sockets[0].send_json({"type": "connection_init", "payload": payload})
    assert (await sockets[0].receive_json())["type"] == "connection_ack"
    assert (await run_operation(sockets[0], VIEWER))["type"] == "next"
    sockets.append(await open_from(api, address))
    assert await refused(api) == REFUSED


@pytest.mark.parametrize("settings", [{"max_websockets": 4, "max_websockets_per_address": 3}], indirect=True)
async def test_sockets_per_address_and_in_total_are_limited(api: Harness) -> None:
    address = "2001:db8:1:2::7"
    sockets = [await open_from(api, address, api.token) for _ in range(3)]
    assert await refused(api, api.token, "2001:db8:1:2:ffff::1") == REFUSED
    sockets.append(await open_from(api, "2001:db8:1:3::7", api.token))
    assert await refused(api, api.token, "203.0.113.1") == REFUSED
    await sockets[0].close()
    await sockets[1].close()

    async def opens() -> bool:
        try:
            sockets.append(await open_from(api, "203.0.113.1", api.token))
        except aiohttp.WSServerHandshakeError:
            return False
        return True

    for _ in range(2):
        await wait_until(opens)
    assert await refused(api, api.token, "203.0.113.1") == REFUSED


@pytest.mark.parametrize("settings", [{"max_connections": 10}], indirect=True)
async def test_connections_in_total_are_limited(api: Harness) -> None:
    port = int(api.url.rpartition(":")[2])
    sockets = [await open_socket(api, api.token) for _ in range(8)]
    waiting = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
    async with aiohttp.ClientSession() as client:
        async with client.get(f"{api.url}/graphql") as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
            error = (await response.json())["errors"][0]
            assert (error["code"], error["retryAfterSeconds"]) == ("RATE_LIMITED", 5)
        for probe in ("/healthz", "/readyz", "/readyz?exclude=database"):
            async with client.get(f"{api.url}{probe}") as response:
                assert response.status == 200
        for _, writer in waiting:
            writer.close()
            await writer.wait_closed()
        while True:
            async with client.get(f"{api.url}/graphql") as response:
                if response.status != 503:
                    break
    assert (await run_operation(sockets[0], VIEWER))["type"] == "next"
