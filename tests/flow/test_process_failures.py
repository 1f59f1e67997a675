"""Processes that die: each store still arrives, within 15 s of what broke being back, with no event lost or doubled."""

import asyncio
from collections import Counter
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import pytest

from sandbox.postgres import Postgres
from sandbox.valkey import Valkey
from schema.ids import decode
from tests.flow.fleet import Fleet

PATIENT = pytest.mark.parametrize("settings", [{"failure_patience": 60.0}], indirect=True)
SECONDS = 15
HELD_AT: dict[str, dict[str, Any]] = {
    "namespace": {"fault": "http", "kind": "Namespace", "verb": "create", "code": 500},
    "isolation": {"fault": "http", "kind": "ResourceQuota", "verb": "apply", "code": 500},
    "database": {"fault": "unready", "component": "database"},
    "install": {"fault": "unschedulable", "component": "install"},
    "web": {"fault": "unready", "component": "web"},
    "proof": {"fault": "unschedulable", "component": "proof"},
}
"""What keeps a store at each step."""


def uuid_of(store: dict[str, Any]) -> str:
    found = decode("Store", store["id"])
    assert isinstance(found, UUID)
    return str(found)


async def told_once(fleet: Fleet) -> None:
    """No event is lost or doubled: numbers without a gap, each step ended once, each status entered once."""
    rows = await fleet.sql("SELECT seq, store_id, type, status, step FROM events ORDER BY seq")
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    ended = Counter(
        (row["store_id"], row["step"]) for row in rows if row["type"] == "STEP" and "SUCCEEDED" in row["step"]
    )
    entered = Counter((row["store_id"], row["status"]) for row in rows if row["type"] == "STATUS")
    assert set(ended.values()) == {1}
    assert set(entered.values()) == {1}
    stores = len({row["store_id"] for row in rows})
    assert (len(ended), len(entered)) == (7 * stores, 3 * stores)


@PATIENT
async def test_a_worker_killed_at_each_step_loses_nothing(api: Fleet) -> None:
    stores = {step: await api.create(name=f"Held at {step}") for step in HELD_AT}
    # at the first step, secrets are being sealed: a lock keeps the worker right there
    lock = await asyncpg.connect(api.settings.database_url.get_secret_value())
    async with lock.transaction():
        await lock.execute("LOCK TABLE sealed_secrets IN ACCESS EXCLUSIVE MODE")
        first = await api.worker_process()
        await api.poll(lambda: waits_for_the_lock(api))
        first.kill()
        await first.wait()
    await lock.close()
    assert await api.sql("SELECT 1 FROM events WHERE type = 'STEP'") == []

    await api.fault(*({**fault, "store": uuid_of(stores[step])} for step, fault in HELD_AT.items()))
    second = await api.worker_process()
    for step, store in stores.items():
        await api.poll(partial(runs, api, store, step), 25)
    second.kill()
    await second.wait()
    await api.fault()
    await api.worker_process()
    await asyncio.gather(*(api.until(store["id"], "READY", SECONDS) for store in stores.values()))
    await told_once(api)


async def waits_for_the_lock(fleet: Fleet) -> object:
    return await fleet.sql("SELECT 1 FROM pg_locks WHERE relation = 'sealed_secrets'::regclass AND NOT granted")


async def runs(fleet: Fleet, store: dict[str, Any], step: str) -> bool:
    now = await fleet.store(store["id"])
    return any(item["name"] == step and item["status"] == "RUNNING" for item in now["steps"])


@PATIENT
async def test_several_workers_share_the_work_and_nothing_happens_twice(fleet: Fleet) -> None:
    await fleet.worker_process()
    stores = await asyncio.gather(*(fleet.create(name=f"Store {number}") for number in range(20)))
    await asyncio.gather(*(fleet.until(store["id"], "READY", 40) for store in stores))
    await told_once(fleet)


