"""Links with which a user signs in once: for a first sign-in, and for a forgotten password."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest

from cli.commands import main
from runtime import settings as runtime_settings
from runtime.database import session_factory
from tests.support.harness import PASSWORD, Harness
from workers.maintenance import delete_expired

VIEWER = "{ viewer { user { email } sessions { current passwordOptional userAgent } } }"
CHANGE = """
mutation ($input: ChangePasswordInput!) { changePassword(input: $input) {
  user { email } userErrors { code field message } } }
"""


@pytest.fixture
def cli(api: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command with the harness's database. Returns the exit code, stdout and stderr."""
    for name in ("database_url", "redis_url", "admin_keys"):
        monkeypatch.setenv(f"STOREFLEET_{name.upper()}", getattr(api.api_settings, name).get_secret_value())
    monkeypatch.setenv("STOREFLEET_PUBLIC_URL", "https://fleet.example.com/")
    runtime_settings.load_settings.cache_clear()

    async def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["storefleet", *arguments])
        capsys.readouterr()
        code = await asyncio.to_thread(main)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


async def new_token(cli: Any, email: str = "owner@example.com") -> str:
    """The token of a new link."""
    code, printed, _ = await cli("users", "link", email)
    assert code == 0
    link = urlsplit(printed.strip())
    assert (link.scheme, link.netloc, link.path, link.query) == ("https", "fleet.example.com", "/sign-in", "")
    fragment: str = link.fragment
    return fragment.removeprefix("token=")


async def use(api: Harness, body: Any, **headers: str) -> tuple[int, Any, dict[str, str]]:
    """POST /auth/link. Returns the status, the body, and a header with the session's cookie."""
    async with api.http.post(f"{api.url}/auth/link", json=body, headers=headers) as response:
        cookies = "; ".join(f"{name}={cookie.value}" for name, cookie in response.cookies.items())
        if cookies:
            assert "HttpOnly" in response.headers["Set-Cookie"]
        return response.status, await response.json(), {"Cookie": cookies}


async def post(api: Harness, query: str, variables: Any, headers: dict[str, str]) -> Any:
    body = {"query": query, "variables": variables}
    async with api.http.post(f"{api.url}/graphql", json=body, headers=headers) as response:
        return (await response.json())["data"]


async def sign_in(api: Harness, password: str) -> int:
    body = {"email": "owner@example.com", "password": password}
    async with api.http.post(f"{api.url}/auth/sign-in", json=body) as response:
        return response.status


async def test_a_link_signs_in_once(api: Harness, cli: Any) -> None:
    token = await new_token(cli)
    status, body, session = await use(api, {"token": token}, **{"User-Agent": "Mozilla/5.0 (Fig\tOlive)"})
    assert (status, body["accountId"]) == (200, api.account)
    viewer = (await post(api, VIEWER, {}, session))["viewer"]
    assert viewer["user"]["email"] == "owner@example.com"
    assert viewer["sessions"][0] == {
        "current": True, "passwordOptional": True, "userAgent": "Mozilla/5.0 (FigOlive)",
    }  # fmt: skip
    status, body, session = await use(api, {"token": token})
    assert (status, session) == (401, {"Cookie": ""})
    assert body["errors"][0]["code"] == "UNAUTHENTICATED"
    [row] = await api.sql("SELECT count(*) AS times FROM audit WHERE action = 'user.signed_in_with_link'")
    assert row["times"] == 1


async def test_of_two_at_once_one_signs_in(api: Harness, cli: Any) -> None:
    token = await new_token(cli)
    answers = await asyncio.gather(*(use(api, {"token": token}) for _ in range(5)))
    assert sorted(status for status, *_ in answers) == [200, 401, 401, 401, 401]


async def test_a_link_is_valid_for_15_minutes(api: Harness, cli: Any) -> None:
    token = await new_token(cli)
    [row] = await api.sql("SELECT expires_at - created_at AS lifetime FROM sign_in_links")
    assert row["lifetime"].total_seconds() == 900
    await api.sql("UPDATE sign_in_links SET expires_at = now()")
    assert (await use(api, {"token": token}))[0] == 401


