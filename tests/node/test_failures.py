"""Failures of real containers: the cause that the owner is messages, and recovery after a retry."""

import asyncio
from pathlib import Path

import pytest

from tests.node.disks import full_disk, root_folder
from tests.node.image_variants import import_variant
from tests.node.real_node import RealNode
from tests.node.stores import (
    buy,
    create_ready_store,
    create_store,
    retry,
    retry_until_ready,
    visit,
    wait_for_failure,
)
from tests.support.harness import JSON, Harness
from tests.support.stores import foreign_deployment, resync, wait_until_idle
from tests.support.waiting import hang_limit, wait_until

HUB = "docker.io"
DATABASE, CRASHING = f"{HUB}/library/mariadb:debian", f"{HUB}/library/mariadb:crashing"
SHOP, ABSENT, UNSOLD = (f"{HUB}/storefleet/{name}sample:1" for name in ("", "absent/", "unsold/"))
CRASHES = "#!/bin/sh\necho 'The tables are damaged' >&2\nexit 3\n"
UNSELLABLE = """
class ProofError(Exception):
    pass
def prove():
    print("looking for olives")
    raise ProofError("nobody sells olives here")
"""
CLASS: JSON = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "fast"},
    "provisioner": "sandbox/local",
}
QUOTA: JSON = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "administrators"},
    "spec": {"hard": {"pods": "0"}},
}


async def forbid_pods(harness: Harness, namespace: str) -> str:
    """Creates a second quota that allows no pods, and waits until it is enforced. Returns its path."""
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    assert (await harness.kubernetes_request("POST", path, QUOTA))[0] == 201
    path = f"{path}/administrators"

    async def counted() -> bool:
        return "used" in (await harness.kubernetes_request("GET", path))[1].get("status", {})

    await wait_until(counted)
    return path


@pytest.mark.parametrize("changes", [{"image_registry": "storefleet/absent"}], indirect=True)
async def test_an_image_that_is_not_there_and_a_pod_that_may_not_be(harness: Harness, node: RealNode) -> None:
    store, namespace = await create_store(harness)
    cause = await wait_for_failure(harness, store)
    assert cause.startswith("The image storefleet/absent/sample:1 of ")
    assert "the cluster can't reach the registry. Check that it exists and may be pulled, then retry." in cause

    quota = await forbid_pods(harness, namespace)
    await retry(harness, store)
    cause = await wait_for_failure(harness, store)
    assert cause.startswith("The web pod doesn't fit into the quota administrators of its namespace: ")
    assert cause.endswith(" of 0 pods in use, 1 more wanted. Have the operator raise that, then retry.")

    await asyncio.to_thread(node.ctr, "images", "tag", SHOP, ABSENT)
    await harness.kubernetes_request("DELETE", quota)
    await retry_until_ready(harness, store)


@pytest.mark.parametrize("changes", [{"database_image": "mariadb:crashing"}], indirect=True)
async def test_a_database_that_crashes_and_one_that_may_not_be(
    harness: Harness, node: RealNode, archives: dict[str, Path], tmp_path: Path
) -> None:
    await import_variant(node, archives["mariadb"], tmp_path / "image", CRASHING, {"/usr/local/bin/start": CRASHES})
    store, namespace = await create_store(harness)
    cause = await wait_for_failure(harness, store)
    assert cause == (
        "The database container keeps crashing (exit code 3). The tables are damaged. See its logs, then retry."
    )

    quota = await forbid_pods(harness, namespace)
    await retry(harness, store)  # a StatefulSet has no word for that; the cluster's warnings do
    cause = await wait_for_failure(harness, store)
    assert cause.startswith("The database pod doesn't fit into the quota administrators of its namespace: ")

    await asyncio.to_thread(node.ctr, "images", "tag", "--force", DATABASE, CRASHING)
    await harness.kubernetes_request("DELETE", quota)
    await retry_until_ready(harness, store)


