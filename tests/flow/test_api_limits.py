"""Quotas, idempotency and sign-in, when many come at once."""

import asyncio
import itertools
from typing import Any

import aiohttp
import asyncpg
import pytest

from cli.client import ClientError
from runtime import changefeed
from tests.support.harness import CREATE, DELETE, PASSWORD, RETRY, Harness
from tests.support.waiting import HANG_SECONDS, hang_limit, wait_until

FIVE = pytest.mark.parametrize("settings", [{"store_quota": 5, "creations_per_hour": 1000}], indirect=True)
THREE_AN_HOUR = pytest.mark.parametrize("settings", [{"store_quota": 50, "creations_per_hour": 3}], indirect=True)
TOKEN = """
mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) {
  token { id name scopes } secret userErrors { code field } } }
"""


@FIVE
async def test_fifty_creations_at_once_leave_exactly_the_quota(api: Harness) -> None:
    payloads = await asyncio.gather(*(api.create_store_payload(name=f"Store {number}") for number in range(50)))
    created = [payload for payload in payloads if payload["store"] is not None]
    refused = [payload["userErrors"][0] for payload in payloads if payload["store"] is None]
    assert len(created) == 5
    assert {error["code"] for error in refused} == {"QUOTA_EXCEEDED"}
    assert "limit is 5" in refused[0]["message"]
    [row] = await api.sql("SELECT count(*) FROM stores")
    assert row["count"] == 5


async def test_who_gives_way_to_another_is_told_to_try_again(api: Harness) -> None:
    await api.create_store(name="First")
    connection = await asyncpg.connect(api.settings.database_url.get_secret_value())
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM account_streams FOR UPDATE")
            creating = asyncio.create_task(api.create_store_payload(name="Second"))
            await wait_until(lambda: api.sql("SELECT 1 FROM pg_locks WHERE NOT granted"))
            await connection.execute(
                "SELECT 1 FROM accounts FOR UPDATE"
            )  # a deadlock: PostgreSQL aborts the one that waited longer
            with pytest.raises(ClientError, match="nothing was done"):
                await creating
    finally:
        await connection.close()
    assert (await api.create_store_payload(name="Second"))["userErrors"] == []


@THREE_AN_HOUR
async def test_creations_an_hour_count_deleted_stores_too(harness: Harness) -> None:
    for _ in range(3):
        store = await harness.create_store()
        await harness.client().execute(DELETE, {"id": store["id"]})
        await harness.wait_for_status(store["id"], "DELETED")
    payload = await harness.create_store_payload()
    [error] = payload["userErrors"]
    assert error["code"] == "RATE_LIMITED"
    assert "UTC" in error["message"]
    await harness.sql("UPDATE stores SET created_at = created_at - interval '1 hour'")
    assert (await harness.create_store_payload())["userErrors"] == []
    await harness.sql("UPDATE accounts SET creations_per_hour = 0")
    payload = await harness.create_store_payload()
    assert "none at all" in payload["userErrors"][0]["message"]


