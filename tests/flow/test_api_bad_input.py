"""Bad input to the API: each gets a clear, typed answer, and no internal detail leaks."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.support.harness import CREATE, DELETE, PASSWORD, RETRY, STORE, Harness
from tests.support.waiting import wait_until

REVEAL = """
mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { password } userErrors { code } } }
"""
UNKNOWN_ID = "U3RvcmU6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAw"

INVALID_INPUTS = (
    ({"name": ""}, "INVALID_NAME", "name"),
    ({"name": "x" * 81}, "INVALID_NAME", "name"),
    ({"name": "a\u0000b"}, "INVALID_NAME", "name"),
    ({"name": "a\nb"}, "INVALID_NAME", "name"),
    ({"name": "\u202eevil"}, "INVALID_NAME", "name"),
    ({"name": "\ud800"}, "INVALID_NAME", "name"),
    ({"name": "\u3164"}, "INVALID_NAME", "name"),
    ({"slug": "UPPER"}, "INVALID_SLUG", "slug"),
    ({"slug": "-abc"}, "INVALID_SLUG", "slug"),
    ({"slug": "ab"}, "INVALID_SLUG", "slug"),
    ({"slug": "a" * 41}, "INVALID_SLUG", "slug"),
    ({"slug": "xn--fig"}, "INVALID_SLUG", "slug"),
    ({"slug": "admin"}, "SLUG_RESERVED", "slug"),
    ({"slug": "fig\n"}, "INVALID_SLUG", "slug"),
    ({"slug": "fig; DROP TABLE stores"}, "INVALID_SLUG", "slug"),
    ({"adminEmail": "nobody"}, "INVALID_EMAIL", "adminEmail"),
    ({"adminEmail": "a@bücher.example"}, "INVALID_EMAIL", "adminEmail"),
    ({"adminEmail": "a@b.example\r\nBcc: x@y.example"}, "INVALID_EMAIL", "adminEmail"),
    ({"adminEmail": f"owner@{'x' * 60}.{'y' * 30}.example"}, "INVALID_EMAIL", "adminEmail"),
    ({"adminEmail": f"{'x' * 65}@b.example"}, "INVALID_EMAIL", "adminEmail"),
    ({"country": "XX"}, "INVALID_COUNTRY", "country"),
    ({"currency": "dollars"}, "INVALID_CURRENCY", "currency"),
    ({"language": "tlh"}, "INVALID_LANGUAGE", "language"),
    ({"language": "en_US"}, "INVALID_LANGUAGE", "language"),
    ({"accountId": "nonsense"}, "NOT_FOUND", "accountId"),
    ({"idempotencyKey": ""}, "INVALID_IDEMPOTENCY_KEY", "idempotencyKey"),
    ({"idempotencyKey": "k" * 256}, "INVALID_IDEMPOTENCY_KEY", "idempotencyKey"),
)

INVALID_REQUESTS: tuple[tuple[Any, int], ...] = (
    (b"", 400),
    (b"{", 400),
    (b"[]", 400),
    (b"null", 400),
    (b'"query"', 400),
    (b"\xff\xfe", 400),
    ({}, 400),
    ({"query": 7}, 400),
    ({"query": "{ viewer"}, 200),
    ({"query": "{ nothing }"}, 200),
    ({"query": "{ viewer { user { email } } }", "variables": []}, 400),
    ({"query": "subscription { accountEvents { cursor } }"}, 400),
    ({"query": "query { stores(first: 1.5) { nodes { id } } }"}, 200),
    ({"query": "query { stores(first: 2147483648) { nodes { id } } }"}, 200),
    ({"query": "mutation { createStore(input: {engine: WOOCOMMERCE}) { store { id } } }"}, 200),
    ({"query": "mutation { createStore(input: {name: 7, engine: WOOCOMMERCE}) { store { id } } }"}, 200),
    ({"query": 'mutation { createStore(input: {name: "x", engine: SHOPIFY}) { store { id } } }'}, 200),
)


async def post(harness: Harness, body: Any, **headers: str) -> tuple[int, Any]:
    """POST to /graphql with the first user's token, or with the header Authorization that is given."""
    headers = {"Authorization": f"Bearer {harness.token}"} | headers
    headers = {name: value for name, value in headers.items() if value}
    data = {"data": body} if isinstance(body, bytes | str) else {"json": body}
    async with harness.http.post(f"{harness.url}/graphql", headers=headers, **data) as response:
        try:
            return response.status, await response.json(content_type=None)
        except ValueError:
            return response.status, await response.text()


