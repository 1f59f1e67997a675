"""Hostile input is the caller's mistake at every endpoint: a typed answer, a status below 500, no error in the log."""

import asyncio
import gzip
import json

import pytest

from api import http_protocol, middleware
from tests.support.harness import CREATE, Harness
from tests.support.waiting import hang_limit

DOORS = ("/graphql", "/auth/sign-in", "/auth/sign-up", "/auth/link")
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "JSON nested 5,000 deep": b'{"query": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "an integer of 5,000 digits": b'{"query": ' + b"9" * 5000 + b"}",
    "invalid UTF-8": b'{"query": "\xff\xfe", "email": "\xff", "password": "\xff", "token": "\xff"}',
    "UTF-16": '{"query": "{ viewer { user { id } } }"}'.encode("utf-16"),
    "a list": b'[{"query": "{ viewer { user { id } } }"}]',
    "an operation name that is an object": b'{"query": "{ __typename }", "operationName": {}}',
    "NUL": json.dumps(dict.fromkeys(("query", "email", "password", "token"), "a\0b" * 5)).encode(),
    "half a character": json.dumps(dict.fromkeys(("query", "email", "password", "token"), "a\ud800b" * 5)).encode(),
    "a number for each": json.dumps(dict.fromkeys(("query", "email", "password", "token"), 7)).encode(),
}
HEADERS: dict[str, dict[str, str]] = {
    "a malformed origin": {"Origin": "http://["},
    "a compressed body": {"Content-Encoding": "gzip"},
    "another media type": {"Content-Type": "text/plain; application/json"},
    "a token that isn't ASCII": {"Authorization": "Bearer sf_é"},
    "a cookie that isn't ASCII": {"Cookie": "storefleet_session=é"},
}
VALUES = (
    "a\0b",
    "\ud800",
    "\x7f",
    "\u202e",
    "9" * 400,
    "",
    " ",
    "💥" * 100,
    "../../etc/passwd",
    "'; DROP TABLE stores; --",
)
TEXTS = """
query ($v: String!, $id: ID!) {
  a: store(slug: $v) { id } b: store(id: $id) { id } c: account(id: $id) { id }
  d: stores(first: 1, after: $v) { nodes { id } }
}
"""
ERRORS_OF_OURS = ("INTERNAL", "Traceback", "request.failed", "graphql.failed")


