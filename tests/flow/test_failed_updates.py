"""A FAILED update keeps its health and its drift checks: the pods from before it still serve the shop."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support.harness import JSON, RETRY, Harness, run_harness
from tests.support.stores import (
    change_plan,
    create_ready_store,
    exists,
    has_notice,
    is_gone,
    object_path,
    wait_for_health_cause,
    wait_until_idle,
)
from tests.support.waiting import wait_until
from workers.main import worker_lifespan


@pytest_asyncio.fixture(name="failed")
async def _failed(harness: Harness) -> tuple[JSON, str]:
    """A store whose update failed, because no node takes its new web pod; and its namespace."""
    store, namespace = await create_ready_store(harness)
    await harness.set_faults({"fault": "unschedulable", "component": "web"})
    await change_plan(harness, store["id"], "MEDIUM")
    await harness.wait_for_store(store["id"], status="FAILED")
    await wait_until_idle(harness)
    return store, namespace


async def test_its_health_follows_the_cluster(harness: Harness, failed: tuple[JSON, str]) -> None:
    store, _ = failed
    looked = await harness.get_store(store["id"])
    assert (looked["status"], looked["health"]["state"]) == ("FAILED", "DEGRADED")  # the old web pod is ready
    assert looked["health"]["cause"].startswith("No node can take the web pod")

    no_room = {"fault": "unschedulable", "component": "web"}
    await harness.set_faults(no_room, {"fault": "crash", "component": "database", "message": "corrupt"})
    await harness.wait_for_store(store["id"], status="FAILED", health="DOWN")
    down = await wait_for_health_cause(harness, store, "corrupt")
    assert down["health"]["cause"].endswith("See its logs, then retry.")  # retryStore works
    await harness.set_faults(no_room)
    await harness.wait_for_store(store["id"], status="FAILED", health="DEGRADED")


async def test_removed_objects_are_restored(harness: Harness, failed: tuple[JSON, str]) -> None:
    store, namespace = failed
    service = object_path(namespace, "services", "web")
    await harness.kubernetes_request("DELETE", service)
    await wait_until(lambda: has_notice(harness, "Somebody removed the Service web"))
    assert await exists(harness, service)
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    _, found = await harness.kubernetes_request("GET", jobs)
    assert [item["metadata"]["name"] for item in found["items"]] != []  # their logs tell why it failed
    assert (await harness.get_store(store["id"]))["status"] == "FAILED"

    await harness.set_faults()
    await harness.client().execute(RETRY, {"id": store["id"]})
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY", plan="MEDIUM")


async def test_a_removed_namespace_is_reported(harness: Harness, failed: tuple[JSON, str]) -> None:
    store, namespace = failed
    await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{namespace}")
    await wait_for_health_cause(harness, store, "Restore a backup")
    await wait_until(lambda: is_gone(harness, f"/api/v1/namespaces/{namespace}"))
    assert (await harness.get_store(store["id"]))["health"]["state"] == "DOWN"


@pytest_asyncio.fixture(name="stopped")
async def _stopped(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Harness]:
    """An API, whose test runs the workers."""
    async with run_harness(database_url, redis_url, tmp_path, worker=False) as harness:
        yield harness


async def test_a_changed_profile_waits_for_the_retry(stopped: Harness) -> None:
    """A FAILED store is never updated by itself: its old pods would be replaced one after the other."""
    async with worker_lifespan(stopped.worker_settings, stopped.profile):
        store, namespace = await create_ready_store(stopped)
        await stopped.set_faults({"fault": "unschedulable", "component": "web"})
        await change_plan(stopped, store["id"], "MEDIUM")
        await stopped.wait_for_store(store["id"], status="FAILED")
        await wait_until_idle(stopped)
    changed = stopped.profile.model_copy(update={"image_registry": "mirror.example/storefleet"})
    deployment = object_path(namespace, "deployments", "web")
    _, before = await stopped.kubernetes_request("GET", deployment)
    async with worker_lifespan(stopped.worker_settings, changed):
        await stopped.sql("UPDATE stores SET due_at = now()")
        await wait_until_idle(stopped)
        _, after = await stopped.kubernetes_request("GET", deployment)
        assert after["spec"] == before["spec"]
        assert (await stopped.get_store(store["id"]))["health"]["state"] == "DEGRADED"
        await stopped.set_faults()
        await stopped.client().execute(RETRY, {"id": store["id"]})
        await stopped.wait_for_store(store["id"], status="READY", health="HEALTHY")
    _, after = await stopped.kubernetes_request("GET", deployment)
    assert after["spec"]["template"]["spec"]["containers"][0]["image"].startswith("mirror.example/storefleet/")