async def test_one_key_twenty_times_at_once_makes_one_store(api: Harness) -> None:
    given = {"name": "Once", "idempotencyKey": "click-1"}
    payloads = await asyncio.gather(*(api.create_store_payload(**given) for _ in range(20)))
    assert {payload["store"]["id"] for payload in payloads} == {payloads[0]["store"]["id"]}
    [row] = await api.sql("SELECT count(*) FROM stores")
    assert row["count"] == 1
    payload = await api.create_store_payload(name="Other", idempotencyKey="click-1")
    assert payload["userErrors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"
    token, _ = await api.sign_up("other@example.com")
    assert (await api.create_store_payload(token, **given))["store"]["id"] != payloads[0]["store"]["id"]


async def test_a_failure_under_a_key_is_not_remembered(api: Harness) -> None:
    await api.create_store(slug="taken-already")
    given = {"name": "Again", "slug": "taken-already", "idempotencyKey": "k"}
    assert (await api.create_store_payload(**given))["userErrors"][0]["code"] == "SLUG_TAKEN"
    await api.sql("UPDATE slugs SET released_at = now() - interval '31 days'")
    assert (await api.create_store_payload(**given))["store"]["slug"] == "taken-already"


async def test_a_replayed_delete_does_not_act_on_what_came_after(harness: Harness) -> None:
    store = await harness.create_store()
    delete = "mutation ($i: DeleteStoreInput!) { deleteStore(input: $i) { store { status } userErrors { code } } }"
    given = {"i": {"id": store["id"], "idempotencyKey": "d"}}
    await asyncio.gather(*(harness.client().execute(delete, given) for _ in range(5)))
    await harness.wait_for_status(store["id"], "DELETED")
    replay = await harness.client().execute(delete, given)
    assert replay["deleteStore"]["store"]["status"] == "DELETED"
    [row] = await harness.sql("SELECT count(*) FROM audit WHERE action = 'store.deleted'")
    assert row["count"] == 1
    wrong = await harness.client().execute(delete, {"i": {"id": "nothing", "idempotencyKey": "e"}})
    assert wrong["deleteStore"]["userErrors"][0]["code"] == "NOT_FOUND"


async def test_only_a_failed_store_can_be_retried(api: Harness) -> None:
    store = await api.create_store()
    payload = (await api.client().execute(RETRY, {"id": store["id"]}))["retryStore"]
    assert payload["userErrors"][0]["code"] == "WRONG_STATUS"


async def test_tokens_can_do_no_more_than_they_say(api: Harness) -> None:
    made = await api.client().execute(TOKEN, {"input": {"name": "reader", "scopes": ["READ"], "idempotencyKey": "t"}})
    reader = made["createApiToken"]["secret"]
    again = await api.client().execute(TOKEN, {"input": {"name": "reader", "scopes": ["READ"], "idempotencyKey": "t"}})
    assert again["createApiToken"]["secret"] is None
    assert again["createApiToken"]["token"] == made["createApiToken"]["token"]
    assert (await api.create_store_payload(reader))["userErrors"][0]["code"] == "FORBIDDEN"
    more = await api.client(reader).execute(TOKEN, {"input": {"name": "more", "scopes": ["READ", "WRITE"]}})
    assert more["createApiToken"]["userErrors"][0]["code"] == "FORBIDDEN"
    for given, code in (
        ({"name": "", "scopes": ["READ"]}, "INVALID_NAME"),
        ({"name": "x", "scopes": []}, "INVALID_SCOPES"),
        ({"name": "x", "scopes": ["READ"], "expiresAt": "2020-01-01T00:00:00+00:00"}, "INVALID_EXPIRY"),
        ({"name": "x", "scopes": ["READ"], "expiresAt": "2999-01-01T00:00:00"}, "INVALID_EXPIRY"),
    ):
        wrong = await api.client().execute(TOKEN, {"input": given})
        assert wrong["createApiToken"]["userErrors"][0]["code"] == code
    kept = await api.sql("SELECT token_hash FROM api_tokens")
    assert not [row for row in kept if reader.encode() in row["token_hash"]]
    listed = (await api.client(reader).execute("{ viewer { accounts { name role tokens { name } } } }"))["viewer"]
    assert {token["name"] for token in listed["accounts"][0]["tokens"]} == {"test", "reader"}


async def test_revoking_a_token_ends_its_sockets_at_once(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changefeed, "NOTIFY_ALL_SECONDS", 1e6)  # so that only the notification can end them
    made = (await api.client().execute(TOKEN, {"input": {"name": "socket", "scopes": ["READ"]}}))["createApiToken"]
    store = await api.create_store()
    client = api.client(made["secret"])
    events = client.subscribe("subscription ($id: ID!) { storeEvents(storeId: $id) { cursor } }", {"id": store["id"]})
    await anext(events)
    revoke = "mutation ($id: ID!) { revokeApiToken(input: {id: $id}) { token { revokedAt } userErrors { code } } }"
    for _ in range(2):
        answer = await api.client().execute(revoke, {"id": made["token"]["id"]})
        assert answer["revokeApiToken"]["token"]["revokedAt"] is not None
    with pytest.raises(Exception, match="has ended"):
        async with hang_limit():
            await anext(events)
    wrong = await api.client().execute(revoke, {"id": "nothing"})
    assert wrong["revokeApiToken"]["userErrors"][0]["code"] == "NOT_FOUND"


async def post_auth(harness: Harness, action: str, body: Any, **headers: str) -> tuple[int, Any]:
    """POST to /auth/sign-in, /auth/sign-up or /auth/sign-out. Returns status and answer."""
    data = {"data": body} if isinstance(body, bytes) else {"json": body}
    async with harness.http.post(f"{harness.url}/auth/{action}", headers=headers, **data) as response:
        return response.status, await response.json() if response.status != 204 else None


async def test_signing_up_and_in(api: Harness) -> None:
    for body in (b"", b"[]", b'{"email": 1, "password": 2}', b"\xff"):
        for action in ("sign-up", "sign-in"):
            status, answer = await post_auth(api, action, body)
            assert (status, answer["errors"][0]["code"]) == (400, "BAD_USER_INPUT")
    for email, password, code in (
        ("nobody", PASSWORD, "INVALID_EMAIL"),
        ("new@example.com", "short", "INVALID_PASSWORD"),
        ("new@example.com", "x" * 201, "INVALID_PASSWORD"),
        ("Owner@Example.com", PASSWORD, "EMAIL_TAKEN"),
    ):
        status, answer = await post_auth(api, "sign-up", {"email": email, "password": password})
        assert (status, answer["errors"][0]["code"]) == (422, code)
    assert (await post_auth(api, "sign-in", {"email": "OWNER@example.com", "password": PASSWORD}))[0] == 200
    assert (await post_auth(api, "sign-in", {"email": "owner@example.com", "password": "wrong"}))[0] == 401
    assert (await post_auth(api, "sign-in", {"email": "nobody@example.com", "password": "wrong"}))[0] == 401
    assert (await post_auth(api, "sign-out", {}))[0] == 204


async def test_guessing_is_throttled_even_when_all_guesses_come_at_once(api: Harness) -> None:
    guesses = [{"email": "owner@example.com", "password": f"guess {number}"} for number in range(30)]
    answers = await asyncio.gather(*(post_auth(api, "sign-in", guess) for guess in guesses))
    assert [status for status, _ in answers].count(401) <= 10
    status, answer = await post_auth(api, "sign-in", {"email": "owner@example.com", "password": PASSWORD})
    assert (status, answer["errors"][0]["code"]) == (429, "RATE_LIMITED")
    await api.sql("UPDATE sign_in_throttle SET window_ends = now() - interval '1 second'")
    assert (await post_auth(api, "sign-in", {"email": "owner@example.com", "password": PASSWORD}))[0] == 200


async def test_guesses_are_counted_for_whom_the_ingress_names(api: Harness) -> None:
    async def guess(*forwarded_for: str) -> int:
        guess = {"email": f"{next(numbers)}@example.com", "password": "wrong"}
        headers = [("X-Forwarded-For", line) for line in forwarded_for]
        async with api.http.post(f"{api.url}/auth/sign-in", json=guess, headers=headers) as response:
            return response.status

    numbers = itertools.count()
    same_client = ("203.0.113.7", "198.51.100.1, 203.0.113.7", "203.0.113.7, 10.244.0.9", "203.0.113.7:52001")
    assert [await guess(header) for header in same_client * 3] == [401] * 10 + [429] * 2
    assert await guess("198.51.100.1", "203.0.113.7") == 429  # a list may be in several lines
    assert await guess("203.0.113.8") == 401
    assert [await guess(f"2001:db8:1:2::{number:x}") for number in range(11)] == [401] * 10 + [429]
    assert await guess("2001:db8:1:3::1") == 401
    assert {await guess(header) for header in ("somebody", "é", "x" * 5000, "")} == {401}
    keys = {row["key"] for row in await api.sql("SELECT key FROM sign_in_throttle WHERE key LIKE 'ip:%'")}
    assert keys == {
        *("ip:203.0.113.7", "ip:203.0.113.8", "ip:2001:db8:1:2::/64", "ip:2001:db8:1:3::/64"),
        *("ip:unknown", "ip:127.0.0.1"),
    }


@pytest.mark.parametrize("settings", [{"trusted_proxies": ("10.0.0.0/8",)}], indirect=True)
async def test_without_a_trusted_proxy_the_peer_address_counts(api: Harness) -> None:
    given = {"email": "owner@example.com", "password": "wrong"}
    async with api.http.post(f"{api.url}/auth/sign-in", json=given, headers={"X-Forwarded-For": "203.0.113.7"}):
        pass
    keys = [row["key"] for row in await api.sql("SELECT key FROM sign_in_throttle WHERE key LIKE 'ip:%'")]
    assert keys == ["ip:127.0.0.1"]


async def test_signing_out_ends_the_session_and_its_sockets(api: Harness, stream_started: asyncio.Event) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        user = {"email": "owner@example.com", "password": PASSWORD}
        async with browser.post(f"{api.url}/auth/sign-in", json=user) as response:
            assert response.status == 200
        viewer = {"query": "{ viewer { user { email } } }"}
        socket = await browser.ws_connect(f"{api.url}/graphql", protocols=("graphql-transport-ws",))
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"
        query = {"query": "subscription { accountEvents { cursor } }"}
        await socket.send_json({"id": "1", "type": "subscribe", "payload": query})
        await stream_started.wait()
        cookies = {cookie.key: cookie.value for cookie in jar}
        async with api.http.post(f"{api.url}/auth/sign-out", cookies=cookies) as response:
            assert response.status == 204
        closed = await socket.receive(timeout=HANG_SECONDS)
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4401)
        async with browser.post(f"{api.url}/graphql", json=viewer) as response:
            assert (await response.json())["data"]["viewer"] is None