@PATIENT
async def test_redis_that_is_killed_costs_seconds(fleet: Fleet, valkey: Valkey) -> None:
    valkey.kill()
    try:
        store = await fleet.create()
        await fleet.until(store["id"], "READY", SECONDS)
    finally:
        valkey.restart()
    again = await fleet.create()
    await fleet.until(again["id"], "READY", SECONDS)
    await told_once(fleet)


@PATIENT
async def test_redis_that_is_emptied_or_hangs_costs_seconds(fleet: Fleet, valkey: Valkey) -> None:
    valkey.restart()  # it keeps nothing, so this empties it, too
    first = await fleet.create()
    valkey.pause()
    try:
        await fleet.until(first["id"], "READY", SECONDS)
        second = await fleet.create()
        await fleet.until(second["id"], "READY", SECONDS)
    finally:
        valkey.resume()
    third = await fleet.create()
    await fleet.until(third["id"], "READY", SECONDS)
    await told_once(fleet)


@PATIENT
async def test_a_restarted_postgres_interrupts_nobody_for_good(fleet: Fleet, postgres: Postgres) -> None:
    await fleet.sim("clock", {"speed": 2})
    store = await fleet.create()
    seen = []
    async with aclosing(fleet.events(store["id"])) as events:
        async with asyncio.timeout(10):
            async for event in events:
                seen.append(event)
                if event["step"] and event["step"]["name"] == "database":
                    break
        postgres.restart()
        async with asyncio.timeout(SECONDS):
            async for event in events:  # the same socket goes on
                seen.append(event)
                if event["type"] == "STATUS" and event["status"] == "READY":
                    break
    rows = await fleet.sql("SELECT message FROM events ORDER BY seq")
    assert [event["message"] for event in seen] == [row["message"] for row in rows][: len(seen)]
    await told_once(fleet)
    async with fleet.http.get(f"{fleet.url}/readyz") as response:
        assert response.status == 200


async def test_without_a_database_the_api_says_so_and_stays_alive(api: Fleet, postgres: Postgres) -> None:
    postgres.kill()
    try:
        async with api.http.get(f"{api.url}/readyz") as response:
            assert response.status == 503
            assert "can't be reached" in (await response.json())["reason"]
        async with api.http.get(f"{api.url}/healthz") as response:
            assert response.status == 200
        async with api.http.get(api.url, headers={"Host": "fig-olive.localhost"}) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
            assert "One moment, please" in await response.text()
        headers = {"Authorization": f"Bearer {api.token}"}
        body = {"query": "{ viewer { user { email } } }"}
        async with api.http.post(f"{api.url}/graphql", json=body, headers=headers) as response:
            assert response.status == 503
            assert (await response.json())["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        with pytest.raises(aiohttp.WSServerHandshakeError) as told:
            await api.http.ws_connect(f"{api.url}/graphql", headers=headers)
        assert told.value.status == 503
    finally:
        postgres.restart()
    assert (await api.create())["status"] == "REQUESTED"


@PATIENT
async def test_watches_that_are_cut_and_forgotten_cost_seconds(fleet: Fleet) -> None:
    stores = await asyncio.gather(*(fleet.create(name=f"Store {number}") for number in range(3)))
    for _ in range(8):
        await fleet.sim("drop-watches")
        await fleet.sim("compact")
        await asyncio.sleep(0.1)
    await asyncio.gather(*(fleet.until(store["id"], "READY", SECONDS) for store in stores))
    await told_once(fleet)


@PATIENT
async def test_a_schema_that_is_too_old_is_not_ready(api: Fleet) -> None:
    for change, reason in (
        ("UPDATE alembic_version SET version_num = '0000'", "storefleet migrate"),
        ("DROP TABLE alembic_version", "no schema yet"),
    ):
        await api.sql(change)
        async with api.http.get(f"{api.url}/readyz") as response:
            assert response.status == 503
            assert reason in (await response.json())["reason"]