@pytest.mark.parametrize("changes", [{"storage_class": "fast"}], indirect=True)
async def test_a_disk_that_is_not_provided(harness: Harness) -> None:
    store, _ = await create_store(harness)
    assert await wait_for_failure(harness, store) == (
        "The database pod has no disk: the cluster has no storage class fast. "
        "Have the operator check the storage class, then retry."
    )
    classes = "/apis/storage.k8s.io/v1/storageclasses"
    assert (await harness.kubernetes_request("POST", classes, CLASS))[0] == 201
    await retry_until_ready(harness, store)
    await harness.kubernetes_request("DELETE", f"{classes}/fast")


@pytest.mark.parametrize("changes", [{"image_registry": "storefleet/unsold"}], indirect=True)
async def test_a_proof_that_fails(harness: Harness, node: RealNode, archives: dict[str, Path], tmp_path: Path) -> None:
    files = {"/opt/storefleet/shop/prove.py": UNSELLABLE}
    await import_variant(node, archives["sample"], tmp_path / "image", UNSOLD, files)
    store, _ = await create_store(harness)
    assert (
        await wait_for_failure(harness, store)
        == 'The step "A synthetic shopper buys something" failed: nobody sells olives here.'
    )
    assert (await harness.get_store(store["id"]))["receipt"] is None
    await asyncio.to_thread(node.ctr, "images", "tag", "--force", SHOP, UNSOLD)
    await retry_until_ready(harness, store)


async def health_messages(harness: Harness, store: JSON, after: str) -> list[str]:
    """The messages of health events after that cursor, until the store is healthy again."""
    messages: list[str] = []
    async with hang_limit():
        async for event in harness.store_events(store["id"], after):
            assert event["status"] == "READY"
            messages += [event["message"]] if event["type"] == "HEALTH" else []
            if messages[-1:] == ["The store is healthy again."]:
                break
    return messages


async def test_pods_disks_and_scratch_space_have_their_limits(harness: Harness, node: RealNode) -> None:
    (store, namespace), (other, _) = await asyncio.gather(
        create_ready_store(harness, name="Mine"), create_ready_store(harness, name="Other")
    )

    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    _, quota = await harness.kubernetes_request("GET", f"/api/v1/namespaces/{namespace}/resourcequotas/store")
    assert (await harness.kubernetes_request("POST", path, foreign_deployment(50)))[0] == 201

    async def stopped() -> bool:
        _, found = await harness.kubernetes_request("GET", f"/api/v1/namespaces/{namespace}/pods")
        living = [pod for pod in found["items"] if pod["status"]["phase"] in ("Pending", "Running")]
        assert len(living) <= int(quota["spec"]["hard"]["pods"]) < 50
        _, bomb = await harness.kubernetes_request("GET", f"{path}/bomb")
        return any("exceeded quota" in row.get("message", "") for row in bomb["status"].get("conditions", ()))

    await wait_until(stopped)
    await resync(harness)
    await wait_until_idle(harness)
    assert await stopped()
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    await buy(harness, store)
    await harness.kubernetes_request("DELETE", f"{path}/bomb")

    cursor = (await harness.get_store(store["id"]))["eventCursor"]
    web = await root_folder(harness, node, namespace, "web", "python3")
    (web / "tmp" / "much").write_bytes(bytes(100 * 2**20))
    assert (await health_messages(harness, store, cursor))[0] == (
        "The web pod was evicted: its temporary files took more than 64Mi. A new pod replaces it."
    )

    cursor = (await harness.get_store(store["id"]))["eventCursor"]
    async with full_disk(harness, node, namespace, "database", "mariadbd", "/var/lib/mysql"):
        await harness.wait_for_store(store["id"], health="DOWN")
        assert "A jar of olives" in (await visit(harness, store))[1]  # saved data can be read

        async def refuses() -> bool:
            status, _ = await visit(harness, store, "POST", "/orders", {"sku": "olive", "email": "a" * 250})
            return status == 503

        await wait_until(refuses)
        await buy(harness, other)
        assert (await harness.get_store(other["id"]))["health"]["state"] == "HEALTHY"
    messages = await health_messages(harness, store, cursor)
    assert messages == [
        "The disk of database is full. Choose a larger plan, or have the operator free space.",
        "The store is healthy again.",
    ]
    await buy(harness, store)
