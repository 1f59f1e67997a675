"""Suspension and resumption through failures: killed workers, deletions, a failed proof, drift, lost data."""

from functools import partial

import pytest

from runtime.settings import ClusterProfile
from tests.support.harness import DELETE, JSON, RETRY, Harness
from tests.support.stores import (
    all_hang,
    count_succeeded,
    create_ready_store,
    end_leases,
    has_notice,
    is_gone,
    namespace_of,
    notices,
    object_path,
    request_object,
    resync,
    wait_until_idle,
)
from tests.support.suspension import (
    create_suspended_store,
    pods,
    refusal,
    replicas,
    resume_store,
    status_changes,
    statuses,
    suspend_store,
    uids,
)
from tests.support.waiting import wait_until
from workers.main import worker_lifespan

LONG_FAILURE_PATIENCE = pytest.mark.parametrize("settings", [{"failure_patience": 60.0}], indirect=True)
HOLD_SUSPENSION_AT: tuple[JSON, ...] = (
    {"kind": "Ingress", "verb": "delete"},
    {"kind": "ResourceQuota", "verb": "apply"},
    {"kind": "Deployment", "verb": "apply"},
    {"kind": "Pod", "verb": "list"},
)
HOLD_RESUMPTION_AT: tuple[JSON, ...] = (
    {"kind": "StatefulSet", "verb": "apply"},
    {"kind": "Ingress", "verb": "apply"},
    {"kind": "Job", "verb": "create"},
    {"kind": "Job", "verb": "delete"},
)


@LONG_FAILURE_PATIENCE
async def test_a_worker_killed_at_any_write_ends_right(api: Harness) -> None:
    async with worker_lifespan(api.worker_settings, api.profile):
        stores = [await api.create_store(name=f"Held at {number}") for number in range(len(HOLD_SUSPENSION_AT))]
        namespaces = [namespace_of(store["id"]) for store in stores]
        for store in stores:
            await api.wait_for_store(store["id"], status="READY")
        await wait_until_idle(api)
    before = [await uids(api, namespace) for namespace in namespaces]
    for change, status, requests, count in (
        (suspend_store, "SUSPENDED", HOLD_SUSPENSION_AT, 0),
        (resume_store, "READY", HOLD_RESUMPTION_AT, 1),
    ):
        hang = {"fault": "hang", "times": 9}
        pairs = zip(namespaces, requests, strict=True)
        await api.set_faults(*({**hang, **request, "namespace": namespace} for namespace, request in pairs))
        for store in stores:
            assert (await change(api, store["id"]))["userErrors"] == []
        worker = await api.start_worker_process()
        await wait_until(partial(all_hang, api))
        worker.kill()
        await worker.wait()
        await api.set_faults()
        await end_leases(api)
        async with worker_lifespan(api.worker_settings, api.profile):
            for store in stores:
                await api.wait_for_store(store["id"], status=status)
            await wait_until_idle(api)
        assert [await replicas(api, namespace) for namespace in namespaces] == [[count, count]] * len(stores)
        assert [await pods(api, namespace) == [] for namespace in namespaces] == [count == 0] * len(stores)
    assert [await uids(api, namespace) for namespace in namespaces] == before
    assert {store["slug"]: await status_changes(api, store["id"]) for store in stores} == {
        store["slug"]: ["REQUESTED", "PROVISIONING", "READY", "SUSPENDING", "SUSPENDED", "RESUMING", "READY"]
        for store in stores
    }
    assert await notices(api) == []


@pytest.mark.parametrize("status", ["SUSPENDING", "SUSPENDED", "RESUMING"])
async def test_a_deletion_wins(harness: Harness, status: str) -> None:
    store, namespace = await create_ready_store(harness)
    if status == "SUSPENDING":
        await harness.set_faults({"fault": "hang", "seconds": 1, "kind": "Deployment", "verb": "apply"})
    await suspend_store(harness, store["id"])
    if status != "SUSPENDING":
        await harness.wait_for_store(store["id"], status="SUSPENDED")
    if status == "RESUMING":
        await harness.set_faults({"fault": "unready", "component": "web"})
        await resume_store(harness, store["id"])
    deleted = await harness.client().execute(DELETE, {"id": store["id"]})
    assert deleted["deleteStore"]["store"]["status"] == "DELETING"
    await harness.wait_for_status(store["id"], "DELETED")
    assert await is_gone(harness, f"/api/v1/namespaces/{namespace}")
    assert (await statuses(harness))[-3:] == [status, "DELETING", "DELETED"]


