"""Processes that die: each store becomes READY all the same, and no event is lost or doubled."""

import asyncio
from collections import Counter
from contextlib import aclosing
from functools import partial
from typing import Any

import aiohttp
import asyncpg
import pytest
from structlog.testing import capture_logs

from runtime import changefeed
from sandbox.postgres import Postgres
from sandbox.valkey import Valkey
from schema.ids import decode_id
from tests.support.harness import Harness
from tests.support.sockets import closed, open_socket, run_operation
from tests.support.stores import end_leases
from tests.support.waiting import hang_limit, wait_until
from workers import main

LONG_FAILURE_PATIENCE = pytest.mark.parametrize("settings", [{"failure_patience": 60.0}], indirect=True)
VIEWER = "{ viewer { user { email } } }"
GRAPHQL_WS: dict[str, Any] = {"protocols": ("graphql-transport-ws",)}
HOLD_AT: dict[str, dict[str, Any]] = {
    "namespace": {"fault": "http", "kind": "Namespace", "verb": "create", "code": 500},
    "isolation": {"fault": "http", "kind": "ResourceQuota", "verb": "apply", "code": 500},
    "database": {"fault": "unready", "component": "database"},
    "install": {"fault": "unschedulable", "component": "install"},
    "web": {"fault": "unready", "component": "web"},
    "proof": {"fault": "unschedulable", "component": "proof"},
}
"""The fault that keeps a store at each step."""
WITHOUT_DATABASE = {"/healthz", "/readyz", "/metrics"}
"""Routes that answer while the database can't be reached."""


async def check_events(harness: Harness) -> None:
    """No event is lost or doubled: the numbers have no gap, each step ended once, each status was entered once."""
    rows = await harness.sql("SELECT seq, store_id, type, status, step FROM events ORDER BY seq")
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    ended = Counter(
        (row["store_id"], row["step"]) for row in rows if row["type"] == "STEP" and "SUCCEEDED" in row["step"]
    )
    entered = Counter((row["store_id"], row["status"]) for row in rows if row["type"] == "STATUS")
    assert set(ended.values()) == {1}
    assert set(entered.values()) == {1}
    stores = len({row["store_id"] for row in rows})
    assert (len(ended), len(entered)) == (7 * stores, 3 * stores)


@LONG_FAILURE_PATIENCE
async def test_a_worker_killed_at_each_step_loses_nothing(api: Harness) -> None:
    stores = {step: await api.create_store(name=f"Held at {step}") for step in HOLD_AT}
    # the first step seals secrets: a lock on their table holds the worker there
    lock = await asyncpg.connect(api.settings.database_url.get_secret_value())
    async with lock.transaction():
        await lock.execute("LOCK TABLE sealed_secrets IN ACCESS EXCLUSIVE MODE")
        first = await api.start_worker_process()
        await wait_until(lambda: is_blocked_by_the_lock(api))
        first.kill()
        await first.wait()
    await lock.close()
    assert await api.sql("SELECT 1 FROM events WHERE type = 'STEP'") == []

    await api.set_faults(
        *(
            {**fault, "labels": {"storefleet.dev/store": str(decode_id("Store", stores[step]["id"]))}}
            for step, fault in HOLD_AT.items()
        )
    )
    second = await api.start_worker_process()
    for step, store in stores.items():
        await wait_until(partial(is_running, api, store, step))
    second.kill()
    await second.wait()
    await api.set_faults()
    await end_leases(api)
    async with main.worker_lifespan(api.worker_settings, api.profile):
        await asyncio.gather(*(api.wait_for_status(store["id"], "READY") for store in stores.values()))
    await check_events(api)


async def is_blocked_by_the_lock(harness: Harness) -> object:
    return await harness.sql("SELECT 1 FROM pg_locks WHERE relation = 'sealed_secrets'::regclass AND NOT granted")


async def is_running(harness: Harness, store: dict[str, Any], step: str) -> bool:
    now = await harness.get_store(store["id"])
    return any(item["name"] == step and item["status"] == "RUNNING" for item in now["steps"])


@LONG_FAILURE_PATIENCE
async def test_several_workers_share_the_work_and_nothing_happens_twice(harness: Harness) -> None:
    await harness.start_worker_process()
    stores = await asyncio.gather(*(harness.create_store(name=f"Store {number}") for number in range(20)))
    await asyncio.gather(*(harness.wait_for_status(store["id"], "READY") for store in stores))
    await check_events(harness)


@LONG_FAILURE_PATIENCE
async def test_redis_that_is_killed_costs_seconds(harness: Harness, valkey: Valkey) -> None:
    valkey.kill()
    try:
        store = await harness.create_store()
        await harness.wait_for_status(store["id"], "READY")
    finally:
        valkey.restart()
    again = await harness.create_store()
    await harness.wait_for_status(again["id"], "READY")
    await check_events(harness)


@LONG_FAILURE_PATIENCE
async def test_redis_that_is_emptied_or_hangs_costs_seconds(harness: Harness, valkey: Valkey) -> None:
    valkey.restart()  # this empties it: it stores nothing on disk
    first = await harness.create_store()
    valkey.pause()
    try:
        await harness.wait_for_status(first["id"], "READY")
        second = await harness.create_store()
        await harness.wait_for_status(second["id"], "READY")
    finally:
        valkey.resume()
    third = await harness.create_store()
    await harness.wait_for_status(third["id"], "READY")
    await check_events(harness)


