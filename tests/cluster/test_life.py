"""A store's whole life with the account and the rights that the chart gives the platform, and no more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from prometheus_client import REGISTRY

from tests.cluster.platform import Platform
from tests.contract.objects import requests as requests_of
from tests.flow.fleet import DELETE, Fleet, fleet
from tests.flow.logs import following


@pytest_asyncio.fixture(name="fleet")
async def with_the_platforms_account(
    platform: Platform, database_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[Fleet]:
    async with fleet(database_url, redis_url, tmp_path, cluster=(platform.account, platform.admin)) as made:
        yield made


def refusals() -> dict[str, float]:
    """How often the API server refused each kind of request, by verb and kind."""
    return {
        f"{sample.labels['verb']} {sample.labels['kind']}": sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "storefleet_cluster_requests_total" and sample.labels["code"] in ("401", "403", "422")
    }


def requests() -> float:
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "storefleet_cluster_requests_total"
    )


async def test_a_whole_life_with_no_more_than_its_rights(fleet: Fleet) -> None:
    before = refusals()
    store = await fleet.create()
    await fleet.until(store["id"], "READY", 60)
    ready = await fleet.store(store["id"])
    assert ready["receipt"]["simulated"]
    [row] = await fleet.sql("SELECT id FROM stores")
    namespace = f"store-{row['id']}"

    deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    for change in ({}, {"spec": {"template": {"spec": {"hostAliases": [{"ip": "192.0.2.1", "hostnames": ["x"]}]}}}}):
        _, was = await fleet.kubernetes("GET", deployment)
        if change:
            media = {"Content-Type": "application/strategic-merge-patch+json"}
            await fleet.kubernetes("PATCH", deployment, change, **media)
        else:
            await fleet.kubernetes("DELETE", deployment)

        async def made_anew(uid: str = was["metadata"]["uid"]) -> bool:
            status, now = await fleet.kubernetes("GET", deployment)
            return status == 200 and now["metadata"]["uid"] != uid

        await fleet.poll(made_anew, 30)
    await fleet.sql("UPDATE stores SET due_at = now()")  # the slow resync reads the Secrets
    await fleet.poll(lambda: fleet.sql("SELECT 1 FROM stores WHERE due_at > now() AND lease_until IS NULL"), 30)
    await fleet.eventually(store["id"], seconds=60, status="READY", health="HEALTHY")

    await fleet.client().execute(DELETE, {"id": store["id"]})
    await fleet.until(store["id"], "DELETED", 90)
    gone = await fleet.store(store["id"])
    assert gone["deletion"]["volumes"]
    assert gone["deletion"]["leftovers"] == []
    assert (await fleet.kubernetes("GET", f"/api/v1/namespaces/{namespace}"))[0] == 404
    assert refusals() == before


async def test_who_follows_logs_is_told_that_pretended_nodes_give_none(fleet: Fleet) -> None:
    before = refusals()
    store = await fleet.create()
    await fleet.until(store["id"], "READY", 60)
    async with following(fleet, store["id"]) as logs:
        await logs.told("can't be read now", 60)
        assert logs.lines == []
    assert refusals() == before  # it may: it can't


async def test_a_new_store_is_applied_once_and_then_asks_for_nothing(fleet: Fleet) -> None:
    applied_again = requests_of("apply", "Deployment", "200")
    store = await fleet.create()
    await fleet.until(store["id"], "READY", 60)
    quiet, before = 0, requests()
    for _ in range(100):
        await asyncio.sleep(0.1)
        now = requests()
        quiet, before = (quiet + 1, now) if now == before else (0, now)
        if quiet == 20:
            assert requests_of("apply", "Deployment", "200") == applied_again
            return
    raise AssertionError("it went on asking for ten seconds")


async def test_the_fence_lets_a_worker_start_in_production(fleet: Fleet) -> None:
    process = await fleet.worker_process(STOREFLEET_ENVIRONMENT="production")
    assert process.returncode is None
