"""Events over the WebSocket: from any place, without a gap; and rubbish on the socket."""

import asyncio
from typing import Any

import aiohttp
import pytest

from cli.client import ClientError
from schema.ids import event_cursor
from stores.events import PAGE
from tests.flow.fleet import Fleet

PROTOCOLS = ("graphql-transport-ws",)
ACCOUNT = """
subscription ($account: ID, $after: String) { accountEvents(accountId: $account, after: $after) {
  cursor storeId status message } }
"""


async def connected(fleet: Fleet, **headers: str) -> aiohttp.ClientWebSocketResponse:
    return await fleet.http.ws_connect(f"{fleet.url}/graphql", protocols=PROTOCOLS, headers=headers)


async def first_error(fleet: Fleet, document: str, variables: dict[str, Any], token: str | None = None) -> str:
    async def drain() -> None:
        async for _ in fleet.client(token).subscribe(document, variables):
            pass

    with pytest.raises(ClientError) as told:
        await asyncio.wait_for(drain(), 5)
    return str(told.value)


async def test_an_account_is_followed_from_now_or_from_a_snapshot(fleet: Fleet) -> None:
    before = await fleet.create(name="Before")
    await fleet.until(before["id"], "READY")
    snapshot = (await fleet.client().execute("{ stores(first: 5) { eventCursor nodes { name } } }"))["stores"]
    seen: list[Any] = []

    async def follow() -> None:
        async for data in fleet.client().subscribe(ACCOUNT, {"account": fleet.account}):
            seen.append(data["accountEvents"])

    following = asyncio.create_task(follow())
    await asyncio.sleep(0.3)
    after = await fleet.create(name="After")
    await fleet.until(after["id"], "READY")
    await fleet.poll(lambda: ready_in(seen))
    following.cancel()
    assert {event["storeId"] for event in seen} == {after["id"]}
    replay = []
    async for data in fleet.client().subscribe(ACCOUNT, {"after": snapshot["eventCursor"]}):
        replay.append(data["accountEvents"])
        if len(replay) == len(seen):
            break
    # what the first store had left to say (its tidying) may come before the second's first event
    assert [event for event in replay if event["storeId"] == after["id"]] == seen[: len(replay)]


async def ready_in(seen: list[Any]) -> bool:
    return any(event["message"].startswith("READY") for event in seen)


async def test_a_long_history_is_read_page_by_page(api: Fleet) -> None:
    store = await api.create()
    await api.sql(
        "INSERT INTO events (account_id, store_id, type, status, message) "
        "SELECT account_id, id, 'NOTICE', 'REQUESTED', 'number ' || n FROM stores, generate_series(1, $1::int) n",
        2 * PAGE + 1,
    )
    messages = []
    async with asyncio.timeout(10):
        async for event in api.events(store["id"]):
            messages.append(event["message"])
            if len(messages) == 2 * PAGE + 2:
                break
    assert messages[1:] == [f"number {number}" for number in range(1, 2 * PAGE + 2)]


async def test_pages_of_stores_go_on_where_the_last_ended(api: Fleet) -> None:
    made = [await api.create(name=f"Store {number}") for number in range(5)]
    query = """query ($after: String) { stores(first: 2, after: $after) {
      nodes { id } edges { cursor } pageInfo { hasNextPage endCursor } eventCursor } }"""
    found, after = [], None
    for _ in range(3):
        page = (await api.client().execute(query, {"after": after}))["stores"]
        found += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert found == [store["id"] for store in reversed(made)]
    assert page["pageInfo"]["hasNextPage"] is False
    with pytest.raises(ClientError, match="no cursor"):
        await api.client().execute(query, {"after": "nonsense"})


async def test_cursors_that_are_none_foreign_or_too_old(api: Fleet) -> None:
    store = await api.create()
    token, _ = await api.sign_up("other@example.com")
    theirs = (await api.try_create(token))["store"]
    events = "subscription ($id: ID!, $after: String) { storeEvents(storeId: $id, after: $after) { cursor } }"
    for after in ("", "nonsense", theirs["eventCursor"], store["id"]):
        assert "no cursor" in await first_error(api, events, {"id": store["id"], "after": after})
    assert "no such store" in await first_error(api, events, {"id": theirs["id"]})
    assert "no such store" in await first_error(api, events, {"id": "nonsense"})
    assert "no such account" in await first_error(api, ACCOUNT, {"account": "nonsense"})
    await api.sql("UPDATE events SET seq = seq + 10 WHERE store_id <> $1", "00000000-0000-0000-0000-000000000000")
    await api.sql("UPDATE account_streams SET seq = seq + 10")
    [row] = await api.sql("SELECT account_id FROM events ORDER BY at LIMIT 1")
    old = event_cursor(row["account_id"], 1)
    assert "no longer kept" in await first_error(api, events, {"id": store["id"], "after": old})


async def test_an_anonymous_socket_sees_nothing(api: Fleet) -> None:
    store = await api.create()
    events = "subscription ($id: ID!) { storeEvents(storeId: $id) { cursor } }"
    assert "Sign in" in await first_error(api, events, {"id": store["id"]}, token="")
    assert "Sign in" in await first_error(api, ACCOUNT, {}, token="")


async def test_a_browser_sends_its_token_in_connection_init(api: Fleet) -> None:
    socket = await connected(api)
    await socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {api.token}"}})
    assert (await socket.receive_json())["type"] == "connection_ack"
    payload = {"query": "{ viewer { user { email } } }"}
    await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
    answer = await socket.receive_json()
    assert answer["payload"]["data"]["viewer"]["user"]["email"] == "owner@example.com"
    await socket.close()
    socket = await connected(api)
    await socket.send_json({"type": "connection_init", "payload": {"authorization": "Bearer sf_wrong"}})
    assert (await socket.receive()).data == 4403
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await connected(api, Authorization="Bearer sf_wrong")


RUBBISH: tuple[str | bytes, ...] = (
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


async def test_rubbish_ends_the_socket_and_nothing_else(api: Fleet) -> None:
    for message in RUBBISH:
        socket = await connected(api)
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"
        if isinstance(message, bytes):
            await socket.send_bytes(message)
        else:
            await socket.send_str(message)
        closed = await socket.receive(timeout=5)
        assert closed.type == aiohttp.WSMsgType.CLOSE, message
        assert closed.data in (1009, 4400), message
    assert (await api.create())["status"] == "REQUESTED"


async def test_another_protocol_is_not_spoken(api: Fleet) -> None:
    socket = await api.http.ws_connect(f"{api.url}/graphql", protocols=("graphql-ws",))
    assert (await socket.receive(timeout=5)).type == aiohttp.WSMsgType.CLOSE