@LONG_FAILURE_PATIENCE
async def test_subscribers_survive_an_outage_of_postgres(
    harness: Harness, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those who read in it."""
    monkeypatch.setattr(changefeed, "NOTIFY_ALL_SECONDS", 1.0)
    await harness.call_simulator("clock", {"speed": 2})
    store = await harness.create_store()
    seen = []
    async with aclosing(harness.store_events(store["id"])) as events:
        async with hang_limit():
            async for event in events:
                seen.append(event)
                if event["step"] and event["step"]["name"] == "database":
                    break
        postgres.kill()
        try:
            with capture_logs() as logs:
                await wait_until(partial(is_logged, logs, "event_stream.database_unavailable"))
        finally:
            postgres.restart()
        async with hang_limit():
            async for event in events:  # the same socket continues
                seen.append(event)
                if event["type"] == "STATUS" and event["status"] == "READY":
                    break
    rows = await harness.sql("SELECT message FROM events ORDER BY seq")
    assert [event["message"] for event in seen] == [row["message"] for row in rows][: len(seen)]
    await check_events(harness)
    async with harness.http.get(f"{harness.url}/readyz") as response:
        assert response.status == 200


async def is_logged(logs: list[Any], event: str) -> bool:
    return any(entry["event"] == event for entry in logs)


async def test_without_a_database_the_api_says_so_and_stays_alive(api: Harness, postgres: Postgres) -> None:
    socket, anonymous = await open_socket(api, api.token), await api.http.ws_connect(f"{api.url}/graphql", **GRAPHQL_WS)
    postgres.kill()
    try:
        refused = await run_operation(socket, VIEWER)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "UNAVAILABLE")
        await anonymous.send_json({"type": "connection_init", "payload": {"authorization": f"Bearer {api.token}"}})
        assert (await closed(anonymous))[0] == 1013
        async with api.http.get(f"{api.url}/readyz") as response:
            assert response.status == 503
            assert "can't be reached" in (await response.json())["reason"]
        async with api.http.get(f"{api.url}/healthz") as response:
            assert response.status == 200
        async with api.http.get(api.url, headers={"Host": "fig-olive.localhost"}) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
            assert "One moment, please" in await response.text()
        headers = {"Authorization": f"Bearer {api.token}"}
        body = {"query": VIEWER}
        async with api.http.post(f"{api.url}/graphql", json=body, headers=headers) as response:
            assert response.status == 503
            assert (await response.json())["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
            assert response.headers["Retry-After"] == "5"
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await api.http.ws_connect(f"{api.url}/graphql", headers=headers)
        assert raised.value.status == 503
        await check_routes_without_a_database(api)
    finally:
        postgres.restart()
    assert (await run_operation(socket, VIEWER))["payload"]["data"]["viewer"]["user"]["email"] == "owner@example.com"
    assert (await api.create_store())["status"] == "REQUESTED"
    await socket.close()


async def check_routes_without_a_database(api: Harness) -> None:
    """All but GraphQL's and WITHOUT_DATABASE, also those that are added later."""
    app: Any = api.server.config.app
    cookies = {"storefleet_session": "a", "storefleet_operator": "b"}
    fields = dict.fromkeys(("email", "password", "token", "userId", "reason"), "a long value")
    asked = set()
    for route in app.routes:
        for method in getattr(route, "methods", None) or ():
            if method == "HEAD" or route.path in WITHOUT_DATABASE:
                continue
            asked.add(route.path)
            async with api.http.request(method, api.url + route.path, json=fields, cookies=cookies) as response:
                assert (response.status, response.headers.get("Retry-After")) == (503, "5"), route.path
                [error] = (await response.json())["errors"]
                assert (error["code"], error["retryAfterSeconds"]) == ("UNAVAILABLE", 5)
    assert {"/auth/sign-in", "/export/audit"} <= asked


@LONG_FAILURE_PATIENCE
async def test_watches_that_are_cut_and_forgotten_cost_seconds(harness: Harness) -> None:
    stores = await asyncio.gather(*(harness.create_store(name=f"Store {number}") for number in range(3)))
    for _ in range(8):
        await harness.call_simulator("drop-watches")
        await harness.call_simulator("compact")
        await asyncio.sleep(0.1)
    await asyncio.gather(*(harness.wait_for_status(store["id"], "READY") for store in stores))
    await check_events(harness)


@LONG_FAILURE_PATIENCE
async def test_a_schema_that_is_too_old_is_not_ready(api: Harness) -> None:
    for change, reason in (
        ("UPDATE alembic_version SET version_num = '0000'", "storefleet migrate"),
        ("DROP TABLE alembic_version", "no schema yet"),
    ):
        await api.sql(change)
        async with api.http.get(f"{api.url}/readyz") as response:
            assert response.status == 503
            assert reason in (await response.json())["reason"]


@LONG_FAILURE_PATIENCE
async def test_a_worker_that_stops_after_an_outage_hands_its_leases_on(
    api: Harness, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work loop has crashed, and waits before it starts again."""
    monkeypatch.setattr(main, "RESTART_SECONDS", 1000.0)
    await api.set_faults({"fault": "hang", "kind": "Namespace", "verb": "create"})
    with capture_logs() as logs:
        async with main.worker_lifespan(api.worker_settings, api.profile):
            await api.create_store()
            await wait_until(lambda: api.sql("SELECT 1 FROM stores WHERE lease_holder IS NOT NULL"))
            postgres.kill()
            try:

                async def is_interrupted() -> bool:
                    return any(row["event"] == "task.interrupted" and row["task"] == "work_loop" for row in logs)

                await wait_until(is_interrupted)
            finally:
                postgres.restart()
    [row] = await api.sql("SELECT lease_holder, lease_until FROM stores")
    assert tuple(row) == (None, None)
