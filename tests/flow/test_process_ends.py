"""Processes that are asked to end by SIGTERM: at any moment, and without harm to what they are doing."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from api.serve import REQUEST_SECONDS
from runtime.database import TIMEOUTS
from sandbox.ports import free_port
from tests.support.harness import CREATE, EVENTS, ROOT, AnyProcess, Harness, process_environment
from tests.support.processes import StorefleetProcess, start_storefleet
from tests.support.waiting import HANG_SECONDS, hang_limit, wait_until
from workers import work_loop
from workers.cluster import client
from workers.main import worker_lifespan

BLOCKED_IMPORT = "import pathlib, time\npathlib.Path({marker!r}).touch()\ntime.sleep(1000)\n"


def ignore_sigterm() -> None:
    """As the first process of a container, which loses a signal without a handler."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def environment_of(harness: Harness, command: str, **variables: str) -> dict[str, str]:
    roles = {"api": harness.api_settings, "migrate": harness.settings}
    return process_environment(roles.get(command, harness.worker_settings), **variables)


async def start(harness: Harness, command: str, **variables: str) -> StorefleetProcess:
    """Start it as the first process of a container."""
    environment = environment_of(harness, command, **variables)
    process = await start_storefleet(command, environment=environment, stderr=True, ignored=(signal.SIGTERM,))
    harness.processes.append(process)
    return process


async def end(process: AnyProcess) -> int:
    process.terminate()
    async with hang_limit():
        return await process.wait()


@asynccontextmanager
async def api_process(harness: Harness, **variables: str) -> AsyncIterator[tuple[StorefleetProcess, str]]:
    """Another API process, ready, and its URL."""
    port = free_port()
    process = await start(harness, "api", STOREFLEET_PORT=str(port), **variables)
    url = f"http://127.0.0.1:{port}"
    await wait_until(lambda: answers(harness, f"{url}/readyz", 200))
    yield process, url


async def answers(harness: Harness, url: str, status: int) -> bool:
    try:
        async with harness.http.get(url) as response:
            return response.status == status
    except aiohttp.ClientConnectionError:
        return status == 0


@pytest.mark.parametrize("command", ["api", "worker", "migrate", "doctor"])
async def test_a_process_that_is_still_starting_ends(api: Harness, tmp_path: Path, command: str) -> None:
    marker = tmp_path / "importing"
    (tmp_path / "pydantic_settings.py").write_text(BLOCKED_IMPORT.format(marker=str(marker)))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "cli", command),
        cwd=ROOT,
        env=environment_of(api, command, PYTHONPATH=f"{tmp_path}:{ROOT}"),
        preexec_fn=ignore_sigterm,
    )
    api.processes.append(process)

    async def imports() -> bool:
        return marker.exists()

    await wait_until(imports)
    assert await end(process) == 128 + signal.SIGTERM


async def test_a_migration_that_waits_ends_and_changes_nothing(api: Harness) -> None:
    await api.sql("UPDATE alembic_version SET version_num = '0009'")
    connection = await asyncpg.connect(api.settings.database_url.get_secret_value())
    async with connection.transaction():
        await connection.execute("LOCK TABLE alembic_version")
        process = await start(api, "migrate")
        await wait_until(lambda: api.sql("SELECT 1 FROM pg_locks WHERE NOT granted"))
        assert await end(process) == 128 + signal.SIGTERM
        await wait_until(lambda: _has_no_lock_waiters(api))
    await connection.close()
    [row] = await api.sql("SELECT version_num FROM alembic_version")
    assert row["version_num"] == "0009"


async def _has_no_lock_waiters(harness: Harness) -> bool:
    return not await harness.sql("SELECT 1 FROM pg_locks WHERE NOT granted")


async def test_an_api_process_says_that_it_ends_before_it_closes_its_socket(api: Harness) -> None:
    async with api_process(api, STOREFLEET_DRAIN_SECONDS="300") as (process, url):
        process.terminate()
        await wait_until(lambda: answers(api, f"{url}/readyz?exclude=database", 503))
        assert await answers(api, f"{url}/readyz", 503)
        async with api.http.get(f"{url}/healthz") as response:
            assert (response.status, response.headers["Connection"]) == (200, "close")
        body = {"query": "{ viewer { user { email } } }"}
        headers = {"Authorization": f"Bearer {api.token}"}
        async with api.http.post(f"{url}/graphql", json=body, headers=headers) as response:
            assert (await response.json())["data"]["viewer"]["user"]["email"] == "owner@example.com"
        process.terminate()  # ends the drain
        async with hang_limit():
            assert await process.wait() == 0
    assert await answers(api, f"{url}/readyz", 0)


async def test_requests_in_flight_get_their_answer(api: Harness) -> None:
    """Also one that waits longer than the socket is open: its database is locked."""
    async with api_process(api) as (process, url):
        connection = await asyncpg.connect(api.settings.database_url.get_secret_value())
        async with connection.transaction():
            await connection.execute("LOCK TABLE stores")
            request = asyncio.create_task(post(api, url, CREATE, {"input": {"name": "A", "engine": "WOOCOMMERCE"}}))
            await wait_until(lambda: api.sql("SELECT 1 FROM pg_locks WHERE NOT granted"))
            process.terminate()
            await wait_until(lambda: answers(api, f"{url}/readyz", 0))
            assert not request.done()
        await connection.close()
        async with hang_limit():
            assert (await request)["data"]["createStore"]["store"]["status"] == "REQUESTED"
            assert await process.wait() == 0


def test_requests_in_flight_may_take_longer_than_any_statement() -> None:
    assert int(TIMEOUTS["statement_timeout"]) < REQUEST_SECONDS * 1000