@pytest.mark.parametrize("settings", [{"public_url": "https://fleet.example.com"}], indirect=True)
async def test_behind_https_the_cookie_is_our_host_s_alone_and_the_public_origin_ours(api: Harness) -> None:
    user = {"email": "owner@example.com", "password": PASSWORD}
    headers = {"Origin": "https://fleet.example.com"}
    async with api.http.post(f"{api.url}/auth/sign-in", json=user, headers=headers) as response:
        assert response.status == 200
        [(name, cookie)] = response.cookies.items()
    # what browsers require of a cookie with this prefix
    assert name.startswith("__Host-")
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")

    async def viewer(name: str) -> Any:
        query = {"query": "{ viewer { user { email } } }"}
        given = headers | {"Cookie": f"{name}={cookie.value}"}
        async with api.http.post(f"{api.url}/graphql", json=query, headers=given) as response:
            return (await response.json())["data"]["viewer"]

    assert await viewer(name) == {"user": {"email": "owner@example.com"}}
    assert await viewer(name.removeprefix("__Host-")) is None  # a store's page could set a cookie of that name
    gone = headers | {"Cookie": f"{name}={cookie.value}"}
    async with api.http.post(f"{api.url}/auth/sign-out", headers=gone) as response:
        assert (response.status, response.cookies[name]["secure"], response.cookies[name]["max-age"]) == (
            204,
            True,
            "0",
        )
    assert await viewer(name) is None


@pytest.mark.parametrize("settings", [{"sign_up": "closed"}], indirect=True)
async def test_sign_up_can_be_closed(api: Harness) -> None:
    status, answer = await post_auth(api, "sign-up", {"email": "new@example.com", "password": PASSWORD})
    assert (status, answer["errors"][0]["code"]) == (403, "FORBIDDEN")
    assert await api.sql("SELECT * FROM users") == []
    assert (await api.client("").execute("{ signUpOpen }")) == {"signUpOpen": False}


async def test_a_variable_may_carry_the_input(api: Harness) -> None:
    given = {"name": "All of it", "engine": "WOOCOMMERCE", "plan": "MEDIUM", "accountId": api.account}
    payload = (await api.client().execute(CREATE, {"input": given}))["createStore"]
    assert payload["store"]["plan"] == "MEDIUM"
