"""The examples in docs/API.md, taken from the document and run with the real clients."""

import json
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api import graphql_stream
from sandbox.ports import free_port
from tests.support.api_examples import CLIENTS, compile_examples, read_until, run_example
from tests.support.harness import Harness
from tests.support.npm import install_packages
from tests.support.waiting import hang_limit, wait_until
from tests.support.webhooks import LOCAL, find_webhook, mutate, write_events

TYPESCRIPT = ("list-stores.ts", "follow-account.ts", "follow-sse.ts", "webhook-receiver.ts")
WITH_LOCAL_WEBHOOKS = pytest.mark.parametrize("settings", [LOCAL], indirect=True)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the examples in TypeScript."""
    if problem := install_packages(CLIENTS):
        pytest.skip(problem)
    folder = tmp_path_factory.mktemp("typescript")
    compile_examples(folder, *TYPESCRIPT)
    return folder


def variables(harness: Harness, **more: str) -> dict[str, str]:
    return {"STOREFLEET_URL": harness.url, "STOREFLEET_TOKEN": harness.token, **more}


@pytest_asyncio.fixture
async def with_a_store(api: Harness) -> AsyncIterator[tuple[Harness, str]]:
    """An API with a store and three events after a cursor, which is the second value."""
    store = await api.create_store(name="Basil")
    await write_events(api, 3)
    yield api, store["eventCursor"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl: apt-get install curl")
async def test_first_store(harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql_stream, "HEARTBEAT_SECONDS", 0.2)  # curl sees at its next write that sed has ended
    async with run_example(tmp_path, "first-store.sh", **variables(harness)) as process, hang_limit():
        printed, _ = await process.communicate()
    assert b'"status": "READY"' in printed
    credentials = json.loads(printed.decode()[printed.decode().rindex('{"data"') :])
    assert credentials["data"]["revealAdminCredentials"]["credentials"]["password"]
    assert process.returncode in (0, 23), printed  # 23: nobody reads what curl wrote


async def test_python(harness: Harness, tmp_path: Path) -> None:
    async with run_example(tmp_path, "create_store.py", **variables(harness)) as process:
        assert "http://basil.localhost" in await read_until(process, "http://basil.localhost")
        assert await process.wait() == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl: apt-get install curl")
async def test_curl_follows_an_account(with_a_store: tuple[Harness, str], tmp_path: Path) -> None:
    harness, cursor = with_a_store
    given = variables(harness, STOREFLEET_CURSOR=cursor)
    async with run_example(tmp_path, "follow-account.sh", **given) as process:
        printed = await read_until(process, "number 3")
    assert [text in printed for text in ("number 1", "number 2", "event: next", "id: ")] == [True] * 4


@pytest.mark.parametrize("name", ["follow-account.ts", "follow-sse.ts"])
async def test_typescript_follows_an_account(with_a_store: tuple[Harness, str], compiled: Path, name: str) -> None:
    """Also through a restart of the stream: the rest comes after the last cursor, and nothing twice."""
    harness, cursor = with_a_store
    async with run_example(compiled, name, **variables(harness, STOREFLEET_CURSOR=cursor)) as process:
        printed = await read_until(process, "number 3")
        assert [line.split()[-1] for line in printed.splitlines()] == ["1", "2", "3"]
        for connection in list(harness.server.server_state.connections):
            transport: Any = connection.transport
            transport.abort()
        await write_events(harness, 2)
        printed = await read_until(process, "number 2")
        assert [line.split()[-1] for line in printed.splitlines() if "number" in line] == ["1", "2"]


async def test_typescript_lists_stores(with_a_store: tuple[Harness, str], compiled: Path) -> None:
    harness, _ = with_a_store
    async with run_example(compiled, "list-stores.ts", **variables(harness)) as process:
        assert await read_until(process, "basil") == "basil REQUESTED http://basil.localhost\n"
        assert await process.wait() == 0


@WITH_LOCAL_WEBHOOKS
@pytest.mark.parametrize("name", ["webhook_receiver.py", "webhook-receiver.ts"])
async def test_webhook_receivers(harness: Harness, tmp_path: Path, name: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue("compiled") if name.endswith(".ts") else tmp_path
    port = free_port()
    url = f"http://127.0.0.1:{port}/hooks"
    created = await mutate(harness, "createWebhook", url=url)
    given = {"PORT": str(port), "STOREFLEET_WEBHOOK_SECRET": created["secret"]}
    async with run_example(folder, name, **given) as process:

        async def is_listening() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        await wait_until(is_listening)
        await mutate(harness, "testWebhook", id=created["webhook"]["id"])
        await read_until(process, "webhook.test This is a test.")
        await harness.create_store()
        await read_until(process, "store.status")
        forged = {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
        async with harness.http.post(url, data=b"{}", headers=forged) as response:
            assert response.status == 400
        attempts = (await find_webhook(harness, created["webhook"]["id"]))["deliveries"]["nodes"]  # while it runs
    assert {item["statusCode"] for item in attempts} == {204}
