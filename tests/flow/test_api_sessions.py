"""A user's sessions and password: what they see, what they can end, and when a credential was last used."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts import last_used, password_change
from cli.client import ClientError
from schema.ids import encode_id
from tests.support.harness import PASSWORD, Harness
from tests.support.rows import connected
from tests.support.sockets import closed
from tests.support.waiting import HANG_SECONDS, hang_limit, wait_until

SESSIONS = """
query ($first: Int! = 20) { viewer { sessions(first: $first) {
  id createdAt lastUsedAt expiresAt userAgent current passwordOptional } } }
"""
END = "mutation ($id: ID!) { endSession(input: {id: $id}) { session { id } userErrors { code field } } }"
CHANGE = """
mutation ($input: ChangePasswordInput!) { changePassword(input: $input) {
  user { email } userErrors { code field message } } }
"""
NEW = "another battery staple"


class Browser:
    """A client with the session cookie of a sign-in."""

    def __init__(self, api: Harness, cookie: str) -> None:
        self.api = api
        self.headers = {"Cookie": cookie}

    async def post(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer."""
        body = {"query": query, "variables": variables}
        async with self.api.http.post(f"{self.api.url}/graphql", json=body, headers=self.headers) as response:
            answer: dict[str, Any] = await response.json()
            return answer

    async def sessions(self, **variables: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.post(SESSIONS, **variables))["data"]["viewer"]["sessions"]
        return found

    async def change_password(self, **given: Any) -> dict[str, Any]:
        payload: dict[str, Any] = (await self.post(CHANGE, input=given))["data"]["changePassword"]
        return payload

    async def end(self, session_id: str) -> dict[str, Any]:
        payload: dict[str, Any] = (await self.post(END, id=session_id))["data"]["endSession"]
        return payload


async def sign_in(api: Harness, agent: str = "tests", password: str = PASSWORD, path: str = "sign-in") -> Browser:
    body = {"email": "owner@example.com" if path == "sign-in" else "other@example.com", "password": password}
    headers = {"User-Agent": agent}
    async with api.http.post(f"{api.url}/auth/{path}", json=body, headers=headers) as response:
        assert response.status in (200, 201), await response.text()
        return Browser(api, "; ".join(f"{name}={cookie.value}" for name, cookie in response.cookies.items()))


async def is_signed_in(browser: Browser) -> bool:
    return (await browser.post("{ viewer { user { email } } }"))["data"]["viewer"] is not None


async def open_socket(browser: Browser) -> Any:
    socket = await browser.api.http.ws_connect(
        f"{browser.api.url}/graphql", protocols=("graphql-transport-ws",), headers=browser.headers
    )
    await socket.send_json({"type": "connection_init"})
    assert (await socket.receive_json(timeout=HANG_SECONDS))["type"] == "connection_ack"
    return socket


async def test_active_sessions_are_listed_the_newest_first(api: Harness) -> None:
    await sign_in(api, "Fire\tfox" + "x" * 500)
    browser = await sign_in(api, "Safari")
    sessions = await browser.sessions()
    assert [session["userAgent"] for session in sessions][:2] == ["Safari", "Firefox" + "x" * 293]
    assert [session["current"] for session in sessions] == [True, False, False]
    assert {session["passwordOptional"] for session in sessions} == {False}
    assert len({session["id"] for session in sessions}) == 3
    lifetime = datetime.fromisoformat(sessions[0]["expiresAt"]) - datetime.fromisoformat(sessions[0]["createdAt"])
    assert lifetime.days == 14
    assert [session["id"] for session in await browser.sessions(first=1)] == [sessions[0]["id"]]
    await api.sql("UPDATE sessions SET expires_at = now() WHERE user_agent LIKE 'Firefox%'")
    assert len(await browser.sessions()) == 2


@pytest.mark.parametrize("first", [0, 101, -1])
async def test_a_list_of_sessions_is_bounded(api: Harness, first: int) -> None:
    with pytest.raises(ClientError, match="`first` is 1 to 100"):
        await api.client().execute(SESSIONS, {"first": first})


async def test_a_session_can_be_ended_and_its_socket_with_it(api: Harness) -> None:
    lost, browser = await sign_in(api, "lost"), await sign_in(api, "here")
    socket = await open_socket(lost)
    [session] = [session for session in await browser.sessions() if session["userAgent"] == "lost"]
    ended = {"session": {"id": session["id"]}, "userErrors": []}
    assert await browser.end(session["id"]) == ended
    assert (await closed(socket))[0] == 4401
    assert not await is_signed_in(lost)
    assert await browser.end(session["id"]) == ended, "again is no error"
    own = next(session for session in await browser.sessions() if session["current"])
    assert (await browser.end(own["id"]))["userErrors"] == []
    assert not await is_signed_in(browser)