async def ask(api: Harness, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    headers = {"Content-Type": "application/json", **headers}
    async with api.http.post(api.url + path, data=body, headers=headers) as response:
        return response.status, await response.text()


async def test_bodies_that_are_not_requests(api: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    for door in DOORS:
        for case, body in BODIES.items():
            status, text = await ask(api, door, body, {})
            assert 400 <= status < 500 or (status == 200 and '"errors"' in text), (door, case, status, text)
            assert json.loads(text)["errors"][0].get("code") or json.loads(text)["errors"][0]["extensions"]["code"]
    assert not [word for word in ERRORS_OF_OURS if word in capsys.readouterr().out]


@pytest.mark.parametrize("case", HEADERS)
async def test_headers_that_make_no_sense(api: Harness, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    body = b'{"query": "{ __typename }"}'
    for door in DOORS:
        status, _ = await ask(api, door, gzip.compress(body) if "compressed" in case else body, HEADERS[case])
        assert status < 500, door
    assert not [word for word in ERRORS_OF_OURS if word in capsys.readouterr().out]


async def test_values_that_no_field_wants(api: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    """As variables, and as literals of the document."""
    headers = {"Authorization": f"Bearer {api.token}"}
    for value in VALUES:
        literal = ("{" + TEXTS.partition("{")[2]).replace("$v", json.dumps(value)).replace("$id", json.dumps(value))
        for body in ({"query": TEXTS, "variables": {"v": value, "id": value}}, {"query": literal}):
            status, text = await ask(api, "/graphql", json.dumps(body).encode(), headers)
            assert (status, "INTERNAL" in text) == (200, False), (value, text)
        for field in ("name", "slug", "adminEmail", "country", "currency", "language", "accountId", "idempotencyKey"):
            given = {"name": "x", "engine": "WOOCOMMERCE", field: value}
            body = {"query": CREATE, "variables": {"input": given}}
            status, text = await ask(api, "/graphql", json.dumps(body).encode(), headers)
            assert (status, "INTERNAL" in text) == (200, False), (field, value, text)
    assert not [word for word in ERRORS_OF_OURS if word in capsys.readouterr().out]


@pytest.mark.parametrize("when", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2999-01-01T00:00:00Z"])
async def test_dates_at_the_end_of_time(api: Harness, when: str) -> None:
    mutation = """mutation ($at: DateTime) {
      createApiToken(input: {name: "t", scopes: [READ], expiresAt: $at}) { secret userErrors { code } } }"""
    body = json.dumps({"query": mutation, "variables": {"at": when}}).encode()
    status, text = await ask(api, "/graphql", body, {"Authorization": f"Bearer {api.token}"})
    assert (status, "INTERNAL" in text) == (200, False), text


async def raw(api: Harness, *chunks: bytes) -> bytes:
    """What the server answers until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
    for chunk in chunks:
        writer.write(chunk)
    async with hang_limit():
        answer = await reader.read()
    writer.close()
    return answer


POST = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


async def test_headers_without_an_end_are_refused_by_size(api: Harness) -> None:
    header = b"X-Padding: " + b"x" * 1000 + b"\r\n"
    assert (await raw(api, b"GET / HTTP/1.1\r\nHost: x\r\n", header * 40)).startswith(b"HTTP/1.1 431 ")
    assert (await raw(api, b"GET / HTTP/1.1\r\nX: ", b"x" * 40_000)).startswith(b"HTTP/1.1 431 ")
    complete = b"GET / HTTP/1.1\r\nHost: x\r\n" + header * 40 + b"\r\n"
    assert (await raw(api, complete)).startswith(b"HTTP/1.1 431 ")
    assert (await raw(api, POST, header * 40, b"Content-Length: 2\r\n\r\n{}")).startswith(b"HTTP/1.1 431 ")
    within = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header * 25 + b"\r\n"
    assert (await raw(api, within)).startswith(b"HTTP/1.1 200 ")


async def test_headers_and_bodies_without_an_end_are_refused_by_time(
    api: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.2)
    assert (await raw(api)).startswith(b"HTTP/1.1 408 ")
    assert (await raw(api, b"GET / HTTP/1.1\r\nHost: x\r\n")).startswith(b"HTTP/1.1 408 ")
    assert (await raw(api, POST, b"Content-Length: 50\r\n\r\n{")).startswith(b"HTTP/1.1 408 ")
    kept = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await raw(api, kept, b"GET /hea")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


async def test_what_graphql_over_http_demands(api: Harness) -> None:
    """The statuses and media types of the specification; graphql-http's audit checks them all."""
    accept = {"Accept": "application/graphql-response+json", "Content-Type": "Application/JSON; charset=utf-8"}
    for query, status in (
        ("{ __typename }", 200),
        ("{ nothing }", 400),
        ("{", 400),
        ("{ store(slug: 7) { id } }", 400),
    ):
        async with api.http.post(f"{api.url}/graphql", data=json.dumps({"query": query}), headers=accept) as response:
            answer = await response.json(content_type=None)
            assert response.status == status, query
            assert response.content_type == "application/graphql-response+json"
            assert ("data" in answer) == (status == 200)
            assert all(error["extensions"]["code"] for error in answer.get("errors", ()))
    async with api.http.get(f"{api.url}/graphql") as response:
        assert response.status == 400
    async with api.http.put(f"{api.url}/graphql") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, POST")
    async with api.http.post(f"{api.url}/graphql", data="query={__typename}") as response:
        assert response.status == 415