async def post(harness: Harness, url: str, query: str, variables: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {harness.token}"}
    async with harness.http.post(f"{url}/graphql", json={"query": query, "variables": variables}, headers=headers) as r:
        return await r.json()


async def test_subscribers_are_told_to_connect_again_and_miss_nothing(api: Harness) -> None:
    store = await api.create_store()
    async with api_process(api) as (process, url):
        headers = {"Authorization": f"Bearer {api.token}"}
        async with (
            api.http.ws_connect(f"{url}/graphql", protocols=["graphql-transport-ws"], headers=headers) as websocket,
            hang_limit(),
        ):
            await websocket.send_json({"type": "connection_init"})
            assert (await websocket.receive_json())["type"] == "connection_ack"
            await websocket.send_json(
                {"id": "1", "type": "subscribe", "payload": {"query": EVENTS, "variables": {"id": store["id"]}}}
            )
            first = (await websocket.receive_json())["payload"]["data"]["storeEvents"]
            process.terminate()
            closing = await websocket.receive()
            assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 1012)
            assert closing.extra == "This server restarts. Connect again, and continue after your last cursor."
            assert await process.wait() == 0
    async with worker_lifespan(api.worker_settings, api.profile):
        await api.wait_for_status(store["id"], "READY")
    async with aclosing(api.store_events(store["id"], first["cursor"])) as events:
        seen = [first["message"], (await anext(events))["message"]]
    rows = await api.sql("SELECT message FROM events ORDER BY seq LIMIT 2")
    assert seen == [row["message"] for row in rows]


async def test_a_worker_finishes_its_pass_and_gives_its_leases_back(
    api: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_loop, "FINISH_SECONDS", HANG_SECONDS)
    monkeypatch.setattr(client, "REQUEST_TIMEOUT", HANG_SECONDS)
    await api.set_faults({"fault": "hang", "kind": "Namespace", "verb": "create", "seconds": 1})
    async with worker_lifespan(api.worker_settings, api.profile):
        await api.create_store()
        await wait_until(lambda: api.sql("SELECT 1 FROM stores WHERE lease_holder IS NOT NULL"))
        await wait_until(lambda: api.sql("SELECT 1 FROM observer_leases"))
    [row] = await api.sql("SELECT lease_holder, lease_until, namespace_uid IS NOT NULL FROM stores")
    assert tuple(row) == (None, None, True)
    assert await api.sql("SELECT 1 FROM observer_leases") == []


async def test_a_pass_that_takes_too_long_is_handed_on(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_loop, "FINISH_SECONDS", 0.1)
    await api.set_faults({"fault": "hang", "kind": "Namespace", "verb": "create"})
    async with worker_lifespan(api.worker_settings, api.profile):
        store = await api.create_store()
        await wait_until(lambda: api.sql("SELECT 1 FROM stores WHERE lease_holder IS NOT NULL"))
    [row] = await api.sql("SELECT lease_holder, lease_until FROM stores")
    assert tuple(row) == (None, None)
    await api.set_faults()
    async with worker_lifespan(api.worker_settings, api.profile):
        await api.wait_for_status(store["id"], "READY")


async def monitoring(harness: Harness, port: int, path: str) -> tuple[int, str]:
    """Status and text; status 0 when nothing listens."""
    try:
        async with harness.http.get(f"http://127.0.0.1:{port}{path}") as response:
            return response.status, await response.text()
    except aiohttp.ClientConnectionError:
        return 0, ""


async def test_metrics_have_a_port_of_their_own(api: Harness) -> None:
    port = free_port()
    async with api_process(api, STOREFLEET_METRICS_PORT=str(port)) as (process, url):
        assert await answers(api, f"{url}/metrics", 404)
        status, text = await monitoring(api, port, "/metrics")
        assert (status, "python_info" in text) == (200, True)
        assert (await monitoring(api, port, "/other"))[0] == 404
        taken = await start(api, "api", STOREFLEET_PORT=str(free_port()), STOREFLEET_METRICS_PORT=str(port))
        output, _ = await taken.communicate()
        assert (taken.returncode, b"can't listen on 0.0.0.0" in output) == (1, True)
        assert await end(process) == 0


async def test_a_worker_is_ready_when_its_loops_succeed(api: Harness) -> None:
    port = free_port()
    await api.sql("UPDATE alembic_version SET version_num = '0001'")
    process = await start(api, "worker", STOREFLEET_METRICS_PORT=str(port))

    async def has(path: str, status: int, words: str) -> bool:
        found, text = await monitoring(api, port, path)
        return found == status and words in text

    await wait_until(lambda: has("/readyz", 503, "run `storefleet migrate`"))
    assert await has("/healthz", 200, "ok")
    await api.sql("UPDATE alembic_version SET version_num = '9999'")
    await wait_until(lambda: has("/readyz", 200, "ok"))
    assert await end(process) == 0


async def test_a_worker_that_cant_list_is_not_ready(api: Harness) -> None:
    """As with a role that lacks a right: its rollout stops."""
    port = free_port()
    await api.set_faults({"fault": "http", "code": 403, "kind": "NetworkPolicy", "verb": "list", "message": "no"})
    process = await start(api, "worker", STOREFLEET_METRICS_PORT=str(port))

    async def is_unready() -> bool:
        return await monitoring(api, port, "/readyz") == (503, "informer hasn't succeeded yet\n")

    await wait_until(is_unready)
    await api.set_faults()

    async def is_ready() -> bool:
        return (await monitoring(api, port, "/readyz"))[0] == 200

    await wait_until(is_ready)
    assert await end(process) == 0
