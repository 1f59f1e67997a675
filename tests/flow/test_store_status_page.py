"""On a store's host, the API answers with the store's status page and with nothing else."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from api.html_page import HEADERS
from stores.status import Status
from tests.support.harness import Harness
from tests.support.rows import change_store, columns_of, connected, new_account, new_store
from tests.support.waiting import hang_limit

ATELIER = pytest.mark.parametrize("settings", [{"public_url": "http://atelier.localhost:8000"}], indirect=True)
PRIVATE = ("owner@example.com", "It broke", "Figs")
"""An e-mail address, a cause, an account's name."""
UNKNOWN, CLOSED, DATABASE_UNAVAILABLE = (
    "There is no store at this address",
    "Fig &amp; Olive is closed for now",
    "One moment, please",
)
DOWN = {"health": "DOWN", "health_since": partial(datetime.now, UTC)}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NEVER_READY = {"ready_at": None, "proof_hash": None, "receipt": None, "health": None}
HOSTILE_NAME = "<script>alert('1')</script> {store} &amp;"
HOSTILE_NAME_IN_HTML = "&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt; {store} &amp;amp;"
PAGES: tuple[tuple[Status, dict[str, Any], int, str | None, str], ...] = (
    (Status.REQUESTED, NEVER_READY, 503, "5", "This store is being set up"),
    (Status.PROVISIONING, NEVER_READY, 503, "5", "This store is being set up"),
    (Status.PROVISIONING, {}, 503, "5", "Fig &amp; Olive is being set up"),
    (Status.READY, {}, 503, "5", "Fig &amp; Olive opens in a moment"),
    (Status.READY, {"receipt": '{"simulated": true}'}, 503, "3600", "Fig &amp; Olive is ready, and simulated"),
    (Status.READY, {"health": "DEGRADED"}, 503, "5", "Fig &amp; Olive opens in a moment"),
    (Status.READY, DOWN, 503, "5", "Fig &amp; Olive will be back in a moment"),
    (Status.READY, {**DOWN, "health_since": LONG_AGO}, 503, "60", "Fig &amp; Olive isn't available right now"),
    (Status.UPDATING, {"name": HOSTILE_NAME}, 503, "5", f"{HOSTILE_NAME_IN_HTML} is being updated"),
    (Status.SUSPENDING, {}, 503, "3600", CLOSED),
    (Status.SUSPENDED, {}, 503, "3600", CLOSED),
    (Status.RESUMING, {}, 503, "5", "Fig &amp; Olive is coming back"),
    (Status.FAILED, NEVER_READY, 503, "60", "This store isn't available right now"),
    (Status.FAILED, {}, 503, "60", "Fig &amp; Olive isn't available right now"),
    (Status.DELETING, {}, 404, None, UNKNOWN),
    (Status.DELETED, {}, 404, None, UNKNOWN),
)


@pytest_asyncio.fixture
async def connection(api: Harness) -> AsyncIterator[asyncpg.Connection]:
    async with connected(api.settings.database_url.get_secret_value()) as made:
        yield made


async def insert_store(connection: asyncpg.Connection, slug: str, status: Status, **columns: Any) -> None:
    """A store in that status. A function among the columns is called."""
    columns = {name: value() if callable(value) else value for name, value in columns.items()}
    account = await new_account(connection)
    row = columns_of(status, Status.PROVISIONING if status == Status.FAILED else None)
    store = await new_store(connection, account, **row | {"slug": slug, "receipt": '{"simulated": false}'} | columns)
    await connection.execute("INSERT INTO slugs VALUES ($1, $2, $3)", slug, account, store)


async def visit(api: Harness, host: str, path: str = "/", method: str = "GET", **more: Any) -> tuple[int, Any, str]:
    """Status, headers and text, by Host: Python doesn't resolve *.localhost."""
    more["headers"] = {"Host": host, **more.get("headers", {})}
    async with api.http.request(method, api.url + path, **more) as response:
        return response.status, response.headers, await response.text()


async def raw(api: Harness, *lines: bytes) -> bytes:
    """The raw response to a request that no HTTP client would send."""
    address = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"\r\n".join((*lines, b"Connection: close", b"", b"")))
    async with hang_limit():
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def heading_of(text: str) -> str:
    """The heading."""
    heading = text.partition("<h1>")[2].partition("</h1>")[0]
    return re.sub(r"</?bdi>", "", heading).replace("&rsquo;", "'")


