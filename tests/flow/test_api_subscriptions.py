"""Events over the WebSocket: after any cursor, without a gap; and bad input on the socket."""

import asyncio
from typing import Any

import aiohttp
import pytest

from cli.client import ClientError
from runtime.database import SessionFactory
from runtime.statements import Statement
from schema.ids import encode_event_cursor
from stores.events import PAGE_SIZE
from tests.support.harness import Harness
from tests.support.stores import wait_until_idle
from tests.support.waiting import HANG_SECONDS, hang_limit, wait_until

PROTOCOLS = ("graphql-transport-ws",)
ACCOUNT = """
subscription ($account: ID, $after: String) { accountEvents(accountId: $account, after: $after) {
  cursor storeId status message } }
"""


async def open_socket(harness: Harness, **headers: str) -> aiohttp.ClientWebSocketResponse:
    return await harness.http.ws_connect(f"{harness.url}/graphql", protocols=PROTOCOLS, headers=headers)


async def first_error(harness: Harness, document: str, variables: dict[str, Any], token: str | None = None) -> str:
    async def drain() -> None:
        async for _ in harness.client(token).subscribe(document, variables):
            pass

    with pytest.raises(ClientError) as raised:
        await asyncio.wait_for(drain(), HANG_SECONDS)
    return str(raised.value)


async def test_an_account_is_followed_from_now_or_from_a_snapshot(
    harness: Harness, stream_started: asyncio.Event
) -> None:
    before = await harness.create_store(name="Before")
    await harness.wait_for_status(before["id"], "READY")
    await wait_until_idle(harness)
    stream_started.clear()
    snapshot = (await harness.client().execute("{ stores(first: 5) { eventCursor nodes { name } } }"))["stores"]
    seen: list[Any] = []

    async def follow() -> None:
        async for data in harness.client().subscribe(ACCOUNT, {"account": harness.account}):
            seen.append(data["accountEvents"])

    following = asyncio.create_task(follow())
    await stream_started.wait()
    after = await harness.create_store(name="After")
    await harness.wait_for_status(after["id"], "READY")
    await wait_until(lambda: ready_in(seen))
    following.cancel()
    assert {event["storeId"] for event in seen} == {after["id"]}
    replay = []
    async for data in harness.client().subscribe(ACCOUNT, {"after": snapshot["eventCursor"]}):
        replay.append(data["accountEvents"])
        if len(replay) == len(seen):
            break
    assert replay == seen


