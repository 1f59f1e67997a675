"""How the API serves a built dashboard: pages, files with their cache headers, and what isn't there."""

import gzip
import re
from pathlib import Path

import pytest

from api import app
from api.dashboard import ROUTES, Dashboard, load_files
from runtime.frontend import FRONTEND
from tests.support.harness import Harness, run_harness

PAGE = "<!doctype html><title>Dashboard</title>"
SCRIPT = "console.log('fig')" * 100
PLAYGROUND = "<title>GraphiQL</title>"
HTML = {"Accept": "text/html,*/*"}


@pytest.fixture(autouse=True)
def _built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "dist/.built": b"hash",
        "dist/index.html": PAGE.encode(),
        "dist/scheme.js": b"scheme",
        "dist/assets/index-abc.js": SCRIPT.encode(),
        "dist/assets/index-abc.js.gz": gzip.compress(SCRIPT.encode()),
        "graphiql/dist/.built": b"hash",
        "graphiql/dist/index.html": PLAYGROUND.encode(),
        "graphiql/dist/assets/editor-abc.js": b"editor",
        "secret.txt": b"secret",
    }
    for name, content in files.items():
        path = tmp_path / "frontend" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    monkeypatch.setattr(app, "Dashboard", lambda: Dashboard(tmp_path / "frontend"))


async def get(api: Harness, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    async with api.http.get(api.url + path, headers=headers, allow_redirects=False) as response:
        return response.status, await response.text(), {name.lower(): value for name, value in response.headers.items()}


async def test_pages_and_their_deep_links(api: Harness) -> None:
    for path in (
        "/",
        "/sign-in",
        "/sign-up",
        "/new",
        "/account",
        "/account/members",
        "/account/webhooks",
        "/account/webhooks/V2ViaG9vaw%3D%3D",
        "/stores/fig-olive",
        "/stores/fig-olive/logs",
    ):
        status, text, headers = await get(api, path, **HTML)
        assert (status, text) == (200, PAGE), path
        assert headers["cache-control"] == "no-cache"
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "require-trusted-types-for 'script'" in policy
    assert (await get(api, "/stores/fig-olive/logs"))[0] == 200  # for programs, too


async def test_files_are_cached_for_ever_and_come_packed(api: Harness) -> None:
    status, text, headers = await get(api, "/assets/index-abc.js", **{"Accept-Encoding": "br;q=1.0, gzip;q=0.8"})
    assert (status, text) == (200, SCRIPT)
    assert headers["content-encoding"] == "gzip"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["vary"] == "accept-encoding"
    assert headers["content-type"].startswith("text/javascript")
    _, text, headers = await get(api, "/assets/index-abc.js", **{"Accept-Encoding": "identity"})
    assert (text, headers.get("content-encoding")) == (SCRIPT, None)
    assert (await get(api, "/scheme.js"))[2]["cache-control"] == "no-cache"


async def test_what_is_not_there(api: Harness) -> None:
    for path in (
        "/nothing",
        "/assets/old-123.js",
        "/stores/a/b/c",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/.built",
        "/graphiql/x",
    ):
        status, text, _ = await get(api, path, **HTML)
        assert (status, text) == (404, PAGE), path
        status, text, _ = await get(api, path, Accept="application/json")
        assert (status, '"NOT_FOUND"' in text) == (404, True), path
    async with api.http.post(f"{api.url}/nothing") as response:
        assert response.status == 404
    async with api.http.get(f"{api.url}/auth/sign-in", headers=HTML) as response:
        assert response.status == 405


async def test_the_playground_has_a_page_and_a_policy_of_its_own(api: Harness) -> None:
    for path in ("/graphiql", "/graphiql/"):
        status, text, headers = await get(api, path, **HTML)
        assert (status, text) == (200, PLAYGROUND)
        assert "script-src 'self'" in headers["content-security-policy"]
    assert (await get(api, "/graphiql/assets/editor-abc.js"))[1] == "editor"


async def test_without_a_built_dashboard_the_api_says_how_to_build_it(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    stamp = tmp_path / "frontend" / "dist" / ".built"
    stamp.unlink()
    async with run_harness(database_url, redis_url, tmp_path, worker=False) as api:
        status, text, _ = await get(api, "/", **HTML)
        assert status == 200
        assert "make dashboard" in text
        assert (await get(api, "/new", **HTML))[0] == 404
        stamp.touch()
        assert (await get(api, "/new", **HTML))[1] == PAGE  # without a restart


def test_the_server_knows_the_pages_of_the_dashboard() -> None:
    source = FRONTEND / "src" / "app" / "App.tsx"
    if not source.exists():
        pytest.skip("frontend/ is not part of this checkout")
    paths = re.findall(r'<Route path="(/[^"]*)"', source.read_text())
    assert len(paths) > 4
    for path in paths:
        assert ROUTES.fullmatch(re.sub(r":\w+\??", "x", path)), path


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert load_files(tmp_path / "nowhere") == {}
