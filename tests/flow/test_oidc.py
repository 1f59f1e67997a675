"""Sign-in with an OpenID provider: sign-up, linking, invitations, and a process that dies."""

import asyncio
import sys

import aiohttp
import pytest

from sandbox.ports import free_port
from tests.support.harness import PASSWORD, ROOT, Harness, process_environment
from tests.support.oidc_fixtures import NewBrowser, first_key, new_browser, provider, settings
from tests.support.oidc_provider import CLIENT_SECRET, FakeProvider
from tests.support.processes import start_storefleet
from tests.support.rows import connected
from tests.support.waiting import hang_limit, wait_until

__all__ = ["first_key", "new_browser", "provider", "settings"]
VIEWER = "{ viewer { user { id email } accounts { name } sessions { current } } }"
CHANGE_PASSWORD = """
mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { field message } } }
"""
INVITE = "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { link userErrors { code } } }"
ACCEPT = "mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { accountId } }"
CLOSED = pytest.mark.parametrize("settings", [{"sign_up": "closed"}], indirect=True)


async def actions(api: Harness) -> list[str]:
    """Of the audit log, the last first."""
    return [row["action"] for row in await api.sql("SELECT action FROM audit ORDER BY id DESC")]


async def add_password_user(api: Harness, email: str) -> dict[str, str]:
    """A user from before the provider was configured. Returns the headers of a session."""
    await api.sign_up("before@example.com")
    await api.sql("UPDATE users SET email = $1 WHERE email = 'before@example.com'", email)
    return await api.sign_in(email)


async def test_a_person_signs_up_and_stays_the_same_user(
    api: Harness, provider: FakeProvider, new_browser: NewBrowser, capfd: pytest.CaptureFixture[str]
) -> None:
    browser = await new_browser()
    assert await browser.ask("{ identityProvider }") == {"identityProvider": "Corp"}
    asked = await browser.begin("?next=/stores/olives%3Fa%3Db")
    assert asked | {"state": "", "nonce": "", "code_challenge": ""} == {
        "realm": "main",  # the provider's own
        "response_type": "code",
        "client_id": "storefleet",
        "redirect_uri": f"{api.url}/auth/oidc/callback",
        "scope": "openid email",
        "state": "",
        "nonce": "",
        "code_challenge": "",
        "code_challenge_method": "S256",
    }
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    provider.claims = {"email": "New.Person@corp.example"}
    async with browser.http.get(provider.authorize(asked), allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/stores/olives?a=b")
        assert response.headers["Cache-Control"] == "no-store"
        session = response.cookies["storefleet_session"]
        assert (session["httponly"], session["samesite"], session["path"]) == (True, "lax", "/")
    assert browser.cookies().keys() == {"storefleet_session"}
    viewer = (await browser.ask(VIEWER))["viewer"]
    assert (viewer["user"]["email"], viewer["accounts"]) == (
        "new.person@corp.example",
        [{"name": "new.person's stores"}],
    )
    assert (await actions(api))[:2] == ["user.signed_in_with_identity", "user.signed_up"]

    provider.claims = {"email": "renamed@corp.example"}  # the address changes, the subject doesn't
    other = await new_browser()
    assert await other.sign_in("?next=//evil.example") == "/"
    assert (await other.ask(VIEWER))["viewer"]["user"] == viewer["user"]
    assert provider.requests.count("/jwks") == provider.requests.count("/.well-known/openid-configuration") == 1
    [error] = (await other.ask(CHANGE_PASSWORD, {"input": {"currentPassword": "", "newPassword": "another long one"}}))[
        "changePassword"
    ]["userErrors"]
    assert "sign-in link" in error["message"]
    status, _ = await other.post("/auth/sign-in", email="new.person@corp.example", password=PASSWORD)
    assert status == 401

    printed = "".join(capfd.readouterr())
    tables = [row["tablename"] for row in await api.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    for table in tables:
        rows = await api.sql(f"SELECT t::text FROM {table} t")  # noqa: S608  # names of our own tables
        printed += "\n".join(row[0] for row in rows)
    for secret in (CLIENT_SECRET, asked["state"], asked["nonce"], *(form["code"] for form in provider.forms)):
        assert secret not in printed
    assert all(form["code_verifier"] not in printed for form in provider.forms)


async def test_an_older_user_is_linked_and_loses_the_password(
    api: Harness, provider: FakeProvider, new_browser: NewBrowser
) -> None:
    """Whoever chose the password may be another person, who waits for the owner of the address."""
    old_session = await add_password_user(api, "old@corp.example")
    provider.claims = {"email": "old@corp.example"}
    browser = await new_browser()
    assert await browser.sign_in() == "/"
    assert (await browser.ask(VIEWER))["viewer"]["sessions"] == [{"current": True}]
    assert (await api.ask(old_session, VIEWER))["data"]["viewer"] is None
    status, _ = await browser.post("/auth/sign-in", email="old@corp.example", password=PASSWORD)
    assert status == 401
    assert (await actions(api))[1:3] == ["user.signed_in_with_identity", "identity.linked"]

    provider.claims = {"email": "old@corp.example", "sub": "subject-2"}  # the address was given to another person
    other = await new_browser()
    assert await other.sign_in("?next=/new") == "/sign-in?problem=other_identity&next=%2Fnew"
    environment = process_environment(api.api_settings)
    for expected in (0, 1):
        process = await start_storefleet("users", "unlink", "old@corp.example", environment=environment)
        assert await process.wait() == expected
    assert (await browser.ask(VIEWER))["viewer"] is None
    assert await other.sign_in() == "/"
    assert (await other.ask(VIEWER))["viewer"]["user"]["email"] == "old@corp.example"


async def test_nobody_signs_up_with_a_password_for_an_address_of_the_provider(api: Harness) -> None:
    body = {"email": "Victim@Corp.example", "password": PASSWORD}
    async with api.http.post(f"{api.url}/auth/sign-up", json=body) as response:
        [error] = (await response.json())["errors"]
        assert (response.status, error["code"], error["field"]) == (422, "INVALID_EMAIL", "email")
    given = {"email": "victim@corp.example", "role": "ADMIN"}
    invited = await api.ask(await api.sign_in(), INVITE, {"input": given})
    token = invited["data"]["inviteMember"]["link"].partition("#token=")[2]
    async with api.http.post(f"{api.url}/auth/invitation", json={"token": token, "password": PASSWORD}) as response:
        assert (response.status, (await response.json())["errors"][0]["code"]) == (422, "INVALID_EMAIL")


@CLOSED
async def test_where_sign_up_is_closed_an_invitation_makes_a_user(
    api: Harness, provider: FakeProvider, new_browser: NewBrowser
) -> None:
    browser = await new_browser()
    assert await browser.sign_in() == "/sign-in?problem=no_user"
    assert await api.sql("SELECT 1 FROM users") == []
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "users", "add", "owner@example.com"),
        cwd=ROOT,
        env=process_environment(api.api_settings),
        stdin=asyncio.subprocess.PIPE,
    )
    await process.communicate(f"{PASSWORD}\n".encode())
    owner = await api.sign_in()
    invited = await api.ask(owner, INVITE, {"input": {"email": "new@corp.example", "role": "VIEWER"}})
    token = invited["data"]["inviteMember"]["link"].partition("#token=")[2]
    assert await browser.sign_in("?next=/invitation") == "/invitation"
    assert (await browser.ask(VIEWER))["viewer"]["accounts"] == []
    assert (await browser.ask(ACCEPT, {"input": {"token": token}}))["acceptInvitation"]["accountId"]
    assert (await browser.ask(VIEWER))["viewer"]["accounts"] == [{"name": "owner's stores"}]