async def test_create_store_says_what_is_wrong(api: Harness) -> None:
    for values, code, field in INVALID_INPUTS:
        payload = await api.create_store_payload(**values)
        assert payload["store"] is None, values
        [error] = payload["userErrors"]
        assert (error["code"], error["field"]) == (code, field), values
        assert len(error["message"]) > 20
    assert await api.sql("SELECT id FROM stores") == []


async def test_names_of_all_scripts_arrive_intact(api: Harness) -> None:
    names = [
        'Fig 🫒 & "Olive"',
        "متجر الزيتون",
        "無花果とオリーブ",
        "'; DROP TABLE stores; --",
        "$(PASSWORD)",
        "é" * 80,
    ]
    stores = await asyncio.gather(*(api.create_store(name=name) for name in names))
    assert [store["name"] for store in stores] == names
    assert len({store["slug"] for store in stores}) == len(names)


async def test_a_job_that_is_no_request_is_refused(api: Harness) -> None:
    for body, status in INVALID_REQUESTS:
        found, answer = await post(api, body, **{"Content-Type": "application/json"} if isinstance(body, bytes) else {})
        assert found == status, (body, answer)
        assert answer["errors"], body
        assert "Traceback" not in str(answer)
        assert "INTERNAL" not in str(answer)


VARIABLES: dict[str, tuple[str, dict[str, Any], str]] = {
    "missing": (
        'mutation ($v: Engine!) { createStore(input: {name: "x", engine: $v}) { store { id } } }',
        {},
        "Engine!",
    ),
    "of another type": ("query ($v: ID!) { store(id: $v) { id } }", {"v": [1]}, "ID"),
    "no member": ("mutation ($v: CreateStoreInput!) { createStore(input: $v) { store { id } } }", {"v": {}}, "name"),
    "no time": (
        'mutation ($v: DateTime) { createApiToken(input: {name: "x", scopes: [READ], expiresAt: $v}) { secret } }',
        {"v": "soon"},
        "DateTime",
    ),
}


@pytest.mark.parametrize("case", VARIABLES)
async def test_variables_that_do_not_fit_are_the_callers_mistake(api: Harness, case: str) -> None:
    query, variables, named = VARIABLES[case]
    _, answer = await post(api, {"query": query, "variables": variables})
    error = answer["errors"][0]
    assert named in error["message"]
    assert error.get("extensions", {}).get("code") != "INTERNAL"


async def test_a_mutation_over_get_is_refused_and_a_query_is_not(api: Harness) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    mutation = 'mutation { createStore(input: {name: "x", engine: WOOCOMMERCE}) { store { id } } }'
    async with api.http.get(f"{api.url}/graphql", params={"query": mutation}, headers=headers) as response:
        assert response.status in (400, 405)
    assert await api.sql("SELECT id FROM stores") == []
    query = "{ viewer { user { email } } }"
    async with api.http.get(f"{api.url}/graphql", params={"query": query}, headers=headers) as response:
        assert (await response.json())["data"]["viewer"]["user"]["email"] == "owner@example.com"


