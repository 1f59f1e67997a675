"""Pages of other origins may call the API with a token where a setting names them, and never with the cookie."""

import asyncio
import json

import aiohttp
import pytest

from tests.support.harness import PASSWORD, Harness
from tests.support.waiting import HANG_SECONDS, hang_limit

APP = "https://app.example.com"
QUERY = {"query": "{ viewer { user { email } } }"}
WITH_APP = pytest.mark.parametrize("settings", [{"cors_origins": (APP,)}], indirect=True)
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@WITH_APP
async def test_a_page_of_a_named_origin_uses_a_token(api: Harness) -> None:
    async with api.http.options(f"{api.url}/graphql", headers={"Origin": APP, **PREFLIGHT}) as response:
        assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (200, APP)
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    headers = {"Origin": APP, "Authorization": f"Bearer {api.token}"}
    async with api.http.post(f"{api.url}/graphql", json=QUERY, headers=headers) as response:
        assert (await response.json())["data"]["viewer"]["user"]["email"] == "owner@example.com"
        assert (response.headers["Access-Control-Allow-Origin"], response.headers["Vary"]) == (APP, "Origin")
    # an error is readable too, also one of the middleware
    async with api.http.post(f"{api.url}/graphql", data=b"x" * 200_000, headers=headers) as response:
        assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (413, APP)


@WITH_APP
async def test_a_page_of_a_named_origin_opens_a_socket_with_a_token(api: Harness) -> None:
    socket = await api.http.ws_connect(
        f"{api.url}/graphql", protocols=("graphql-transport-ws",), headers={"Origin": APP}
    )
    await socket.send_json({"type": "connection_init", "payload": {"authorization": f"Bearer {api.token}"}})
    assert (await socket.receive_json(timeout=HANG_SECONDS))["type"] == "connection_ack"


@WITH_APP
async def test_a_page_of_another_origin_is_not_helped(api: Harness) -> None:
    other = {"Origin": "https://evil.example.com"}
    async with api.http.options(f"{api.url}/graphql", headers={**other, **PREFLIGHT}) as response:
        assert response.status == 400
        assert "Access-Control-Allow-Origin" not in response.headers
    async with api.http.post(f"{api.url}/graphql", json=QUERY, headers=other) as response:
        assert "Access-Control-Allow-Origin" not in response.headers
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await api.http.ws_connect(f"{api.url}/graphql", protocols=("graphql-transport-ws",), headers=other)


@WITH_APP
async def test_the_cookie_works_for_no_other_origin(api: Harness) -> None:
    user = {"email": "owner@example.com", "password": PASSWORD}
    async with api.http.post(f"{api.url}/auth/sign-in", json=user) as response:
        [(name, cookie)] = response.cookies.items()
    headers = {"Origin": APP, "Cookie": f"{name}={cookie.value}"}
    async with api.http.post(f"{api.url}/graphql", json=QUERY, headers=headers) as response:
        assert (response.status, (await response.json())["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    async with api.http.post(f"{api.url}/auth/sign-in", json=user, headers={"Origin": APP}) as response:
        assert response.status == 403


async def test_without_the_setting_no_origin_is_allowed(api: Harness) -> None:
    async with api.http.options(f"{api.url}/graphql", headers={"Origin": APP, **PREFLIGHT}) as response:
        assert response.status == 405
    async with api.http.post(f"{api.url}/graphql", json=QUERY, headers={"Origin": APP}) as response:
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_host_is_needed_and_never_repeated(api: Harness) -> None:
    async def answer(request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
        writer.write(request + b"Connection: close\r\n\r\n")
        async with hang_limit():
            text = await reader.read()
        writer.close()
        return text

    assert (await answer(b"GET /healthz HTTP/1.1\r\n")).startswith(b"HTTP/1.1 400 ")
    for path in (b"/graphql/", b"/healthz/", b"//evil.example.com/", b"/auth/sign-in/"):
        text = await answer(b"GET " + path + b" HTTP/1.1\r\nHost: evil.example.com\r\n")
        assert text.split()[1] in (b"404", b"400"), text
        assert b"location:" not in text.lower()
        assert b"evil" not in text
        assert json.loads(text.partition(b"\r\n\r\n")[2])["errors"][0]["code"]
