"""Recovery: a retry recreates unhealthy workloads, and foreign workloads in the namespace don't affect the store."""

import pytest

from sandbox.simulator import clock
from tests.support.harness import RETRY, Harness
from tests.support.stores import foreign_deployment, namespace_of, resync, wait_until_idle
from tests.support.waiting import hang_limit, wait_until
from workers.engines.objects import EXIT_NON_RETRYABLE


@pytest.mark.parametrize(
    ("component", "place", "other"),
    [
        ("web", "deployments/web", "statefulsets/database"),
        ("database", "statefulsets/database", "deployments/web"),
    ],
)
async def test_a_retry_does_not_wait_for_kubernetes_own_pauses(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, component: str, place: str, other: str
) -> None:
    """An unhealthy workload is recreated: otherwise its backoff would continue, and the store would fail again."""
    monkeypatch.setattr(clock, "BACKOFF_SECONDS", (1e6, 1e6))
    await harness.set_faults({"fault": "crash-loop", "component": component})
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "FAILED")
    await harness.client().execute(RETRY, {"id": store["id"]})
    await harness.wait_for_store(store["id"], status="PROVISIONING")
    again = await harness.wait_for_store(store["id"], status="FAILED")  # recreated once, and not again and again
    assert "keeps crashing" in again["cause"]
    root = f"/apis/apps/v1/namespaces/{namespace_of(store['id'])}"
    before = [
        (await harness.kubernetes_request("GET", f"{root}/{path}"))[1]["metadata"]["uid"] for path in (place, other)
    ]
    await harness.set_faults()
    await harness.client().execute(RETRY, {"id": store["id"]})
    async with hang_limit():
        async for event in harness.store_events(store["id"], again["eventCursor"]):
            assert event["status"] != "FAILED"
            if event["status"] == "READY":
                break
    after = [
        (await harness.kubernetes_request("GET", f"{root}/{path}"))[1]["metadata"]["uid"] for path in (place, other)
    ]
    assert (after[0] == before[0], after[1] == before[1]) == (False, True)


async def test_a_retry_recreates_deployments_that_were_never_ready(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store without its plugin has no unhealthy workload: it waits for the installation. Its image may be new."""
    monkeypatch.setattr(clock, "BACKOFF_SECONDS", (1e6, 1e6))  # a program that can't succeed isn't run again
    fails = {"fault": "job", "component": "install", "exitCode": EXIT_NON_RETRYABLE, "message": "No plugin."}
    unready = {"fault": "unready", "component": "web"}
    await harness.set_faults(unready, fails)
    store = await harness.create_store()
    failed = await harness.wait_for_store(store["id"], status="FAILED")
    assert failed["cause"] == 'The step "Installing WordPress and WooCommerce" failed: No plugin.'
    root = f"/apis/apps/v1/namespaces/{namespace_of(store['id'])}"

    async def uid(path: str) -> str | None:
        _, found = await harness.kubernetes_request("GET", f"{root}/{path}")
        found_uid: str | None = found["metadata"].get("uid")
        return found_uid

    web, database = await uid("deployments/web"), await uid("statefulsets/database")
    await harness.set_faults(unready)
    await harness.client().execute(RETRY, {"id": store["id"]})

    async def another() -> bool:
        return await uid("deployments/web") not in (web, None)

    await wait_until(another)
    await harness.set_faults()
    await harness.wait_for_status(store["id"], "READY")
    assert await uid("statefulsets/database") == database


async def test_what_others_run_in_the_namespace_is_no_trouble_of_the_store(harness: Harness) -> None:
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    await wait_until_idle(harness)
    path = f"/apis/apps/v1/namespaces/{namespace_of(store['id'])}/deployments"
    assert (await harness.kubernetes_request("POST", path, foreign_deployment(50)))[0] == 201

    async def is_stopped() -> bool:
        _, found = await harness.kubernetes_request("GET", f"{path}/bomb")
        return any("exceeded quota" in row.get("message", "") for row in found["status"].get("conditions", ()))

    await wait_until(is_stopped)
    await resync(harness)
    await wait_until_idle(harness)
    looked = await harness.get_store(store["id"])
    assert (looked["status"], looked["health"]["state"]) == ("READY", "HEALTHY")
