"""Events by server-sent events: after any cursor, without a gap; rights, limits, slow clients and the process's end."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from api import graphql_stream
from runtime.changefeed import CHANNEL
from tests.support.harness import Harness
from tests.support.stores import create_ready_store
from tests.support.waiting import hang_limit, wait_until
from tests.support.webhooks import write_events

ACCOUNT = "subscription ($after: String) { accountEvents(after: $after) { message } }"
STORE = "subscription ($id: ID!) { storeEvents(storeId: $id) { cursor type status message } }"
Frame = dict[str, Any]


def request(harness: Harness, query: str, variables: Any = None, *, get: bool = False, last_event_id: str = "") -> Any:
    """A request for an event stream, by POST or GET, with the first user's token."""
    sent = {"Accept": "text/event-stream", "Authorization": f"Bearer {harness.token}", "Last-Event-ID": last_event_id}
    url = f"{harness.url}/graphql/stream"
    if get:
        parameters = {"query": query} | ({} if variables is None else {"variables": json.dumps(variables)})
        return harness.http.get(url, params=parameters, headers=sent)
    return harness.http.post(url, json={"query": query, "variables": variables}, headers=sent)


async def frames(response: aiohttp.ClientResponse) -> AsyncIterator[Frame]:
    """The events of a stream; comments are left out."""
    assert (response.status, response.content_type) == (200, "text/event-stream")
    frame: Frame = {}
    async for line in response.content:
        name, _, value = line.decode().rstrip("\n").partition(":")
        if name:
            frame[name] = value.removeprefix(" ")
        elif frame:
            yield frame | {"data": json.loads(frame["data"]) if frame["data"] else None}
            frame = {}


async def read(response: aiohttp.ClientResponse, count: int) -> list[Frame]:
    seen: list[Frame] = []
    async with hang_limit(), aclosing(frames(response)) as stream:  # type: ignore[type-var]  # declared as an iterator
        while len(seen) < count:
            seen.append(await anext(stream))
    return seen


async def read_all(response: aiohttp.ClientResponse) -> list[Frame]:
    async with hang_limit():
        return [frame async for frame in frames(response)]


async def test_a_store_is_followed_and_nothing_is_missed(harness: Harness) -> None:
    store, _ = await create_ready_store(harness)
    async with request(harness, STORE, {"id": store["id"]}, get=True) as response:
        first = await read(response, 3)
    async with request(harness, STORE, {"id": store["id"]}, last_event_id=first[-1]["id"]) as response:
        reading = asyncio.create_task(read_all(response))
        await harness.client().execute(
            "mutation ($id: ID!) { deleteStore(input: {id: $id}) { userErrors { code } } }", {"id": store["id"]}
        )
        rest = await reading
    assert rest[-1]["event"] == "complete"
    events = [frame["data"]["data"]["storeEvents"] for frame in [*first, *rest[:-1]]]
    assert [event["cursor"] for event in events] == [frame["id"] for frame in [*first, *rest[:-1]]]
    assert events[-1]["status"] == "DELETED"
    assert len(events) == len(await harness.sql("SELECT 1 FROM events"))


