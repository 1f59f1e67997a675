"""A store's whole lifecycle with the platform's account, and only the rights that the chart gives it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from prometheus_client import REGISTRY

from tests.cluster.platform import Platform
from tests.contract.objects import requests as requests_of
from tests.support.harness import DELETE, Harness, run_harness
from tests.support.log_subscription import follow_logs
from tests.support.stores import object_path
from tests.support.suspension import resume_store, suspend_store
from tests.support.waiting import wait_until


@pytest_asyncio.fixture(name="harness")
async def with_the_platforms_account(
    platform: Platform, database_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[Harness]:
    async with run_harness(database_url, redis_url, tmp_path, cluster=(platform.account, platform.admin)) as made:
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


async def test_a_whole_life_with_no_more_than_its_rights(harness: Harness) -> None:
    before = refusals()
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    ready = await harness.get_store(store["id"])
    assert ready["receipt"]["simulated"]
    [row] = await harness.sql("SELECT id FROM stores")
    namespace = f"store-{row['id']}"

    deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    for change in ({}, {"spec": {"template": {"spec": {"hostAliases": [{"ip": "192.0.2.1", "hostnames": ["x"]}]}}}}):
        _, was = await harness.kubernetes_request("GET", deployment)
        if change:
            media = {"Content-Type": "application/strategic-merge-patch+json"}
            await harness.kubernetes_request("PATCH", deployment, change, **media)
        else:
            await harness.kubernetes_request("DELETE", deployment)

        async def recreated(uid: str = was["metadata"]["uid"]) -> bool:
            status, now = await harness.kubernetes_request("GET", deployment)
            return status == 200 and now["metadata"]["uid"] != uid

        await wait_until(recreated)
    await harness.sql("UPDATE stores SET due_at = now()")  # the slow resync reads the Secrets
    await wait_until(lambda: harness.sql("SELECT 1 FROM stores WHERE due_at > now() AND lease_until IS NULL"))
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")

    await suspend_store(harness, store["id"])
    await harness.wait_for_store(store["id"], status="SUSPENDED")
    assert (await harness.kubernetes_request("GET", f"/api/v1/namespaces/{namespace}/pods"))[1]["items"] == []
    cron = object_path(namespace, "cronjobs", "cron")
    assert (await harness.kubernetes_request("GET", cron))[1]["spec"]["suspend"] is True
    await resume_store(harness, store["id"])
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    assert (await harness.kubernetes_request("GET", cron))[1]["spec"]["suspend"] is False

    await harness.client().execute(DELETE, {"id": store["id"]})
    await harness.wait_for_status(store["id"], "DELETED")
    gone = await harness.get_store(store["id"])
    assert gone["deletion"]["volumes"]
    assert gone["deletion"]["leftovers"] == []
    assert (await harness.kubernetes_request("GET", f"/api/v1/namespaces/{namespace}"))[0] == 404
    assert refusals() == before


async def test_who_follows_logs_is_told_that_fake_nodes_give_none(harness: Harness) -> None:
    before = refusals()
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    async with follow_logs(harness, store["id"]) as logs:
        await logs.wait_for_notice("can't be read now")
        assert logs.lines == []
    assert refusals() == before  # it may: it can't


async def test_a_new_store_is_applied_once_and_then_asks_for_nothing(harness: Harness) -> None:
    applied_again = requests_of("apply", "Deployment", "200")
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    quiet, before = 0, requests()
    for _ in range(100):
        await asyncio.sleep(0.1)
        now = requests()
        quiet, before = (quiet + 1, now) if now == before else (0, now)
        if quiet == 20:
            assert requests_of("apply", "Deployment", "200") == applied_again
            return
    raise AssertionError("requests continued for ten seconds")


async def test_with_the_admission_policy_a_worker_starts_in_production(harness: Harness) -> None:
    process = await harness.start_worker_process(STOREFLEET_ENVIRONMENT="production")
    assert process.returncode is None