async def test_each_state_has_its_page(api: Harness, connection: asyncpg.Connection) -> None:
    assert {page[0] for page in PAGES} == set(Status)
    for number, (status, columns, code, retry_after, heading) in enumerate(PAGES):
        slug = f"fig-{number}"
        await insert_store(connection, slug, status, **columns)
        got, headers, text = await visit(api, f"{slug}.localhost")
        assert (got, headers.get("retry-after"), heading_of(text)) == (code, retry_after, heading)
        assert f"<title>{heading}</title>" in text.replace("&rsquo;", "'")
        assert ('http-equiv="refresh" content="5"' in text) == (retry_after == "5")
        assert f"<footer>{slug}.localhost</footer>" in text
        assert not [words for words in (*PRIVATE, "<script") if words in text]
        assert {name: headers[name] for name in HEADERS} == HEADERS
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert not {"Set-Cookie", "X-Request-ID", "Server", "Vary"} & set(headers)


async def test_a_store_on_its_way_says_where_it_is(api: Harness) -> None:
    await api.create_store(slug="fig-olive")
    _, _, text = await visit(api, "fig-olive.localhost")
    assert "<b>Step 1 of 7</b> Making and sealing credentials" in text
    assert "Fig" not in text
    await api.sql("UPDATE steps SET status = 'SUCCEEDED', started_at = now(), finished_at = now() WHERE position < 4")
    _, _, text = await visit(api, "fig-olive.localhost")
    assert "<b>Step 4 of 7</b> Starting the database" in text
    assert re.findall(r'<li class="(\w*)">', text) == ["done"] * 3 + ["now"] + [""] * 3
    # what only a newer API knows, while both run side by side
    for change in ("UPDATE steps SET name = 'polishing' WHERE position = 4", "UPDATE stores SET engine = 'tomorrow'"):
        await api.sql(change)
        assert "<b>Step 4 of 7</b> </p>" in (await visit(api, "fig-olive.localhost"))[2]
    await api.sql("DELETE FROM steps")
    _, _, text = await visit(api, "fig-olive.localhost")
    assert (heading_of(text), "Step" in text) == ("This store is being set up", False)


async def test_who_is_gone_looks_as_who_never_was(api: Harness, connection: asyncpg.Connection) -> None:
    await insert_store(connection, "fig-gone", Status.DELETING)
    await insert_store(connection, "fig-lost", Status.DELETED)
    await insert_store(connection, "fig-free", Status.SUSPENDED)
    assert heading_of((await visit(api, "fig-free.localhost"))[2]) == CLOSED
    await connection.execute("UPDATE slugs SET released_at = now() WHERE slug IN ('fig-lost', 'fig-free')")
    answers = [await visit(api, f"{slug}.localhost") for slug in ("fig-none", "fig-gone", "fig-lost", "fig-free")]
    assert {(status, heading_of(text)) for status, _, text in answers} == {(404, UNKNOWN)}
    assert len({re.sub(r"fig-\w{4}", "", text) for _, _, text in answers}) == 1
    assert len({tuple(headers) for _, headers, _ in answers}) == 1


METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
PATHS = ("/", "/graphql", "/auth/sign-in", "/metrics", "/readyz", "/healthz", "/wp-admin/?a=%00", "/..%2f", "//x", "/ü")