async def test_two_first_sign_ins_at_once_make_one_user(api: Harness, new_browser: NewBrowser) -> None:
    browsers = [await new_browser() for _ in range(4)]
    assert await asyncio.gather(*(browser.sign_in() for browser in browsers)) == ["/"] * 4
    assert len({(await browser.ask(VIEWER))["viewer"]["user"]["id"] for browser in browsers}) == 1
    assert len(await api.sql("SELECT 1 FROM identities")) == 1
    assert len(await api.sql("SELECT 1 FROM accounts WHERE name = 'new''s stores'")) == 1


async def test_an_api_killed_before_its_commit_leaves_nothing(
    api: Harness, provider: FakeProvider, new_browser: NewBrowser
) -> None:
    """The code is used up: the person begins again."""
    port = free_port()
    environment = process_environment(api.api_settings, STOREFLEET_PORT=str(port))
    process = await start_storefleet("api", environment=environment)
    api.processes.append(process)
    browser = await new_browser()
    callback = provider.authorize(await browser.begin("?next=/new"))
    async with connected(api.settings.database_url.get_secret_value()) as blocker, hang_limit():
        while b"api.started" not in (line := await process.stdout.readline()):
            assert line, "the API didn't start"
        transaction = blocker.transaction()
        await transaction.start()
        await blocker.execute("LOCK TABLE sessions")
        answer = asyncio.create_task(browser.get(callback.replace(api.url, f"http://127.0.0.1:{port}")))

        async def waits_for_the_lock() -> bool:
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'sessions'::regclass"
            return await blocker.fetchval(waiting) is not None

        await wait_until(waits_for_the_lock)
        process.kill()
        with pytest.raises(aiohttp.ClientError):
            await answer
        await transaction.rollback()
    assert await api.sql("SELECT 1 FROM identities UNION ALL SELECT 1 FROM users WHERE email ~ 'corp'") == []
    assert await browser.get(callback) == (303, "/sign-in?problem=refused&next=%2Fnew")
    assert await browser.sign_in("?next=/new") == "/new"
