"""Checks of drift for the simulator and for a real API server: foreign changes of a READY store's objects.

Each change is restored or reported; the proof stays valid.
"""

from collections.abc import Mapping
from functools import partial

from tests.support.harness import JSON, Harness
from tests.support.stores import (
    create_ready_store,
    notices,
    object_path,
    request_object,
    resync,
    wait_for_health_cause,
    wait_until_idle,
)
from tests.support.waiting import wait_until

IMAGE = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "storefleet/other:1"}]}}}}
SIDECAR = {"spec": {"template": {"spec": {"containers": [{"name": "miner", "image": "storefleet/miner:1"}]}}}}
UNWATCHED = ("secrets",)
OPEN_EGRESS: JSON = {"spec": {"egress": [{}]}}


async def proofs(harness: Harness) -> list[str]:
    """Of each store: its status, whether what runs is proven, and the receipt."""
    rows = await harness.sql("SELECT status, proof_hash = spec_hash AS proven, receipt FROM stores")
    return [f"{row['status']} {row['proven']} {row['receipt']}" for row in rows]


CHANGES: dict[str, tuple[str, str, str, JSON | None, str]] = {
    "an image is changed": ("deployments", "web", "PATCH", IMAGE, "changed the Deployment web"),
    "a label is removed": (
        *("deployments", "web", "PATCH"),
        {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}},
        "changed the Deployment web",
    ),
    "a Deployment is removed": ("deployments", "web", "DELETE", None, "removed the Deployment web"),
    "a StatefulSet is removed": ("statefulsets", "database", "DELETE", None, "removed the StatefulSet database"),
    "a Service is removed": ("services", "database", "DELETE", None, "removed the Service database"),
    "a Service is turned elsewhere": (
        *("services", "web", "PATCH"),
        {"spec": {"selector": {"app.kubernetes.io/component": "cron"}}},
        "changed the Service web",
    ),
    "an Ingress is removed": ("ingresses", "web", "DELETE", None, "removed the Ingress web"),
    "a quota is raised": (
        *("resourcequotas", "store", "PATCH"),
        {"spec": {"hard": {"pods": "1000"}}},
        "changed the ResourceQuota store",
    ),
    "a file is changed": (
        *("configmaps", "database", "PATCH"),
        {"data": {"storefleet.cnf": "[mysqld]\n"}},
        "changed the ConfigMap database",
    ),
    "a policy is removed": ("networkpolicies", "deny-all", "DELETE", None, "removed the NetworkPolicy deny-all"),
    "a Secret is removed": ("secrets", "database", "DELETE", None, "removed the Secret database"),
    "a Secret is changed": (
        "secrets",
        "admin",
        "PATCH",
        {"data": {"password": "aGFja2Vk"}},
        "changed the Secret admin",
    ),
}
ADDITIONS: dict[str, tuple[str, str, str, JSON | None, str]] = {
    # only a real API server reports the owner of these fields
    "a container is added": ("deployments", "web", "PATCH", SIDECAR, "changed the Deployment web"),
    "a policy is opened": ("networkpolicies", "deny-all", "PATCH", OPEN_EGRESS, "changed the NetworkPolicy deny-all"),
    "a file is added": (
        *("configmaps", "database", "PATCH"),
        {"data": {"zz.cnf": "[mysqld]\n"}},
        "changed the ConfigMap database",
    ),
}


async def check_that_drift_is_corrected_and_reported(harness: Harness) -> None:
    await check_all_restored(harness, CHANGES)


async def check_all_restored(harness: Harness, changes: Mapping[str, tuple[str, str, str, JSON | None, str]]) -> None:
    """One after the other, on one store."""
    store, namespace = await create_ready_store(harness)
    before = await proofs(harness)
    expected: list[str] = []
    for change, (collection, name, method, body, change_text) in changes.items():
        where = object_path(namespace, collection, name)
        was = await request_object(harness, "GET", where)
        await request_object(harness, method, where, body)
        expected.append(f"Somebody {change_text} in the cluster; it was restored.")
        try:
            await wait_until(partial(restored, harness, where, was, watched=collection not in UNWATCHED))
            await wait_until(partial(has_notices, harness, expected))
            # a change between a pass's snapshot and its apply is restored, but maybe not reported
            await wait_until_idle(harness)
        except TimeoutError:
            raise AssertionError(
                (change, await notices(harness), await harness.kubernetes_request("GET", where))
            ) from None
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    assert await proofs(harness) == before
    await resync(harness)  # it reports nothing again
    await wait_until_idle(harness)
    assert await notices(harness) == expected


async def restored(harness: Harness, where: str, was: JSON, *, watched: bool) -> bool:
    if not watched:
        await resync(harness)
    status, now = await harness.kubernetes_request("GET", where)
    return status == 200 and comparable(now) == comparable(was)


async def has_notices(harness: Harness, expected: list[str]) -> bool:
    return await notices(harness) == expected


def comparable(item: JSON) -> JSON:
    """Without what the cluster adds: other metadata than labels, the status, and the addresses of a Service."""
    spec = {key: value for key, value in (item.get("spec") or {}).items() if key not in ("clusterIP", "clusterIPs")}
    rest = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    return {**rest, "spec": spec, "labels": item["metadata"].get("labels")}


async def check_that_many_changes_are_each_told(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness)
    for collection, name in (("services", "web"), ("services", "database"), ("ingresses", "web")):
        await request_object(harness, "DELETE", object_path(namespace, collection, name))

    async def all_told() -> bool:
        wanted = {f"Somebody removed the {what} in the cluster; it was restored." for what in gone}
        found = await notices(harness)
        assert len(found) == len(set(found))
        return set(found) == wanted

    gone = ("Service web", "Service database", "Ingress web")
    await wait_until(all_told)
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")


async def check_that_what_kubernetes_itself_changes_is_no_drift(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness)
    restarted = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
    where = object_path(namespace, "deployments", "web")
    before = await request_object(harness, "PATCH", where, restarted)  # as `kubectl rollout restart` does
    for _ in range(2):
        await resync(harness)
        await wait_until_idle(harness)
    assert await notices(harness) == []
    assert (await request_object(harness, "GET", where))["metadata"]["uid"] == before["metadata"]["uid"]
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")


async def check_that_a_deleted_disk_is_reported_before_and_after_its_removal(harness: Harness) -> None:
    """It is removed when no pod uses it any more; it is never replaced by an empty disk."""
    store, namespace = await create_ready_store(harness)
    where = object_path(namespace, "persistentvolumeclaims", "database")
    await request_object(harness, "DELETE", where)
    degraded = await harness.wait_for_store(store["id"], status="READY", health="DEGRADED")
    assert "Somebody deleted the disk database" in degraded["health"]["cause"]
    assert "Make a backup now" in degraded["health"]["cause"]
    await request_object(harness, "DELETE", object_path(namespace, "pods", "database-0"))
    lost = await wait_for_health_cause(harness, store, "was removed from the cluster")
    assert (lost["status"], lost["health"]["state"]) == ("READY", "DOWN")
    assert "Restore a backup" in lost["health"]["cause"]
    assert (await harness.kubernetes_request("GET", where))[0] == 404


async def check_that_a_deleted_namespace_is_not_recreated_empty(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness)
    await request_object(harness, "DELETE", f"/api/v1/namespaces/{namespace}")
    lost = await wait_for_health_cause(harness, store, "was removed from the cluster")
    assert (lost["status"], lost["health"]["state"]) == ("READY", "DOWN")
    assert (await harness.kubernetes_request("GET", f"/api/v1/namespaces/{namespace}"))[0] == 404