@ATELIER
async def test_there_is_no_api_on_a_stores_host(api: Harness, connection: asyncpg.Connection) -> None:
    await insert_store(connection, "fig", Status.SUSPENDED)
    page = (await visit(api, "fig.localhost"))[2]
    query = {"query": "{ viewer { user { email } } }"}
    credentials = {"Authorization": f"Bearer {api.token}", "Origin": "http://fig.localhost", "Accept": "*/*"}
    requests: list[tuple[str, str, dict[str, Any]]] = [("GET", path, {}) for path in PATHS]
    requests += [(method, "/graphql", {"json": query}) for method in METHODS]
    requests += [("POST", "/wc-api/paid", {"data": b"x" * 200_000})]
    for method, path, sent in requests:
        status, headers, text = await visit(api, "Fig.localhost:8000", path, method, headers=credentials, **sent)
        assert (status, text) == (503, page), (method, path)
        assert not {"Set-Cookie", "Access-Control-Allow-Origin", "X-Request-ID"} & set(headers)
    head, _, body = (await raw(api, b"HEAD /healthz HTTP/1.1", b"Host: fig.localhost")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"content-length: %d" % len(page.encode()) in head
    assert body == b""

    hosts = (("fig.localhost", 503), ("FIG.localhost.:80", 503), ("none.localhost", 404), ("_.localhost", 404))
    for host, code in hosts:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await api.http.ws_connect(f"{api.url}/graphql", headers={"Host": host, **credentials})
        assert refusal.value.status == code
        assert refusal.value.headers is not None
        assert {name: refusal.value.headers[name] for name in HEADERS} == HEADERS
    socket = await api.http.ws_connect(
        f"{api.url}/graphql", headers={"Host": "atelier.localhost"}, protocols=("graphql-transport-ws",)
    )
    await socket.send_json({"type": "connection_init"})
    assert (await socket.receive_json())["type"] == "connection_ack"
    await socket.close()


@ATELIER
async def test_the_platforms_own_host_wins(api: Harness) -> None:
    await api.create_store(slug="fig")
    for host in (
        *("localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1", "127.0.0.1:8000", "[::1]:8000", "storefleet-api"),
        *("atelier.localhost", "Atelier.Localhost.:1", "a.fig.localhost", "fig.localhost.example.com", "figlocalhost"),
        *("fig.localhost.localhost", ".localhost"),
    ):
        status, headers, text = await visit(api, host, "/healthz")
        assert (status, text) == (200, '{"status":"ok"}'), host
        assert "X-Request-ID" in headers
    assert (await raw(api, b"GET /healthz HTTP/1.0")).startswith(b"HTTP/1.1 200 ")
    status, headers, text = await visit(api, "localhost")
    assert (status, heading_of(text)) == (200, "Storefleet")
    assert {name: headers[name] for name in HEADERS} == HEADERS
    for path in re.findall(r'href="(.*?)"', text):
        assert (await visit(api, "localhost", path))[0] == 200
    for lines in (
        (b"Host: fig.localhost", b"Host: localhost"),
        (b"Host: localhost", b"Host: fig.localhost"),
        (b"Host: localhost", b"hOST: localhost"),
        (b"Host: fig\0.localhost",),
        (b"Host: fig.localhost\x01",),
    ):
        answer = await raw(api, b"GET /readyz HTTP/1.1", *lines)
        assert answer.startswith(b"HTTP/1.1 400 "), lines
        assert b"ready" not in answer


@ATELIER
async def test_no_store_gets_the_platforms_own_host(api: Harness) -> None:
    [error] = (await api.create_store_payload(name="Atelier", slug="atelier"))["userErrors"]
    assert (error["code"], error["field"]) == ("SLUG_RESERVED", "slug")
    assert error["message"] == "This address is reserved for the platform. Choose another. For example: my-atelier"
    assert [(await api.create_store(name="Atelier"))["slug"] for _ in range(2)] == ["my-atelier", "my-atelier-2"]


ODD = (
    *("xn--fig-1na", "fig_olive", "_dmarc", "ab", "x" * 41, "x" * 64, "x" * 5000, "%66ig", "fig%00", "fig olive"),
    *("<script>", "-fig", "fig-", "*", "a@fig", "fig,fig", "'--", "ü", "wp{store}"),
)


async def test_without_a_database_a_page_says_to_wait(
    api: Harness, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label that can't be a slug gets 404 without a query."""
    await insert_store(connection, "fig", Status.SUSPENDED)
    database = await connection.fetchval("SELECT current_database()")
    url = api.settings.database_url.get_secret_value()
    async with connected(url.replace(f"/{database}", "/postgres")) as elsewhere:
        await elsewhere.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        await elsewhere.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database)
        try:
            status, headers, text = await visit(api, "fig.localhost", "/x")
            assert (status, heading_of(text), headers["retry-after"]) == (503, DATABASE_UNAVAILABLE, "5")
            assert 'http-equiv="refresh" content="5"' in text
            assert "Fig" not in text
            for label in ODD:
                status, _, text = await visit(api, f"{label}.localhost")
                assert (status, heading_of(text)) == (404, UNKNOWN), label
                assert "<footer>" not in text, "what somebody made up isn't repeated"
        finally:
            await elsewhere.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
    assert heading_of((await visit(api, "fig.localhost"))[2]) == CLOSED
    with monkeypatch.context() as patch:
        patch.setattr("api.store_status_page.LOOKUP_TIMEOUT_SECONDS", 0.1)
        async with connected(url) as slow, slow.transaction():
            await slow.execute("LOCK TABLE slugs")
            assert heading_of((await visit(api, "fig.localhost"))[2]) == DATABASE_UNAVAILABLE
    assert heading_of((await visit(api, "fig.localhost"))[2]) == CLOSED
    async with connected(url) as again:
        await change_store(again, await again.fetchval("SELECT id FROM stores"), status="RESUMING")
    assert heading_of((await visit(api, "fig.localhost"))[2]) == "Fig &amp; Olive is coming back"