async def test_a_store_that_is_created_while_an_empty_list_is_read_is_not_missed(
    api: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = Statement.fetch
    created: list[str] = []

    async def fetch_and_create(statement: Statement, sessions: SessionFactory, **values: Any) -> Any:
        rows = await fetch(statement, sessions, **values)
        if not rows and not created:
            created.append("Olive")
            await api.create_store(name="Olive")
        return rows

    monkeypatch.setattr(Statement, "fetch", fetch_and_create)
    stores = (await api.client().execute("{ stores(first: 5) { eventCursor nodes { name } } }"))["stores"]
    assert created == ["Olive"]
    assert stores["nodes"] == [{"name": "Olive"}]


async def ready_in(seen: list[Any]) -> bool:
    return any(event["message"].startswith("READY") for event in seen)


async def test_a_long_history_is_read_page_by_page(api: Harness) -> None:
    store = await api.create_store()
    await api.sql(
        "INSERT INTO events (account_id, store_id, type, status, message) "
        "SELECT account_id, id, 'NOTICE', 'REQUESTED', 'number ' || n FROM stores, generate_series(1, $1::int) n",
        2 * PAGE_SIZE + 1,
    )
    messages = []
    async with hang_limit():
        async for event in api.store_events(store["id"]):
            messages.append(event["message"])
            if len(messages) == 2 * PAGE_SIZE + 2:
                break
    assert messages[1:] == [f"number {number}" for number in range(1, 2 * PAGE_SIZE + 2)]


async def test_pages_of_stores_go_on_where_the_last_ended(api: Harness) -> None:
    made = [await api.create_store(name=f"Store {number}") for number in range(5)]
    query = """query ($after: String) { stores(first: 2, after: $after) {
      nodes { id } edges { cursor } pageInfo { hasNextPage endCursor } eventCursor } }"""
    found, after = [], None
    for _ in range(3):
        page = (await api.client().execute(query, {"after": after}))["stores"]
        found += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert found == [store["id"] for store in reversed(made)]
    assert page["pageInfo"]["hasNextPage"] is False
    with pytest.raises(ClientError, match="not a cursor"):
        await api.client().execute(query, {"after": "nonsense"})


async def test_cursors_that_are_none_foreign_or_too_old(api: Harness) -> None:
    store = await api.create_store()
    token, _ = await api.sign_up("other@example.com")
    theirs = (await api.create_store_payload(token))["store"]
    events = "subscription ($id: ID!, $after: String) { storeEvents(storeId: $id, after: $after) { cursor } }"
    for after in ("", "nonsense", theirs["eventCursor"], store["id"]):
        assert "not a cursor" in await first_error(api, events, {"id": store["id"], "after": after})
    assert "no such store" in await first_error(api, events, {"id": theirs["id"]})
    assert "no such store" in await first_error(api, events, {"id": "nonsense"})
    assert "no such account" in await first_error(api, ACCOUNT, {"account": "nonsense"})
    await api.sql("UPDATE events SET seq = seq + 10 WHERE store_id <> $1", "00000000-0000-0000-0000-000000000000")
    await api.sql("UPDATE account_streams SET seq = seq + 10")
    [row] = await api.sql("SELECT account_id FROM events ORDER BY at LIMIT 1")
    old = encode_event_cursor(row["account_id"], 1)
    assert "no longer kept" in await first_error(api, events, {"id": store["id"], "after": old})


async def test_an_anonymous_socket_sees_nothing(api: Harness) -> None:
    store = await api.create_store()
    events = "subscription ($id: ID!) { storeEvents(storeId: $id) { cursor } }"
    assert "Sign in" in await first_error(api, events, {"id": store["id"]}, token="")
    assert "Sign in" in await first_error(api, ACCOUNT, {}, token="")


async def test_a_browser_sends_its_token_in_connection_init(api: Harness) -> None:
    socket = await open_socket(api)
    await socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {api.token}"}})
    assert (await socket.receive_json())["type"] == "connection_ack"
    payload = {"query": "{ viewer { user { email } } }"}
    await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
    answer = await socket.receive_json()
    assert answer["payload"]["data"]["viewer"]["user"]["email"] == "owner@example.com"
    await socket.close()
    socket = await open_socket(api)
    await socket.send_json({"type": "connection_init", "payload": {"authorization": "Bearer sf_wrong"}})
    assert (await socket.receive()).data == 4403
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await open_socket(api, Authorization="Bearer sf_wrong")


INVALID_MESSAGES: tuple[str | bytes, ...] = (
    b"\x00\x01",
    "not json",
    "[]",
    "7",
    '{"type": 7}',
    '{"type": "subscribe"}',
    '{"type": "subscribe", "id": 1, "payload": {"query": "{ viewer { user { id } } }"}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": 7}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { user { id } } }", "variables": 7}}',
    '{"type": "complete", "id": {}}',
    '{"pad": "' + "x" * 70_000 + '"}',
)


async def test_rubbish_ends_the_socket_and_nothing_else(api: Harness) -> None:
    for message in INVALID_MESSAGES:
        socket = await open_socket(api)
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"
        if isinstance(message, bytes):
            await socket.send_bytes(message)
        else:
            await socket.send_str(message)
        closed = await socket.receive(timeout=HANG_SECONDS)
        assert closed.type == aiohttp.WSMsgType.CLOSE, message
        assert closed.data in (1009, 4400), message
    assert (await api.create_store())["status"] == "REQUESTED"


async def test_another_protocol_is_not_spoken(api: Harness) -> None:
    socket = await api.http.ws_connect(f"{api.url}/graphql", protocols=("graphql-ws",))
    assert (await socket.receive(timeout=HANG_SECONDS)).type == aiohttp.WSMsgType.CLOSE