async def test_a_user_cannot_end_another_users_session(api: Harness) -> None:
    browser, other = await sign_in(api), await sign_in(api, path="sign-up")
    [theirs] = await other.sessions()
    [row] = await api.sql("SELECT id FROM users WHERE email = 'other@example.com'")
    for wrong in (theirs["id"], "nonsense", encode_id("User", row["id"]), ""):
        assert await browser.end(wrong) == {"session": None, "userErrors": [{"code": "NOT_FOUND", "field": "id"}]}
    assert await is_signed_in(other)


async def test_a_token_has_no_sessions_and_changes_no_password(api: Harness) -> None:
    browser = await sign_in(api)
    [session, _] = await browser.sessions()
    assert (await api.client().execute(SESSIONS))["viewer"]["sessions"] == []
    payload = (await api.client().execute(END, {"id": session["id"]}))["endSession"]
    assert payload["userErrors"] == [{"code": "FORBIDDEN", "field": None}]
    given = {"currentPassword": PASSWORD, "newPassword": NEW}
    payload = (await api.client().execute(CHANGE, {"input": given}))["changePassword"]
    assert payload["userErrors"][0]["code"] == "FORBIDDEN"
    for query, variables in ((END, {"id": session["id"]}), (CHANGE, {"input": given})):
        with pytest.raises(ClientError, match="Sign in"):
            await api.client("").execute(query, variables)
    assert await is_signed_in(browser)


async def test_a_new_password_ends_all_other_sessions(api: Harness) -> None:
    lost, browser = await sign_in(api), await sign_in(api)
    other = await sign_in(api, path="sign-up")
    socket = await open_socket(lost)
    payload = await browser.change_password(currentPassword=PASSWORD, newPassword=NEW)
    assert payload == {"user": {"email": "owner@example.com"}, "userErrors": []}
    assert (await closed(socket))[0] == 4401
    assert (await is_signed_in(lost), await is_signed_in(browser), await is_signed_in(other)) == (False, True, True)
    assert [session["current"] for session in await browser.sessions()] == [True]
    assert (await api.client().execute("{ viewer { user { email } } }"))["viewer"] is not None, "tokens stay"
    await sign_in(api, password=NEW)
    with pytest.raises(AssertionError, match="UNAUTHENTICATED"):
        await sign_in(api, password=PASSWORD)
    entries = await api.sql("SELECT detail::text FROM audit WHERE action = 'password.changed'")
    assert [NEW in entry["detail"] for entry in entries] == [False]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"currentPassword": "wrong", "newPassword": NEW}, "currentPassword"),
        ({"currentPassword": "x" * 50_000, "newPassword": NEW}, "currentPassword"),
        ({"currentPassword": None, "newPassword": NEW}, "currentPassword"),
        ({"newPassword": NEW}, "currentPassword"),
        ({"currentPassword": PASSWORD, "newPassword": "short"}, "newPassword"),
        ({"currentPassword": PASSWORD, "newPassword": "x" * 201}, "newPassword"),
    ],
)
async def test_a_wrong_password_changes_nothing(api: Harness, given: dict[str, Any], field: str) -> None:
    browser = await sign_in(api)
    [error] = (await browser.change_password(**given))["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID_PASSWORD", field)
    await sign_in(api)
    assert len(await browser.sessions()) == 3


async def test_guessing_the_current_password_is_throttled(api: Harness) -> None:
    browser = await sign_in(api)
    errors = await asyncio.gather(
        *(browser.change_password(currentPassword=f"guess {number}", newPassword=NEW) for number in range(14))
    )
    codes = [error["userErrors"][0]["code"] for error in errors]
    assert codes.count("INVALID_PASSWORD") == 10
    assert codes.count("RATE_LIMITED") == 4
    right = await browser.change_password(currentPassword=PASSWORD, newPassword=NEW)
    assert right["userErrors"][0]["code"] == "RATE_LIMITED"


async def test_a_repeated_change_acts_once(api: Harness) -> None:
    browser = await sign_in(api)
    given = {"currentPassword": PASSWORD, "newPassword": NEW, "idempotencyKey": "change-1"}
    payloads = [await browser.change_password(**given) for _ in range(3)]
    assert [payload["userErrors"] for payload in payloads] == [[], [], []]
    [row] = await api.sql("SELECT count(*) AS times FROM audit WHERE action = 'password.changed'")
    assert row["times"] == 1
    malformed = await browser.change_password(**given | {"idempotencyKey": ""})
    assert malformed["userErrors"][0]["code"] == "INVALID_IDEMPOTENCY_KEY"


