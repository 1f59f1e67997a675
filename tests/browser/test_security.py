"""What a hostile page, or hostile text in the data, can do in a user's browser: nothing."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest_asyncio
from aiohttp import web
from playwright.async_api import expect

from runtime.frontend import FRONTEND, STAMP
from schema.ids import decode_id
from tests.browser.conftest import SignedInPage, sign_in
from tests.support.browser import NewPage
from tests.support.harness import JSON, Harness
from tests.support.log_subscription import print_lines
from tests.support.stores import create_ready_store

MARKUP = "<img src=x onerror=hacked=1><script>hacked=1</script>"
CREATE = 'mutation { createStore(input: {name: "Forged", engine: WOOCOMMERCE}) { store { id } } }'
ATTACK = """
async ({target, create}) => {
  const results = {}
  const attempt = async (name, action) => {
    try { results[name] = await action() } catch (error) { results[name] = `refused: ${error.name}` }
  }
  const post = (path, type, body, mode) => async () => {
    const response = await fetch(target + path, {
      method: 'POST', credentials: 'include', mode, headers: {'content-type': type}, body,
    })
    return await response.text()
  }
  const create_json = JSON.stringify({query: create})
  const read_json = JSON.stringify({query: '{ viewer { user { email } } }'})
  const form = 'query=' + encodeURIComponent(create)
  for (const mode of ['cors', 'no-cors']) {
    await attempt(`read ${mode}`, post('/graphql', 'application/json', read_json, mode))
    await attempt(`text ${mode}`, post('/graphql', 'text/plain', create_json, mode))
    await attempt(`form ${mode}`, post('/graphql', 'application/x-www-form-urlencoded', form, mode))
    await attempt(`sign-out ${mode}`, post('/auth/sign-out', 'text/plain', '{}', mode))
    await attempt(`get ${mode}`, async () => {
      const query = new URLSearchParams({query: create})
      return await (await fetch(`${target}/graphql?${query}`, {credentials: 'include', mode})).text()
    })
    await attempt(`page ${mode}`, async () => await (await fetch(target, {credentials: 'include', mode})).text())
  }
  await attempt('socket', () => new Promise((resolve) => {
    const socket = new WebSocket(target.replace('http', 'ws') + '/graphql', 'graphql-transport-ws')
    const received = []
    socket.onopen = () => socket.send(JSON.stringify({type: 'connection_init'}))
    socket.onmessage = ({data}) => {
      received.push(data)
      socket.send(JSON.stringify({id: '1', type: 'subscribe', payload: {query: create}}))
    }
    socket.onclose = () => resolve(received.join())
  }))
  return results
}
"""
FORM = """
({target, create}) => {
  const form = Object.assign(document.createElement('form'), {
    method: 'POST', action: target + '/graphql', enctype: 'text/plain',
  })
  const name = JSON.stringify({query: create}).slice(0, -1) + ',"padding":"'
  form.append(Object.assign(document.createElement('input'), {name, value: '"}'}))
  document.body.append(form)
  form.submit()
}
"""


@dataclass
class HostileServer:
    """A server with an empty page, for the browser another origin than the dashboard's."""

    port: int = 0
    requests: list[str] = field(default_factory=list)
    """The paths of all requests so far."""


@pytest_asyncio.fixture
async def hostile() -> AsyncIterator[HostileServer]:
    server = HostileServer()

    async def page(request: web.Request) -> web.Response:
        server.requests.append(request.path)
        return web.Response(text="<!doctype html><title>Win a prize</title><body>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    yield server
    await runner.cleanup()


async def test_a_page_of_another_origin_can_neither_read_nor_change(
    harness: Harness, new_page: NewPage, hostile: HostileServer
) -> None:
    """On another port, where the browser does send the cookie, and on another site."""
    await harness.create_store(name="Secret Shop")
    page = (await new_page()).page
    await sign_in(page, harness.url)
    variables = {"target": harness.url, "create": CREATE}
    for host in ("127.0.0.1", "localhost"):
        await page.goto(f"http://{host}:{hostile.port}/")
        results: JSON = await page.evaluate(ATTACK, variables)
        assert len(results) == 13
        for name, result in results.items():
            assert result == "" or result.startswith("refused: "), (host, name, result)
        await page.evaluate(FORM, variables)
        await page.wait_for_url(re.compile("/graphql$"))
        assert "Forged" not in await page.content()
    assert [row["name"] for row in await harness.sql("SELECT name FROM stores")] == ["Secret Shop"]
    await page.goto(harness.url)
    await expect(page.get_by_text("Secret Shop").first).to_be_visible()  # and still signed in


async def test_no_page_can_frame_the_dashboard(harness: Harness, new_page: NewPage, hostile: HostileServer) -> None:
    page = (await new_page()).page
    await sign_in(page, harness.url)
    await page.goto(f"http://127.0.0.1:{hostile.port}/")
    await page.evaluate(
        """(target) => new Promise((resolve) => {
          const frame = Object.assign(document.createElement('iframe'), {src: target, onload: resolve})
          document.body.append(frame)
        })""",
        harness.url,
    )
    [frame] = page.main_frame.child_frames
    assert not frame.url.startswith(harness.url)


async def test_markup_in_names_notices_and_logs_is_escaped(harness: Harness, open_dashboard: SignedInPage) -> None:
    store = await harness.create_store(name=MARKUP)
    await harness.wait_for_status(store["id"], "READY")
    await harness.sql(
        "INSERT INTO events (account_id, store_id, type, status, message) "
        "SELECT account_id, id, 'NOTICE', 'READY', $2 FROM stores WHERE id = $1::uuid",
        decode_id("Store", store["id"]),
        f"Notice {MARKUP}",
    )
    page = await open_dashboard()
    await expect(page.get_by_text(MARKUP).first).to_be_visible()
    assert MARKUP in await page.evaluate("document.body.innerText")
    path = f"{harness.url}/stores/{store['slug']}"
    await page.goto(path)
    await expect(page.get_by_role("heading", name=MARKUP)).to_be_visible()
    await expect(page).to_have_title(re.compile(re.escape(MARKUP)))
    await page.goto(f"{path}/activity")
    await expect(page.get_by_text(f"Notice {MARKUP}")).to_be_visible()
    await page.goto(f"{path}/logs?component=web")
    await expect(page.get_by_role("log")).to_contain_text("SIMULATED")
    await print_lines(harness, store["id"], f"Line {MARKUP}")
    await expect(page.get_by_role("log")).to_contain_text(f"Line {MARKUP}")
    await page.goto(f"{path}/settings")
    await page.get_by_role("button", name="Delete this store").click()
    await expect(page.get_by_role("dialog")).to_contain_text(MARKUP)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("option").filter(has_text=MARKUP)).to_be_visible()
    assert await page.evaluate("typeof hacked") == "undefined"
    assert await page.locator("img").count() == 0


