"""What goes wrong with real containers: told plainly, and over as soon as its cause is gone."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.flow.fleet import RETRY, Fleet
from tests.flow.test_drift import rests, resync
from tests.flow.test_store_troubles import somebodys_deployment
from tests.node.inside import of_store
from tests.node.real import RealNode
from tests.node.test_life import buy, made, pods, visit
from tests.node.variants import variant

JSON = dict[str, Any]
FAILED_SECONDS = 60.0
READY_SECONDS = 90.0
HUB = "docker.io"
DATABASE, CRASHING = f"{HUB}/library/mariadb:debian", f"{HUB}/library/mariadb:crashing"
SHOP, ABSENT, UNSOLD = (f"{HUB}/storefleet/{name}sample:1" for name in ("", "absent/", "unsold/"))
CRASHES = "#!/bin/sh\necho 'The tables are damaged' >&2\nexit 3\n"
UNSELLABLE = """
class Failed(Exception):
    pass
def prove():
    print("looking for olives")
    raise Failed("nobody sells olives here")
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


async def begun(fleet: Fleet, engine: str = "SAMPLE") -> tuple[JSON, str]:
    """A store on its way, and its namespace."""
    store = await fleet.create(engine=engine)
    [row] = await fleet.sql("SELECT id FROM stores WHERE slug = $1", store["slug"])
    return store, f"store-{row['id']}"


async def fails(fleet: Fleet, store: JSON, seconds: float = FAILED_SECONDS) -> str:
    """The cause, which the step that failed tells as well."""
    failed = await fleet.eventually(store["id"], seconds=seconds, status="FAILED")
    assert [step["message"] for step in failed["steps"] if step["status"] == "FAILED"] == [failed["cause"]]
    cause: str = failed["cause"]
    return cause


async def retry(fleet: Fleet, store: JSON) -> None:
    done = (await fleet.client().execute(RETRY, {"id": store["id"]}))["retryStore"]
    assert done == {"store": {"status": "PROVISIONING"}, "userErrors": []}


async def recovers(fleet: Fleet, store: JSON) -> None:
    """READY in one go: it doesn't fail again first."""
    cursor = (await fleet.store(store["id"]))["eventCursor"]
    await retry(fleet, store)
    async with asyncio.timeout(READY_SECONDS):
        async for event in fleet.events(store["id"], cursor):
            assert event["status"] != "FAILED", event["message"]
            if event["status"] == "READY":
                break
    ready = await fleet.store(store["id"])
    assert (ready["cause"], ready["health"]["state"]) == (None, "HEALTHY")


async def forbid_pods(fleet: Fleet, namespace: str) -> str:
    """An administrator's quota beside the store's own, in force: its path."""
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    assert (await fleet.kubernetes("POST", path, QUOTA))[0] == 201
    path = f"{path}/administrators"

    async def counted() -> bool:
        return "used" in (await fleet.kubernetes("GET", path))[1].get("status", {})

    await fleet.poll(counted)
    return path


@pytest.mark.parametrize("changes", [{"image_registry": "storefleet/absent"}], indirect=True)
async def test_an_image_that_is_not_there_and_a_pod_that_may_not_be(fleet: Fleet, node: RealNode) -> None:
    store, namespace = await begun(fleet)
    cause = await fails(fleet, store)
    assert cause.startswith("The image storefleet/absent/sample:1 of ")
    assert "the cluster can't reach its registry. Check that it exists and may be pulled, then retry." in cause

    quota = await forbid_pods(fleet, namespace)
    await retry(fleet, store)
    cause = await fails(fleet, store)
    assert cause.startswith("The web pod doesn't fit into the quota administrators of its namespace: ")
    assert cause.endswith(" of 0 pods in use, 1 more wanted. Have the operator raise that, then retry.")

    await asyncio.to_thread(node.ctr, "images", "tag", SHOP, ABSENT)
    await fleet.kubernetes("DELETE", quota)
    await recovers(fleet, store)


@pytest.mark.parametrize("changes", [{"database_image": "mariadb:crashing"}], indirect=True)
async def test_a_database_that_crashes_and_one_that_may_not_be(
    fleet: Fleet, node: RealNode, archives: dict[str, Path], tmp_path: Path
) -> None:
    image = variant(archives["mariadb"], tmp_path / "image", CRASHING, {"/usr/local/bin/start": CRASHES})
    await asyncio.to_thread(node.ctr, "images", "import", str(image))
    store, namespace = await begun(fleet)
    cause = await fails(fleet, store)
    assert cause == (
        "The database container keeps crashing (exit code 3). The tables are damaged. See its logs, then retry."
    )

    quota = await forbid_pods(fleet, namespace)
    await retry(fleet, store)  # a StatefulSet has no word for that; the cluster's warnings do
    cause = await fails(fleet, store)
    assert cause.startswith("The database pod doesn't fit into the quota administrators of its namespace: ")

    await asyncio.to_thread(node.ctr, "images", "tag", "--force", DATABASE, CRASHING)
    await fleet.kubernetes("DELETE", quota)
    await recovers(fleet, store)