async def test_other_operations_and_errors(api: Harness) -> None:
    async with request(api, "{ viewer { user { email } } }", get=True) as response:
        assert response.headers["x-accel-buffering"] == "no"
        [answer, complete] = await read_all(response)
    assert answer["data"].pop("extensions")["cost"]["requested"] > 0
    assert answer == {"event": "next", "data": {"data": {"viewer": {"user": {"email": "owner@example.com"}}}}}
    assert complete == {"event": "complete", "data": None}
    rename = 'mutation { createApiToken(input: {name: "t", scopes: [READ]}) { userErrors { code } } }'
    for query, get, variables, code in (
        ("{ nothing }", False, None, "GRAPHQL_VALIDATION_FAILED"),
        ("{", True, None, "GRAPHQL_PARSE_FAILED"),
        (rename, True, None, "GRAPHQL_VALIDATION_FAILED"),
        (ACCOUNT, False, {"after": "nonsense"}, "BAD_USER_INPUT"),
        (STORE, False, {"id": "nonsense"}, "NOT_FOUND"),
    ):
        async with request(api, query, variables, get=get) as response:
            [answer, complete] = await read_all(response)
        assert ("data" in answer["data"], complete["event"]) == (False, "complete"), query
        assert [error["extensions"]["code"] for error in answer["data"]["errors"]] == [code], query
    async with request(api, rename) as response:
        assert (await read_all(response))[0]["data"]["data"] == {"createApiToken": {"userErrors": []}}
    for method, headers, body, status in (
        ("PUT", {}, b"{}", 405),
        ("POST", {"Accept": "application/json"}, b"{}", 406),
        ("POST", {"Content-Type": "text/plain"}, b"{}", 415),
        ("POST", {}, b"[", 400),
        ("POST", {}, b'{"query": 1}', 400),
        ("POST", {}, b'{"query": "{a}", "variables": 1}', 400),
        ("POST", {"Authorization": "Bearer sf_no"}, b"{}", 401),
    ):
        sent = {"Content-Type": "application/json", **headers}
        async with api.http.request(method, f"{api.url}/graphql/stream", data=body, headers=sent) as response:
            assert (response.status, "errors" in await response.json()) == (status, True)


async def test_access_ends(api: Harness) -> None:
    """As on a WebSocket; a stream of nobody isn't concerned."""
    await api.create_store()
    for statement, code in (
        ("UPDATE memberships SET role = 'viewer'", "FORBIDDEN"),
        ("UPDATE api_tokens SET revoked_at = now()", "UNAUTHENTICATED"),
    ):
        async with request(api, ACCOUNT) as response:
            await response.content.readline()  # it is connected
            await api.sql(statement)
            [answer, complete] = await read_all(response)
        assert answer["data"]["errors"][0]["extensions"]["code"] == code
        assert complete["event"] == "complete"


async def test_a_slow_client_is_closed_and_resumes(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.create_store()
    async with request(api, ACCOUNT, {"after": None}) as response:
        await write_events(api, 1)
        [start] = await read(response, 1)
    monkeypatch.setattr(graphql_stream, "SLOW_SECONDS", 0.5)
    body = json.dumps({"query": ACCOUNT, "variables": {"after": start["id"]}}).encode()
    head = f"POST /graphql/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {api.token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"

    async def is_closed() -> bool:
        return any(entry["event"] == "graphql_stream.slow_client" for entry in logs)

    with capture_logs() as logs, socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, ("127.0.0.1", int(api.url.rpartition(":")[2])))
        await loop.sock_sendall(slow, head.encode() + body)
        await api.sql(
            "INSERT INTO events (account_id, store_id, type, status, message) SELECT account_id, id, 'NOTICE', "
            "'REQUESTED', repeat('long ', 12000) || n FROM stores, generate_series(1, 120) n"
        )
        await api.sql("SELECT pg_notify($1, account_id::text) FROM stores", CHANNEL)
        await wait_until(is_closed)
        received = b""
        with suppress(ConnectionResetError):  # what the server had not sent is gone
            while chunk := await loop.sock_recv(slow, 65536):
                received += chunk
    monkeypatch.undo()
    got = [line.partition(b": ")[2].decode() for line in received.splitlines() if line.startswith(b"id: ")]
    last = got[-1] if got else start["id"]
    async with request(api, ACCOUNT, last_event_id=last) as response:
        rest = await read(response, 120 - len(got))
    numbers = [int(frame["data"]["data"]["accountEvents"]["message"].rpartition(" ")[2]) for frame in rest]
    assert numbers == list(range(len(got) + 1, 121))


@pytest.mark.parametrize("settings", [{"max_websockets_per_address": 2}], indirect=True)
async def test_streams_count_as_websockets_and_end_with_the_process(
    api: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql_stream, "HEARTBEAT_SECONDS", 0.05)
    async with request(api, ACCOUNT) as one, request(api, ACCOUNT):
        async with request(api, ACCOUNT) as refused:
            assert (refused.status, "retry-after" in refused.headers) == (429, True)
        for _ in range(3):
            assert (await one.content.readuntil(b":\n\n")).endswith(b":\n\n")
        api.server.should_exit = True
        async with hang_limit():
            assert [frame async for frame in frames(one)] == []