async def test_of_two_changes_at_once_one_succeeds(api: Harness) -> None:
    browser = await sign_in(api)
    payloads = await asyncio.gather(
        *(browser.change_password(currentPassword=PASSWORD, newPassword=f"{NEW} {number}") for number in range(3))
    )
    assert sorted(len(payload["userErrors"]) for payload in payloads) == [0, 1, 1]


@pytest.mark.parametrize("settings", [{"database_pool": 2}], indirect=True)
async def test_passwords_that_wait_hold_no_database_connection(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, go_on, waiting = await sign_in(api), asyncio.Event(), 0

    async def slow(*_: object) -> bool:
        nonlocal waiting
        waiting += 1
        await go_on.wait()
        return False

    async def all_wait() -> bool:
        return waiting == 8

    monkeypatch.setattr(password_change, "verify_password", slow)
    given = {"currentPassword": PASSWORD, "newPassword": NEW}
    changes = [asyncio.create_task(browser.change_password(**given)) for _ in range(8)]
    await wait_until(all_wait)
    assert await is_signed_in(browser)
    go_on.set()
    codes = [payload["userErrors"][0]["code"] for payload in await asyncio.gather(*changes)]
    assert set(codes) == {"INVALID_PASSWORD"}


async def uses(api: Harness) -> list[Any]:
    return [row["last_used_at"] for row in await api.sql("SELECT last_used_at FROM api_tokens")]


async def test_a_tokens_last_use_is_seen_at_most_once_a_minute(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    query = "{ viewer { accounts { tokens { lastUsedAt } } } }"

    async def is_recorded() -> bool:
        return await uses(api) != [None]

    await asyncio.gather(*(api.client().execute(query) for _ in range(10)))
    await wait_until(is_recorded)
    [first] = await uses(api)
    assert (datetime.now(UTC) - first).total_seconds() < 60
    [account] = (await api.client().execute(query))["viewer"]["accounts"]
    assert datetime.fromisoformat(account["tokens"][0]["lastUsedAt"]) == first
    assert await uses(api) == [first]
    monkeypatch.setattr(last_used, "MAX_REMEMBERED", 0)
    await (await sign_in(api)).sessions()  # it forgets what it has recorded
    await api.client().execute(query)
    assert await uses(api) == [first], "the database keeps the interval, too"

    async def is_newer() -> bool:
        await api.client().execute(query)
        return await uses(api) != [first]

    monkeypatch.setattr(last_used, "INTERVAL_SECONDS", 0.0)
    await wait_until(is_newer)


async def test_the_use_of_a_session_and_of_a_socket_is_recorded(api: Harness) -> None:
    browser = await sign_in(api)
    [row] = await api.sql("SELECT last_used_at FROM sessions ORDER BY created_at DESC LIMIT 1")
    assert row["last_used_at"] is None

    async def is_recorded() -> bool:
        return (await browser.sessions())[0]["lastUsedAt"] is not None

    await wait_until(is_recorded)
    await api.sql("UPDATE api_tokens SET last_used_at = NULL")
    socket = await api.http.ws_connect(f"{api.url}/graphql", protocols=("graphql-transport-ws",))
    payload = {"authorization": f"Bearer {api.token}"}
    await socket.send_json({"type": "connection_init", "payload": payload})

    async def token_is_recorded() -> bool:
        return await uses(api) != [None]

    await wait_until(token_is_recorded)
    await socket.close()


async def test_recording_a_use_waits_for_no_lock(api: Harness) -> None:
    """The request doesn't wait: a locked row is skipped."""
    url = api.settings.database_url.get_secret_value()
    async with connected(url) as connection, connection.transaction():
        await connection.execute("SELECT FROM api_tokens FOR UPDATE")
        await api.client().execute("{ viewer { user { email } } }")
        async with hang_limit():
            await asyncio.gather(*(task for task in asyncio.all_tasks() if "LastUsed" in repr(task.get_coro())))
    assert await uses(api) == [None]


async def test_a_user_without_an_account_changes_the_password(api: Harness) -> None:
    browser = await sign_in(api)
    await api.sql("DELETE FROM memberships")
    payload = await browser.change_password(currentPassword=PASSWORD, newPassword=NEW, idempotencyKey="change-1")
    assert payload["userErrors"] == []


async def test_a_use_that_cant_be_written_fails_no_request(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.sql("ALTER TABLE api_tokens ADD CONSTRAINT unused CHECK (last_used_at IS NULL)")
    await api.client().execute("{ viewer { user { email } } }")
    await api.client().execute("{ viewer { user { email } } }")
    assert await uses(api) == [None]