async def test_a_failed_resumption_is_retried_as_such(harness: Harness) -> None:
    store, namespace = await create_suspended_store(harness)
    await harness.set_faults({"fault": "job", "component": "proof", "exitCode": 1, "message": "The cart is empty."})
    await resume_store(harness, store["id"])
    failed = await harness.wait_for_store(store["id"], status="FAILED")
    assert failed["cause"] == 'The step "A synthetic shopper buys something" failed: The cart is empty.'
    code, message = refusal(await suspend_store(harness, store["id"]))
    assert (code, "Retry it first." in message) == ("WRONG_STATUS", True)
    await harness.set_faults()
    retried = await harness.client().execute(RETRY, {"id": store["id"]})
    assert retried["retryStore"]["store"]["status"] == "RESUMING"
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    assert await replicas(harness, namespace) == [1, 1]


async def test_drift_of_a_suspended_store_is_corrected_and_told(harness: Harness) -> None:
    store, namespace = await create_suspended_store(harness)
    scale = {"spec": {"replicas": 2}}
    await request_object(harness, "PATCH", object_path(namespace, "deployments", "web"), scale)
    await wait_until(
        lambda: has_notice(harness, "Somebody changed the Deployment web in the cluster; it was restored.")
    )
    await wait_until_idle(harness)
    assert await replicas(harness, namespace) == [0, 0]
    await wait_until(partial(runs_nothing, harness, namespace))
    await request_object(harness, "DELETE", f"/api/v1/namespaces/{namespace}/secrets/admin")  # Secrets aren't watched
    await resync(harness)
    await wait_until(lambda: has_notice(harness, "Somebody removed the Secret admin in the cluster; it was restored."))
    assert (await harness.get_store(store["id"]))["status"] == "SUSPENDED"


async def runs_nothing(harness: Harness, namespace: str) -> bool:
    return await pods(harness, namespace) == []


async def test_a_removed_namespace_is_told_once_and_fails_the_resumption(harness: Harness) -> None:
    store, namespace = await create_suspended_store(harness)
    await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{namespace}")
    cause = f"The namespace {namespace} was removed from the cluster, and the store's data with it. "
    cause += "Restore a backup, or delete the store."
    await wait_until(lambda: has_notice(harness, cause))
    await wait_until_idle(harness)
    await resync(harness)
    await wait_until_idle(harness)
    assert (await notices(harness)).count(cause) == 1
    assert (await harness.get_store(store["id"]))["cause"] == cause
    await resume_store(harness, store["id"])
    failed = await harness.wait_for_store(store["id"], status="FAILED")
    assert failed["cause"] == cause


async def test_a_deleted_volume_claim_keeps_its_pod(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness)
    await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/database")
    await suspend_store(harness, store["id"])
    failed = await harness.wait_for_store(store["id"], status="FAILED")
    assert "Somebody deleted the disk database" in failed["cause"]
    assert await replicas(harness, namespace) == [1, 1]


async def test_another_profile_changes_a_suspended_store_once_and_installs_at_its_resumption(api: Harness) -> None:
    async with worker_lifespan(api.worker_settings, api.profile):
        store, namespace = await create_suspended_store(api)
    other = ClusterProfile(image_registry="registry.example/shops")
    async with worker_lifespan(api.worker_settings, other):
        await resync(api)
        await wait_until(partial(has_image, api, namespace, "registry.example/shops/woocommerce:2026.11"))
        await wait_until_idle(api)
        assert await replicas(api, namespace) == [0, 0]
        assert (await statuses(api))[-1] == "SUSPENDED"
        await resume_store(api, store["id"])
        await api.wait_for_store(store["id"], status="READY", health="HEALTHY")
    assert await count_succeeded(api, "install") == 2
    assert await notices(api) == []


async def has_image(harness: Harness, namespace: str, image: str) -> bool:
    web = await request_object(harness, "GET", object_path(namespace, "deployments", "web"))
    return bool(web["spec"]["template"]["spec"]["containers"][0]["image"] == image)