INJECTIONS = {
    "inline script": "const s = document.createElement('script'); s.textContent = 'hacked=1'; document.body.append(s)",
    "foreign script": "const s = document.createElement('script'); s.src = FOREIGN; document.body.append(s)",
    "markup": "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=hacked=1>')",
    "handler": "document.body.setAttribute('onclick', 'hacked=1'); document.body.click()",
    "eval": "setTimeout('hacked=1')",
}
LEAKS = {
    "img-src": "new Image().src = FOREIGN",
    "connect-src": "fetch(FOREIGN).catch(() => 0)",
    "font-src": "new FontFace('x', `url(${FOREIGN})`).load().catch(() => 0)",
    "form-action": "const f = document.createElement('form'); f.action = FOREIGN; document.body.append(f); f.submit()",
    "frame-src": "const f = document.createElement('iframe'); f.src = FOREIGN; document.body.append(f)",
}


async def test_the_policy_blocks_injected_markup(harness: Harness, new_page: NewPage, hostile: HostileServer) -> None:
    page = (await new_page()).page
    await sign_in(page, harness.url)
    await page.goto(harness.url)
    await expect(page.get_by_text("Open your first shop")).to_be_visible()
    foreign = f"const FOREIGN = 'http://127.0.0.1:{hostile.port}/'; "
    for name, code in INJECTIONS.items():
        # A function, because a plain expression would be evaluated by the debugger, which no policy binds.
        refused = await page.evaluate(f"() => {{ {foreign} try {{ {code} }} catch (error) {{ return error.name }} }}")
        assert refused == "TypeError", name
    await page.evaluate(
        "() => { window.violations = []; "
        "addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective)) }"
    )
    for directive, code in LEAKS.items():
        await page.evaluate(f"() => {{ {foreign} {code} }}")
        await page.wait_for_function("(directive) => violations.includes(directive)", arg=directive)
    assert await page.evaluate("typeof hacked") == "undefined"
    assert hostile.requests == []


async def test_every_request_goes_to_the_dashboards_own_origin(harness: Harness, open_dashboard: SignedInPage) -> None:
    store, _ = await create_ready_store(harness)
    page = await open_dashboard()
    requested: set[str] = set()
    page.on("request", lambda request: requested.add(request.url))
    page.on("websocket", lambda socket: requested.add(socket.url.replace("ws://", "http://")))
    for path in ("/sign-in", "/sign-up", "/", "/new", "/account"):
        await page.goto(harness.url + path)
        await expect(page.get_by_role("heading").first).to_be_visible()
    for tab in ("", "/activity", "/logs", "/settings"):
        await page.goto(f"{harness.url}/stores/{store['slug']}{tab}")
        await expect(page.get_by_role("tabpanel")).not_to_be_empty()
    assert any(url.endswith(".woff2") for url in requested)
    assert {origin(url) for url in requested} == {harness.url}


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def test_headers_of_every_page_and_file(harness: Harness) -> None:
    dist = FRONTEND / "dist"
    files = [
        f"/{path.relative_to(dist).as_posix()}"
        for path in dist.rglob("*")
        if path.is_file() and path.name != STAMP and path.suffix not in (".br", ".gz")
    ]
    assert len(files) > 20
    pages = ["/", "/sign-in", "/sign-up", "/new", "/account", "/stores/a", "/stores/a/logs", "/no-such-page"]
    answers = await asyncio.gather(*(headers_of(harness, path) for path in files + pages))
    for path, headers in zip(files + pages, answers, strict=True):
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["referrer-policy"] == "no-referrer", path
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy, path
        for directive in ("default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert directive in policy, path
        assert "require-trusted-types-for 'script'" in policy, path
        cached = "immutable" in headers["cache-control"]
        assert cached == path.startswith("/assets/"), path
        assert "set-cookie" not in headers, path


async def headers_of(harness: Harness, path: str) -> dict[str, str]:
    headers = {"Accept": "text/html,*/*", "Accept-Encoding": "gzip"}
    async with harness.http.get(harness.url + path, headers=headers) as response:
        assert response.status == (404 if path == "/no-such-page" else 200), path
        return {name.lower(): value for name, value in response.headers.items()}
