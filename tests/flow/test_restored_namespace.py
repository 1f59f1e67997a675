"""A namespace that a backup restored has another UID: `storefleet adopt` gives it to the store's row."""

from typing import Any

from cli.adopt import adopt
from tests.support.harness import DELETE, JSON, Harness
from tests.support.stores import (
    count_succeeded,
    create_ready_store,
    has_notice,
    is_gone,
    wait_for_health_cause,
    wait_until_idle,
)
from tests.support.suspension import create_suspended_store, resume_store
from tests.support.waiting import wait_until

BACKED_UP = ("persistentvolumeclaims", "configmaps", "secrets")


async def back_up(harness: Harness, namespace: str) -> list[tuple[str, JSON]]:
    """(path, object) of the namespace and of what holds data in it, without what a server adds."""
    _, item = await harness.kubernetes_request("GET", f"/api/v1/namespaces/{namespace}")
    found = [("/api/v1/namespaces", cleaned(item))]
    for collection in BACKED_UP:
        path = f"/api/v1/namespaces/{namespace}/{collection}"
        _, listed = await harness.kubernetes_request("GET", path)
        found += [(path, cleaned(item)) for item in listed["items"] if item["metadata"]["name"] != "kube-root-ca.crt"]
    return found


def cleaned(item: JSON) -> JSON:
    kept = {name: item["metadata"][name] for name in ("name", "labels", "annotations") if name in item["metadata"]}
    content = {name: value for name, value in item.items() if name not in ("metadata", "status", "kind", "apiVersion")}
    spec = {name: value for name, value in item.get("spec", {}).items() if name not in ("volumeName", "finalizers")}
    return {**content, "metadata": kept, **({"spec": spec} if spec else {})}


async def restore(harness: Harness, namespace: str) -> None:
    """Lose the namespace, and restore it from a backup."""
    backup = await back_up(harness, namespace)
    path = f"/api/v1/namespaces/{namespace}"
    await harness.kubernetes_request("DELETE", path)
    await wait_until(lambda: is_gone(harness, path))
    await wait_until_idle(harness)
    for collection, item in backup:
        status, answer = await harness.kubernetes_request("POST", collection, item)
        assert status == 201, answer


async def run(harness: Harness, namespace: str) -> int:
    return await adopt(harness.worker_settings, harness.profile, namespace, None)


async def test_a_ready_store_is_proven_again_in_its_restored_namespace(harness: Harness, capsys: Any) -> None:
    store, namespace = await create_ready_store(harness)
    assert await run(harness, namespace) == 1
    assert "The store is known" in capsys.readouterr().err
    await restore(harness, namespace)
    await wait_for_health_cause(harness, store, "was removed from the cluster")

    assert await run(harness, namespace) == 0
    assert "(fig-olive) has the restored namespace" in capsys.readouterr().out
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    assert await count_succeeded(harness, "proof") == 2
    _, found = await harness.kubernetes_request("GET", f"/api/v1/namespaces/{namespace}")
    [row] = await harness.sql("SELECT namespace_uid FROM stores")
    assert row["namespace_uid"] == found["metadata"]["uid"]


async def test_a_suspended_store_stays_suspended(harness: Harness) -> None:
    store, namespace = await create_suspended_store(harness)
    await restore(harness, namespace)
    assert await run(harness, namespace) == 0
    assert await has_notice(harness, "restored from a backup")
    await wait_until_idle(harness)
    assert (await harness.get_store(store["id"]))["status"] == "SUSPENDED"
    assert (await resume_store(harness, store["id"]))["userErrors"] == []
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")


async def test_a_failed_store_is_tried_again(harness: Harness) -> None:
    store, namespace = await create_suspended_store(harness)
    backup = await back_up(harness, namespace)
    path = f"/api/v1/namespaces/{namespace}"
    await harness.kubernetes_request("DELETE", path)
    await wait_until(lambda: is_gone(harness, path))
    await resume_store(harness, store["id"])
    await harness.wait_for_store(store["id"], status="FAILED")
    for collection, item in backup:
        await harness.kubernetes_request("POST", collection, item)
    assert await run(harness, namespace) == 0
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY", cause=None)


async def test_a_store_in_deletion_is_not_taken_back(api: Harness, capsys: Any) -> None:
    store = await api.create_store()
    await api.client().execute(DELETE, {"id": store["id"]})
    [row] = await api.sql("SELECT id FROM stores")
    assert await run(api, f"store-{row['id']}") == 1
    assert "storefleet doctor lists" in capsys.readouterr().err