@pytest.mark.parametrize("changes", [{"storage_class": "fast"}], indirect=True)
async def test_a_disk_that_is_not_provided(fleet: Fleet) -> None:
    store, _ = await begun(fleet)
    assert await fails(fleet, store) == (
        "The database pod has no disk: the cluster has no storage class fast. "
        "Have the operator see to the storage class, then retry."
    )
    classes = "/apis/storage.k8s.io/v1/storageclasses"
    assert (await fleet.kubernetes("POST", classes, CLASS))[0] == 201
    await recovers(fleet, store)
    await fleet.kubernetes("DELETE", f"{classes}/fast")


@pytest.mark.parametrize("changes", [{"image_registry": "storefleet/unsold"}], indirect=True)
async def test_a_proof_that_fails(fleet: Fleet, node: RealNode, archives: dict[str, Path], tmp_path: Path) -> None:
    files = {"/opt/storefleet/shop/prove.py": UNSELLABLE}
    image = variant(archives["sample"], tmp_path / "image", UNSOLD, files)
    await asyncio.to_thread(node.ctr, "images", "import", str(image))
    store, _ = await begun(fleet)
    assert await fails(fleet, store) == "The step proof failed: nobody sells olives here."
    assert (await fleet.store(store["id"]))["receipt"] is None
    await asyncio.to_thread(node.ctr, "images", "tag", "--force", SHOP, UNSOLD)
    await recovers(fleet, store)


async def ails(fleet: Fleet, store: JSON, after: str) -> list[str]:
    """What is told of its health from that event on until it is healthy again."""
    told: list[str] = []
    async with asyncio.timeout(READY_SECONDS):
        async for event in fleet.events(store["id"], after):
            assert event["status"] == "READY"
            told += [event["message"]] if event["type"] == "HEALTH" else []
            if told[-1:] == ["The store is healthy again."]:
                break
    return told


async def inside(fleet: Fleet, node: RealNode, namespace: str, component: str, program: str) -> Path:
    """The root of that component's files, from outside."""
    pod = (await pods(fleet, namespace))[component]
    [process] = await asyncio.to_thread(of_store, node, program, {pod["metadata"]["uid"]})
    return Path(f"/proc/{process.pid}/root")


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Take all the room that its file system has, until the end of the block."""
    file, at = folder / "fills-the-disk", 0
    with file.open("wb") as taking:
        for size in (2**24, 2**20, 2**12):
            with suppress(OSError):
                while True:
                    os.posix_fallocate(taking.fileno(), at, size)
                    at += size
    assert os.statvfs(folder).f_bavail == 0
    yield
    file.unlink()


async def test_pods_disks_and_scratch_space_have_their_limits(fleet: Fleet, node: RealNode) -> None:
    (store, namespace), (other, _) = await asyncio.gather(made(fleet, name="Mine"), made(fleet, name="Other"))

    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    _, quota = await fleet.kubernetes("GET", f"/api/v1/namespaces/{namespace}/resourcequotas/store")
    assert (await fleet.kubernetes("POST", path, somebodys_deployment(50)))[0] == 201

    async def stopped() -> bool:
        _, found = await fleet.kubernetes("GET", f"/api/v1/namespaces/{namespace}/pods")
        living = [pod for pod in found["items"] if pod["status"]["phase"] in ("Pending", "Running")]
        assert len(living) <= int(quota["spec"]["hard"]["pods"]) < 50
        _, bomb = await fleet.kubernetes("GET", f"{path}/bomb")
        return any("exceeded quota" in row.get("message", "") for row in bomb["status"].get("conditions", ()))

    await fleet.poll(stopped)
    await resync(fleet)
    await rests(fleet)
    assert await stopped()
    await fleet.eventually(store["id"], status="READY", health="HEALTHY")
    await buy(fleet, store)
    await fleet.kubernetes("DELETE", f"{path}/bomb")

    cursor = (await fleet.store(store["id"]))["eventCursor"]
    web = await inside(fleet, node, namespace, "web", "python3")
    (web / "tmp" / "much").write_bytes(bytes(100 * 2**20))
    assert (await ails(fleet, store, cursor))[0] == (
        "The web pod had to end: its scratch space has room for 64Mi, and it wrote more. Another takes its place."
    )

    cursor = (await fleet.store(store["id"]))["eventCursor"]
    database = await inside(fleet, node, namespace, "database", "mariadbd")
    with filled(database / "var/lib/mysql"):
        await fleet.eventually(store["id"], seconds=60, health="DOWN")
        assert "A jar of olives" in (await visit(fleet, store))[1]  # what is saved can be read

        async def refuses() -> bool:
            status, _ = await visit(fleet, store, "POST", "/orders", {"sku": "olive", "email": "a" * 250})
            return status == 503

        await fleet.poll(refuses, 30)
        await buy(fleet, other)
        assert (await fleet.store(other["id"]))["health"]["state"] == "HEALTHY"
    told = await ails(fleet, store, cursor)
    assert told == [
        "The disk of database is full. Choose a larger plan, or have the operator make room.",
        "The store is healthy again.",
    ]
    await buy(fleet, store)
