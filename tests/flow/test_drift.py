"""Somebody changes a READY store's objects behind our back: each is put right or told, and the proof stays valid.

Also run on a real API server, by tests/cluster/test_drift.py.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.flow.fleet import Fleet

JSON = dict[str, Any]
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
IMAGE = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "storefleet/other:1"}]}}}}
SIDECAR = {"spec": {"template": {"spec": {"containers": [{"name": "miner", "image": "storefleet/miner:1"}]}}}}
UNWATCHED = ("secrets", "rolebindings")
OPEN: JSON = {"spec": {"egress": [{}]}}


async def ready(fleet: Fleet) -> tuple[JSON, str]:
    """A READY store and its namespace."""
    store = await fleet.create()
    await fleet.until(store["id"], "READY", 60)
    [row] = await fleet.sql("SELECT id FROM stores")
    return await fleet.store(store["id"]), f"store-{row['id']}"


def path(namespace: str, collection: str, name: str) -> str:
    group = {
        "deployments": "apis/apps/v1", "statefulsets": "apis/apps/v1", "cronjobs": "apis/batch/v1",
        "networkpolicies": "apis/networking.k8s.io/v1", "ingresses": "apis/networking.k8s.io/v1",
        "rolebindings": "apis/rbac.authorization.k8s.io/v1",
    }.get(collection, "api/v1")  # fmt: skip
    return f"/{group}/namespaces/{namespace}/{collection}/{name}"


async def do(fleet: Fleet, method: str, where: str, body: JSON | None = None, media: str = STRATEGIC) -> JSON:
    headers = {"Content-Type": media} if method == "PATCH" else {}
    status, answer = await fleet.kubernetes(method, where, body, **headers)
    assert status == 200, answer
    item: JSON = answer
    return item


async def notices(fleet: Fleet) -> list[str]:
    return [row["message"] for row in await fleet.sql("SELECT message FROM events WHERE type = 'NOTICE' ORDER BY seq")]


async def proofs(fleet: Fleet) -> list[str]:
    rows = await fleet.sql("SELECT status, proof_hash = spec_hash AS proven, receipt FROM stores")
    return [f"{row['status']} {row['proven']} {row['receipt']}" for row in rows]


async def resync(fleet: Fleet) -> None:
    """As after its six hours."""
    await fleet.sql("UPDATE stores SET due_at = now()")


async def rests(fleet: Fleet) -> None:
    """No pass runs or is due soon, for a moment."""
    quiet = 0

    async def at_rest() -> bool:
        nonlocal quiet
        rows = await fleet.sql(
            "SELECT 1 FROM stores WHERE due_at > now() + interval '1 minute' AND lease_until IS NULL"
        )
        quiet = quiet + 1 if rows else 0
        return quiet == 4

    await fleet.poll(at_rest, 30)


def content(item: JSON) -> JSON:
    return {key: value for key, value in item.items() if key not in ("metadata", "status")}


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
    "a RoleBinding is removed": ("rolebindings", "storefleet", "DELETE", None, "removed the RoleBinding storefleet"),
}
ADDITIONS: dict[str, tuple[str, str, str, JSON | None, str]] = {
    # of which only a real API server tells whose they are
    "a container is added": ("deployments", "web", "PATCH", SIDECAR, "changed the Deployment web"),
    "a policy is opened": ("networkpolicies", "deny-all", "PATCH", OPEN, "changed the NetworkPolicy deny-all"),
    "a file is added": (
        *("configmaps", "database", "PATCH"),
        {"data": {"zz.cnf": "[mysqld]\n"}},
        "changed the ConfigMap database",
    ),
}


async def test_what_somebody_changed_is_put_right_and_told(fleet: Fleet) -> None:
    await all_put_right(fleet, CHANGES)


async def all_put_right(fleet: Fleet, changes: Mapping[str, tuple[str, str, str, JSON | None, str]]) -> None:
    """One after the other, on one store."""
    store, namespace = await ready(fleet)
    before = await proofs(fleet)
    expected: list[str] = []
    for change, (collection, name, method, body, said) in changes.items():
        where = path(namespace, collection, name)
        was = await do(fleet, "GET", where)
        await do(fleet, method, where, body)
        expected.append(f"Somebody {said} in the cluster; it is put back.")
        try:
            await fleet.poll(partial(put_right, fleet, where, was, watched=collection not in UNWATCHED), 30)
            await fleet.poll(partial(have_told, fleet, expected), 30)
            await rests(fleet)  # what is changed between a look and the apply after it is put right, but may go untold
        except TimeoutError:
            raise AssertionError((change, await notices(fleet), await fleet.kubernetes("GET", where))) from None
    await fleet.eventually(store["id"], seconds=60, status="READY", health="HEALTHY")
    assert await proofs(fleet) == before
    await resync(fleet)  # nothing is told again
    await rests(fleet)
    assert await notices(fleet) == expected


async def put_right(fleet: Fleet, where: str, was: JSON, *, watched: bool) -> bool:
    if not watched:
        await resync(fleet)
    status, now = await fleet.kubernetes("GET", where)
    labels = (now.get("metadata") or {}).get("labels")
    return status == 200 and labels == was["metadata"]["labels"] and same(content(now), content(was))


async def have_told(fleet: Fleet, expected: list[str]) -> bool:
    return await notices(fleet) == expected


def same(now: JSON, was: JSON) -> bool:
    """Apart from what a new Service is given."""
    given = ("clusterIP", "clusterIPs")
    return without(now, given) == without(was, given)


def without(item: JSON, names: tuple[str, ...]) -> JSON:
    spec = {key: value for key, value in (item.get("spec") or {}).items() if key not in names}
    return {**item, "spec": spec}


async def test_many_changes_are_each_told(fleet: Fleet) -> None:
    store, namespace = await ready(fleet)
    for collection, name in (("services", "web"), ("services", "database"), ("ingresses", "web")):
        await do(fleet, "DELETE", path(namespace, collection, name))

    async def told() -> bool:
        wanted = {f"Somebody removed the {what} in the cluster; it is put back." for what in gone}
        found = await notices(fleet)
        assert len(found) == len(set(found))
        return set(found) == wanted

    gone = ("Service web", "Service database", "Ingress web")
    await fleet.poll(told, 30)
    await fleet.eventually(store["id"], seconds=60, status="READY", health="HEALTHY")


async def test_what_kubernetes_itself_changes_is_no_drift(fleet: Fleet) -> None:
    store, namespace = await ready(fleet)
    restarted = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
    where = path(namespace, "deployments", "web")
    before = await do(fleet, "PATCH", where, restarted)  # as `kubectl rollout restart` does
    for _ in range(2):
        await resync(fleet)
        await rests(fleet)
    assert await notices(fleet) == []
    assert (await do(fleet, "GET", where))["metadata"]["uid"] == before["metadata"]["uid"]
    await fleet.eventually(store["id"], seconds=30, status="READY", health="HEALTHY")


async def test_a_disk_that_somebody_deletes_is_told_before_and_after_it_goes(fleet: Fleet) -> None:
    """It goes when no pod uses it any more; an empty one is never put in its place."""
    store, namespace = await ready(fleet)
    where = path(namespace, "persistentvolumeclaims", "database")
    await do(fleet, "DELETE", where)
    threatened = await fleet.eventually(store["id"], seconds=30, status="READY", health="DEGRADED")
    assert "Somebody deleted the disk database" in threatened["health"]["cause"]
    assert "Make a backup now" in threatened["health"]["cause"]
    await do(fleet, "DELETE", path(namespace, "pods", "database-0"))
    lost = await fleet.eventually(store["id"], seconds=30, status="READY", health="DOWN")
    async with asyncio.timeout(30):
        while "was removed from the cluster" not in (lost["health"]["cause"] or ""):
            lost = await fleet.store(store["id"])
            await asyncio.sleep(0.05)
    assert "Restore a backup" in lost["health"]["cause"]
    assert (await fleet.kubernetes("GET", where))[0] == 404


async def test_a_namespace_that_somebody_deletes_is_not_made_again_empty(fleet: Fleet) -> None:
    store, namespace = await ready(fleet)
    await do(fleet, "DELETE", f"/api/v1/namespaces/{namespace}")
    lost = await fleet.eventually(store["id"], seconds=60, status="READY", health="DOWN")
    async with asyncio.timeout(60):
        while "was removed from the cluster" not in (lost["health"]["cause"] or ""):
            lost = await fleet.store(store["id"])
            await asyncio.sleep(0.05)
    assert (await fleet.kubernetes("GET", f"/api/v1/namespaces/{namespace}"))[0] == 404
