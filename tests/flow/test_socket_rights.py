"""Rights on an open WebSocket are those of now: what ends or changes them ends the socket, with a code and a reason."""

from typing import Any

import aiohttp
import pytest

from runtime import changefeed
from tests.support.harness import CREATE, Harness
from tests.support.sockets import closed, open_socket, run_operation
from tests.support.waiting import hang_limit

TOKEN = """
mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token { id } secret userErrors { code } } }
"""
ENDINGS = {
    "revoked": "UPDATE api_tokens SET revoked_at = now() WHERE name = 'socket'",
    "deleted": "DELETE FROM api_tokens WHERE name = 'socket'",
    "removed from the account": "DELETE FROM memberships",
}
EVENTS = "subscription { accountEvents { cursor } }"


@pytest.fixture(autouse=True)
def _no_resync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the notification can end a socket."""
    monkeypatch.setattr(changefeed, "NOTIFY_ALL_SECONDS", 1e6)


async def create_token(api: Harness, **given: Any) -> str:
    """The secret of a token with the name `socket`."""
    data = await api.client().execute(TOKEN, {"input": {"name": "socket", "scopes": ["READ", "WRITE"], **given}})
    secret: str = data["createApiToken"]["secret"]
    return secret


@pytest.mark.parametrize("ending", ENDINGS)
async def test_an_ended_credential_closes_the_socket(api: Harness, ending: str) -> None:
    socket = await open_socket(api, await create_token(api))
    await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": EVENTS}})
    await api.sql(ENDINGS[ending])
    code, reason = await closed(socket)
    assert (code, reason) == (4401, "The token or session has ended. Sign in again.")


async def test_a_token_ends_at_its_expiry_to_the_second(api: Harness) -> None:
    socket = await open_socket(api, await create_token(api))
    await api.sql("UPDATE api_tokens SET expires_at = now() + interval '1 second' WHERE name = 'socket'")
    assert (await closed(socket))[0] == 4401
    [row] = await api.sql("SELECT now() - expires_at AS late FROM api_tokens WHERE name = 'socket'")
    assert row["late"].total_seconds() >= 0


async def test_a_demoted_member_connects_again(api: Harness) -> None:
    socket = await open_socket(api, api.token)
    await api.sql("UPDATE memberships SET role = 'viewer'")
    assert (await closed(socket))[0] == 4403
    socket = await open_socket(api, api.token)
    answer = await run_operation(socket, CREATE, {"input": {"name": "x", "engine": "WOOCOMMERCE"}})
    assert answer["payload"]["data"]["createStore"]["userErrors"][0]["code"] == "FORBIDDEN"


async def test_an_operation_never_runs_with_rights_that_have_ended(
    api: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if no notification arrives."""
    socket = await open_socket(api, await create_token(api))
    await api.sql("ALTER TABLE api_tokens DISABLE TRIGGER api_tokens_access_changed")
    await api.sql(ENDINGS["revoked"])
    payload = {"query": CREATE, "variables": {"input": {"name": "x", "engine": "WOOCOMMERCE"}}}
    await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
    assert (await closed(socket))[0] == 4401
    assert await api.sql("SELECT id FROM stores") == []


async def test_all_api_processes_close_the_socket(api: Harness, redis_url: str) -> None:
    """The notification comes from the database, whichever process or person wrote the change."""
    sockets = [await open_socket(api, api.token) for _ in range(3)]
    revoke = "mutation ($id: ID!) { revokeApiToken(input: {id: $id}) { userErrors { code } } }"
    tokens = (await api.client().execute("{ viewer { accounts { tokens { id } } } }"))["viewer"]["accounts"][0]
    await api.client().execute(revoke, {"id": tokens["tokens"][0]["id"]})
    assert [code for code, _ in [await closed(socket) for socket in sockets]] == [4401] * 3


async def test_a_token_without_the_scope_read_reads_nothing(api: Harness) -> None:
    writer = await create_token(api, scopes=["WRITE"])
    made = await api.create_store_payload(writer)
    assert made["store"]["status"] == "REQUESTED"
    for query in ("{ viewer { user { email } } }", "{ stores(first: 1) { nodes { id } } }", "{ engines { name } }"):
        async with api.http.post(
            f"{api.url}/graphql", json={"query": query}, headers={"Authorization": f"Bearer {writer}"}
        ) as response:
            assert (await response.json())["errors"][0]["extensions"]["code"] == "FORBIDDEN", query
    socket = await open_socket(api, writer)
    answer = await run_operation(socket, EVENTS)
    assert answer["payload"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_an_error_ends_a_subscription_as_an_error(api: Harness) -> None:
    """`next` with errors and then `complete` would look like a normal end."""
    socket = await open_socket(api, api.token)
    answer = await run_operation(socket, 'subscription { storeEvents(storeId: "nonsense") { cursor } }')
    assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "NOT_FOUND")
    answer = await run_operation(socket, "{ viewer { user { email } } }")
    assert answer["type"] == "next"


async def test_the_events_of_a_deleted_store_complete(harness: Harness) -> None:
    store = await harness.create_store()
    await harness.client().execute(
        "mutation ($id: ID!) { deleteStore(input: {id: $id}) { userErrors { code } } }", {"id": store["id"]}
    )
    async with hang_limit():
        events = [event async for event in harness.store_events(store["id"])]
        assert (events[-1]["type"], events[-1]["status"]) == ("STATUS", "DELETED")
        assert [event async for event in harness.store_events(store["id"], after=events[-1]["cursor"])] == []


async def test_an_event_has_the_status_of_its_moment(harness: Harness) -> None:
    store = await harness.create_store()
    events = await harness.wait_for_status(store["id"], "READY")
    statuses = [event["status"] for event in events]
    changes = [event["status"] for event in events if event["type"] == "STATUS"]
    assert changes == ["REQUESTED", "PROVISIONING", "READY"]
    assert statuses == sorted(statuses, key=changes.index)
    assert statuses.index("READY") == next(
        number for number, event in enumerate(events) if event["type"] == "STATUS" and event["status"] == "READY"
    )


async def test_a_cursor_of_the_future_is_expired(api: Harness) -> None:
    """A database was restored: events after such a cursor would come with numbers that the client has seen."""
    store = await api.create_store()
    await api.sql("DELETE FROM events")
    await api.sql("UPDATE account_streams SET seq = 0")
    socket = await open_socket(api, api.token)
    query = "subscription ($after: String) { accountEvents(after: $after) { cursor } }"
    answer = await run_operation(socket, query, {"after": store["eventCursor"]})
    assert answer["payload"][0]["extensions"]["code"] == "CURSOR_EXPIRED"


async def test_a_socket_without_accounts_is_closed_too(api: Harness) -> None:
    await api.sql("DELETE FROM memberships")
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        user = {"email": "owner@example.com", "password": "correct horse battery"}
        async with browser.post(f"{api.url}/auth/sign-in", json=user) as response:
            assert response.status == 200
        socket = await browser.ws_connect(f"{api.url}/graphql", protocols=("graphql-transport-ws",))
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"
        await api.sql("UPDATE sessions SET revoked_at = now()")
        query = {"query": "{ viewer { user { email } } }"}
        await socket.send_json({"id": "1", "type": "subscribe", "payload": query})
        assert (await closed(socket))[0] == 4401