async def test_too_much_is_refused_before_it_runs(api: Harness) -> None:
    status, answer = await post(api, {"query": "{ viewer { user { email } } }", "pad": "x" * 100_001})
    assert (status, answer["errors"][0]["code"]) == (413, "BAD_USER_INPUT")

    async def drip() -> Any:
        for _ in range(20):
            yield b"x" * 10_000

    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    async with api.http.post(f"{api.url}/graphql", data=drip(), headers=headers) as response:
        assert response.status == 413
    aliases = "{" + " ".join(f"a{number}: viewer {{ user {{ id }} }}" for number in range(40)) + "}"
    _, answer = await post(api, {"query": aliases})
    assert "alias" in answer["errors"][0]["message"]
    deep = "{ __schema { types " + "{ fields { type " * 10 + "{ name }" + " } }" * 10 + " } }"
    _, answer = await post(api, {"query": deep})
    assert answer["errors"]
    _, answer = await post(api, {"query": "{ stores(first: 101) { nodes { id } } }"})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_ids_that_are_none_unknown_or_foreign_get_the_same_answer(api: Harness) -> None:
    token, account = await api.sign_up("other@example.com")
    mine = await api.create_store()
    theirs = (await api.create_store_payload(token, name="Theirs"))["store"]
    for store_id in ("", "nonsense", UNKNOWN_ID, account, theirs["id"]):
        assert (await api.client().execute(STORE, {"id": store_id}))["store"] is None
        for mutation in (RETRY, DELETE, REVEAL):
            [payload] = (await api.client().execute(mutation, {"id": store_id})).values()
            assert [error["code"] for error in payload["userErrors"]] == ["NOT_FOUND"]
        _, answer = await post(api, {"query": f'{{ account(id: "{store_id}") {{ name }} }}'})
        assert answer["data"]["account"] is None
    by_slug = "query ($slug: String!) { store(slug: $slug) { id } }"
    assert (await api.client().execute(by_slug, {"slug": theirs["slug"]}))["store"] is None
    assert (await api.client().execute(by_slug, {"slug": mine["slug"]}))["store"]["id"] == mine["id"]
    payload = await api.create_store_payload(accountId=account)
    assert payload["userErrors"][0]["code"] == "NOT_FOUND"
    _, answer = await post(api, {"query": f'{{ stores(first: 1, accountId: "{account}") {{ nodes {{ id }} }} }}'})
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_anonymous_callers_see_nothing(api: Harness) -> None:
    status, answer = await post(api, {"query": "{ viewer { user { email } } engines { title } }"}, Authorization="")
    assert (status, answer["data"]["viewer"]) == (200, None)
    assert [engine["title"] for engine in answer["data"]["engines"]] == ["WooCommerce", "MedusaJS"]
    store = {"query": CREATE, "variables": {"input": {"name": "x", "engine": "WOOCOMMERCE"}}}
    queries = ["{ stores(first: 1) { nodes { id } } }", '{ store(slug: "x") { id } }', '{ account(id: "x") { id } }']
    for body in (*({"query": query} for query in queries), store):
        _, answer = await post(api, body, Authorization="")
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_tokens_that_expired_are_revoked_or_are_none(api: Harness) -> None:
    for header in ("Bearer sf_nonsense", "Bearer", "Basic abc", f"Bearer {api.token}x"):
        status, answer = await post(api, {"query": "{ viewer { user { email } } }"}, Authorization=header)
        assert (status, answer["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    await api.sql("UPDATE api_tokens SET expires_at = now() - interval '1 second'")
    status, _ = await post(api, {"query": "{ viewer { user { email } } }"})
    assert status == 401
    await api.sql("UPDATE api_tokens SET expires_at = NULL, revoked_at = now()")
    status, _ = await post(api, {"query": "{ viewer { user { email } } }"})
    assert status == 401


async def test_a_foreign_page_may_not_use_the_cookie(api: Harness) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        credentials = {"email": "owner@example.com", "password": PASSWORD}
        async with browser.post(f"{api.url}/auth/sign-in", json=credentials) as response:
            assert response.status == 200
            cookie = response.headers["Set-Cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=lax" in cookie
        query = {"query": "{ viewer { user { email } } }"}
        for origin, status in (("https://evil.example", 403), ("null", 403), (api.url, 200)):
            async with browser.post(f"{api.url}/graphql", json=query, headers={"Origin": origin}) as response:
                assert response.status == status
        for path in ("sign-in", "sign-up", "sign-out"):
            headers = {"Origin": "https://evil.example"}
            async with browser.post(f"{api.url}/auth/{path}", json=credentials, headers=headers) as response:
                assert response.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await browser.ws_connect(f"{api.url}/graphql", headers={"Origin": "https://evil.example"})


async def test_other_addresses_answer_in_json(api: Harness) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("DELETE", "/graphql", 405), ("GET", "/auth/sign-in", 405)):
        async with api.http.request(method, api.url + path) as response:
            assert response.status == status
    async with api.http.get(f"{api.url}/nothing") as response:
        assert (await response.json())["errors"][0]["code"] == "NOT_FOUND"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Request-Id"]


async def test_our_own_faults_are_masked_and_logged_with_an_id(
    api: Harness, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await api.create_store()
    await api.sql("ALTER TABLE stores RENAME COLUMN country TO secret_country")
    _, answer = await post(api, {"query": STORE, "variables": {"id": store["id"]}})
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["extensions"]["correlationId"] in error["message"]
    assert "country" not in error["message"]
    assert error["extensions"]["correlationId"] in capsys.readouterr().out + caplog.text


async def test_who_leaves_before_the_request_is_whole_is_no_fault_of_ours(
    api: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    output: list[str] = []

    async def is_logged() -> bool:
        output.append(capsys.readouterr().out)
        return "request.client_disconnected" in "".join(output)

    _, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
    writer.write(b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{")
    await writer.drain()
    writer.close()
    await wait_until(is_logged)
    assert "request.failed" not in "".join(output)
