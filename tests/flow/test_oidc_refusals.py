"""Sign-in with an OpenID provider: everything that must not sign anybody in, and what the person is told."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web

from accounts.throttle import MAX_ATTEMPTS
from api import oidc, oidc_provider
from runtime.database import DatabaseUnavailable
from tests.support.harness import Harness
from tests.support.oidc_fixtures import NewBrowser, first_key, new_browser, provider, settings
from tests.support.oidc_provider import FakeProvider, Key

__all__ = ["first_key", "new_browser", "provider", "settings"]
NOW = int(time.time())
VIEWER = "{ viewer { user { email } } }"
BAD_CLAIMS: list[dict[str, Any]] = [
    {"nonce": "another"},
    {"nonce": None},
    {"iss": "https://accounts.example.com"},
    {"aud": "another"},
    {"aud": ["storefleet", "another"]},
    {"aud": ["storefleet", "another"], "azp": "another"},
    {"azp": "another"},
    {"exp": NOW - 3600},
    {"exp": None},
    {"iat": NOW + 3600},
    {"sub": None},
    {"sub": ""},
    {"sub": 7},
]


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "", "none", headers={"kid": "first"})


def by_client_secret(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "marked-client-secret-" * 3, "HS256", headers={"kid": "first"})


def by_another_key(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, Key("first").private, "RS256", headers={"kid": "first"})


async def forget_attempts(api: Harness) -> None:
    await api.sql("DELETE FROM sign_in_throttle")


async def test_a_token_that_is_wrong_signs_nobody_in(
    api: Harness, provider: FakeProvider, new_browser: NewBrowser
) -> None:
    browser = await new_browser()
    signatures: list[Callable[[dict[str, Any]], str]] = [
        unsigned,
        by_client_secret,
        by_another_key,
        lambda claims: provider.signed(claims, kid="unknown"),
        lambda claims: provider.signed(claims)[:-4],
        lambda _: "no token",
        lambda _: "",
    ]
    for claims, sign in [*((claims, None) for claims in BAD_CLAIMS), *(({}, sign) for sign in signatures)]:
        provider.claims, provider.sign = claims, sign
        await forget_attempts(api)
        assert await browser.sign_in() == "/sign-in?problem=refused", (claims, sign)
    assert browser.cookies() == {}
    assert await api.sql("SELECT 1 FROM identities") == []
    assert provider.requests.count("/jwks") == 2  # the unknown key was looked for once more
    provider.claims, provider.sign = {"aud": ["storefleet", "another"], "azp": "storefleet"}, None
    assert await browser.sign_in() == "/"


async def test_only_verified_addresses_of_the_domains_sign_in(
    api: Harness, provider: FakeProvider, new_browser: NewBrowser
) -> None:
    browser = await new_browser()
    for claims, problem in (
        ({"email_verified": False}, "not_verified"),
        ({"email_verified": None}, "not_verified"),
        ({"email_verified": "true"}, "not_verified"),
        ({"email": 7}, "not_verified"),
        ({"email": "müller@corp.example"}, "not_verified"),  # not an address that a user can have
        ({"email": "a@corp.example.org"}, "domain"),
        ({"email": "a@sub.corp.example"}, "domain"),
        ({"email": "corp.example"}, "not_verified"),
    ):
        provider.claims = claims
        await forget_attempts(api)
        assert await browser.sign_in() == f"/sign-in?problem={problem}", claims
    provider.claims = {"email": None, "email_verified": None}
    for userinfo, leads_to in (
        ({"sub": "subject-2", "email": "a@corp.example", "email_verified": True}, "/sign-in?problem=refused"),
        ({"sub": "subject-1", "email": "a@corp.example"}, "/sign-in?problem=not_verified"),
        ({"sub": "subject-1", "email": "a@corp.example", "email_verified": True}, "/"),
    ):
        provider.userinfo = userinfo
        await forget_attempts(api)
        assert await browser.sign_in() == leads_to
    assert await browser.ask(VIEWER) == {"viewer": {"user": {"email": "a@corp.example"}}}
    provider.claims = {"sub": "entra", "email": "b@corp.example", "email_verified": None, "xms_edov": True}
    assert await browser.sign_in() == "/"
    provider.claims = {"email": "a@elsewhere.example"}  # the same subject, whose address has left the domain
    assert await browser.sign_in() == "/sign-in?problem=domain"


async def test_a_callback_belongs_to_the_browser_that_began(
    api: Harness, provider: FakeProvider, new_browser: NewBrowser
) -> None:
    """A code that was stolen, or slipped in, is worth nothing."""
    victim, attacker = await new_browser(), await new_browser()
    callback = provider.authorize(await attacker.begin())
    assert await victim.get(callback) == (303, "/sign-in?problem=expired")
    await victim.begin("?next=/new")
    assert await victim.get(callback) == (303, "/sign-in?problem=expired&next=%2Fnew")
    assert await victim.get(callback) == (303, "/sign-in?problem=expired")
    assert provider.forms == []
    cookies = attacker.cookies()
    assert await attacker.get(callback) == (303, "/")
    assert await attacker.get(callback) == (303, "/")  # back, in a browser that is signed in
    copy = await new_browser()
    copy.http.cookie_jar.update_cookies(cookies)
    assert await copy.get(callback) == (303, "/sign-in?problem=refused")  # the provider knows that the code was used
    assert await copy.ask(VIEWER) == {"viewer": None}


async def test_what_the_provider_refuses_leads_back_with_a_message(
    api: Harness, provider: FakeProvider, new_browser: NewBrowser
) -> None:
    browser = await new_browser()
    for sent, problem in (
        ("error=access_denied", "cancelled"),
        ("error=temporarily_unavailable", "unavailable"),
        ("error=invalid_scope&error_description=%3Cscript%3E", "refused"),
        ("code=code&iss=https://accounts.example.com", "refused"),
        ("", "refused"),
    ):
        state = (await browser.begin("?next=/new"))["state"]
        location = await browser.get(f"/auth/oidc/callback?{sent}&state={state}")
        assert location == (303, f"/sign-in?problem={problem}&next=%2Fnew"), sent
    await forget_attempts(api)
    assert (await browser.begin("?choose=true"))["prompt"] == "select_account"
    provider.sign = unsigned
    for _ in range(MAX_ATTEMPTS):
        assert await browser.sign_in() == "/sign-in?problem=refused"
    provider.sign = None
    assert await browser.sign_in() == "/sign-in?problem=rate_limited"
    status, _ = await browser.post("/auth/sign-in", email="owner@example.com", password="correct horse battery")
    assert status == 429


async def test_a_provider_that_is_down_or_talks_nonsense(
    api: Harness, provider: FakeProvider, new_browser: NewBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_provider, "CACHE_SECONDS", -1.0)
    browser = await new_browser()

    def answer(status: int, text: str) -> Any:
        async def respond(_: web.Request) -> web.Response:
            return web.Response(status=status, text=text)

        return respond

    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    nonsense = [answer(503, "{}"), answer(200, "<html>"), answer(200, "[]"), answer(302, "{}"), answer(429, "{}")]
    nonsense += [answer(200, "[" * 100_000), answer(200, f'"{"x" * oidc_provider.MAX_ANSWER}"'), hang_up]
    discovery = "/.well-known/openid-configuration"
    for respond in nonsense:
        provider.answers = {discovery: respond}
        assert await browser.get("/auth/oidc") == (303, "/sign-in?problem=unavailable")
        provider.answers = {}
        asked = await browser.begin()
        provider.answers = {"/token": respond}
        assert await browser.get(provider.authorize(asked)) == (303, "/sign-in?problem=unavailable")
        await forget_attempts(api)
    provider.answers = {}
    for metadata in ({"issuer": f"{provider.url}/"}, {"token_endpoint": None}, {"jwks_uri": 7}):
        provider.metadata = metadata
        assert await browser.get("/auth/oidc") == (303, "/sign-in?problem=unavailable")
    for supported, prompt in ((["none", "login"], "login"), (["none"], None)):
        provider.metadata = {"prompt_values_supported": supported}
        assert (await browser.begin("?choose=true")).get("prompt") == prompt
    client = api_provider(api)
    monkeypatch.setattr(client._http, "_timeout", aiohttp.ClientTimeout(total=0.2))
    provider.answers = {discovery: hang}
    assert await browser.get("/auth/oidc") == (303, "/sign-in?problem=unavailable")
    provider.answers = {}

    async def no_database(*_: object, **__: object) -> None:
        raise DatabaseUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(oidc, "sign_in_with_identity", no_database)
        assert await browser.sign_in() == "/sign-in?problem=unavailable"
    assert await browser.sign_in() == "/"


def api_provider(api: Harness) -> oidc_provider.OidcProvider:
    """The provider as the API of this process knows it."""
    app: Any = api.server.config.loaded_app
    while not hasattr(app, "state"):
        app = app.app
    found: oidc_provider.OidcProvider = app.state.oidc_provider
    return found


async def test_keys_are_rotated(provider: FakeProvider, new_browser: NewBrowser) -> None:
    browser = await new_browser()
    assert await browser.sign_in() == "/"
    provider.key = Key("second")
    provider.keys.append(provider.key)
    assert [await browser.sign_in(), await browser.sign_in()] == ["/", "/"]
    assert provider.requests.count("/jwks") == 2


@pytest.mark.parametrize(
    "settings",
    [{"oidc_issuer": None, "oidc_client_id": None, "oidc_client_secret": None, "oidc_domains": ()}],
    indirect=True,
)
async def test_without_a_provider_there_is_none(new_browser: NewBrowser) -> None:
    browser = await new_browser()
    assert await browser.ask("{ identityProvider }") == {"identityProvider": None}
    assert [await browser.get(path) for path in ("/auth/oidc", "/auth/oidc/callback")] == [(404, "")] * 2