async def test_the_database_has_only_its_hash(api: Harness, cli: Any) -> None:
    token = await new_token(cli)
    [row] = await api.sql("SELECT sign_in_links::text AS text FROM sign_in_links")
    assert token not in row["text"]
    assert len(token) == 43


@pytest.mark.parametrize("body", [None, [], {}, {"token": 7}, {"token": None}, {"Token": "x"}])
async def test_bad_input_is_refused(api: Harness, body: Any) -> None:
    status, answer, _ = await use(api, body)
    assert (status, answer["errors"][0]["code"]) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize("token", ["", "x" * 43, "\0", "\ud800", "x" * 50_000])
async def test_an_unknown_token_is_refused(api: Harness, token: str) -> None:
    assert (await use(api, {"token": token}))[0] == 401


async def test_pages_of_another_origin_cant_use_links(api: Harness, cli: Any) -> None:
    token = await new_token(cli)
    assert (await use(api, {"token": token}, Origin="https://evil.example"))[0] == 403
    assert (await use(api, {"token": token}, Origin=api.url))[0] == 200


async def test_guessing_is_throttled(api: Harness, cli: Any) -> None:
    for _ in range(3):  # right ones don't count
        assert (await use(api, {"token": await new_token(cli)}))[0] == 200
    statuses = [(await use(api, {"token": "guess"}))[0] for _ in range(11)]
    assert statuses.count(401) >= 9
    assert statuses[-1] == 429
    token = await new_token(cli)
    assert (await use(api, {"token": token}))[0] == 429
    await api.sql("DELETE FROM sign_in_throttle")
    assert (await use(api, {"token": token}))[0] == 200, "the throttled attempt didn't use it up"


async def test_an_unknown_user_gets_no_link(cli: Any) -> None:
    code, printed, error = await cli("users", "link", "nobody@example.com")
    assert (code, printed) == (1, "")
    assert "There is no user nobody@example.com." in error


async def test_a_forgotten_password_is_replaced(api: Harness, cli: Any) -> None:
    unused = await new_token(cli)
    _, _, session = await use(api, {"token": await new_token(cli)})
    change = {"input": {"newPassword": "another battery"}}
    payload = (await post(api, CHANGE, change, session))["changePassword"]
    assert payload == {"user": {"email": "owner@example.com"}, "userErrors": []}
    assert (await sign_in(api, PASSWORD), await sign_in(api, "another battery")) == (401, 200)
    assert (await use(api, {"token": unused}))[0] == 401, "other links end"
    [error] = (await post(api, CHANGE, change, session))["changePassword"]["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID_PASSWORD", "currentPassword")


async def test_an_old_session_of_a_link_needs_the_password(api: Harness, cli: Any) -> None:
    _, _, session = await use(api, {"token": await new_token(cli)})
    await api.sql("UPDATE sessions SET created_at = now() - interval '61 minutes'")
    viewer = (await post(api, VIEWER, {}, session))["viewer"]
    assert {item["passwordOptional"] for item in viewer["sessions"]} == {False}
    payload = (await post(api, CHANGE, {"input": {"newPassword": "another battery"}}, session))["changePassword"]
    assert payload["userErrors"][0]["field"] == "currentPassword"


async def test_links_that_have_ended_are_deleted(api: Harness, cli: Any) -> None:
    await new_token(cli)
    await api.sql("UPDATE sign_in_links SET expires_at = now() - interval '1 s'")
    token = await new_token(cli, "OWNER@example.com")
    async with session_factory(api.worker_settings.database_url, 2) as sessions:
        await delete_expired(sessions, api.worker_settings)
    [row] = await api.sql("SELECT count(*) AS kept FROM sign_in_links")
    assert row["kept"] == 1
    assert (await use(api, {"token": token}))[0] == 200
