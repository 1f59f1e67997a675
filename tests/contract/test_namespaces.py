"""Deleted namespaces: no new objects, a reason while finalizers remain, and nothing left at the end."""

import pytest

from stores.engines import Manifest
from tests.contract.objects import database, disk, eventually, gone, names, settings
from workers.cluster.client import Cluster
from workers.cluster.errors import RequestRejected, TransientError

FINALIZER = "storefleet.dev/contract"


async def test_a_namespace_that_ends_takes_nothing_new_and_says_what_holds_it(cluster: Cluster, namespace: str) -> None:
    await cluster.apply(settings(namespace, finalizers=[FINALIZER]))
    there = await cluster.get("Namespace", namespace)
    assert there["status"]["phase"] == "Active"
    with pytest.raises(TransientError) as conflict:
        await cluster.delete("Namespace", namespace, uid="00000000-0000-0000-0000-000000000000")
    assert conflict.value.status == 409
    await cluster.delete("Namespace", namespace, uid=there["metadata"]["uid"])
    for write in (cluster.create, cluster.apply):
        with pytest.raises(RequestRejected) as caught:
            await write(settings(namespace, "late"))
        assert (caught.value.status, caught.value.quota_exceeded) == (403, False)
        assert "is being terminated" in caught.value.message
    await cluster.delete("Namespace", namespace, uid=there["metadata"]["uid"])  # deleting it again changes nothing

    async def ask() -> Manifest:
        return await cluster.get("Namespace", namespace)

    def stuck(item: Manifest) -> bool:
        rows = item["status"].get("conditions") or []
        return any(row["status"] == "True" and FINALIZER in row["message"] for row in rows)

    held = await eventually(ask, stuck)
    assert held["metadata"]["deletionTimestamp"]
    assert held["status"]["phase"] == "Terminating"
    await cluster.apply(settings(namespace, finalizers=[]))
    await gone(cluster, "Namespace", namespace)
    again = await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    assert again["metadata"]["uid"] != there["metadata"]["uid"]


async def test_a_namespace_takes_its_contents_and_volumes_along(cluster: Cluster, namespace: str) -> None:
    await cluster.apply(disk(namespace))
    await cluster.apply(database(namespace))

    async def claim() -> Manifest:
        return await cluster.get("PersistentVolumeClaim", "disk", namespace)

    bound = await eventually(claim, lambda item: item["status"].get("phase") == "Bound")
    volume = bound["spec"]["volumeName"]
    assert (await cluster.get("PersistentVolume", volume))["spec"]["claimRef"]["uid"] == bound["metadata"]["uid"]
    await cluster.delete("Namespace", namespace)
    await gone(cluster, "Namespace", namespace)
    await gone(cluster, "PersistentVolume", volume)
    for kind in ("StatefulSet", "Pod", "PersistentVolumeClaim", "ConfigMap"):
        assert await names(cluster, kind, namespace) == []
