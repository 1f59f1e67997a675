"""What holds a store's data, its namespace and its disks: once gone, neither is ever made again, empty."""

from collections.abc import Sequence

from stores.engines import Manifest
from workers.apply import Obstacle, verify_namespace
from workers.cluster.client import Cluster
from workers.cluster.errors import NotFound


async def namespace(cluster: Cluster, wanted: Manifest, uid: str | None) -> Manifest:
    """The one of that UID, as we make it and here to stay. Raises Obstacle, ClusterError."""
    name = wanted["metadata"]["name"]
    try:
        there = await cluster.get("Namespace", name)
    except NotFound:
        there = None
    if there is None or there["metadata"]["uid"] != uid:
        cause = f"The namespace {name} was removed from the cluster, and the store's data with it. "
        raise Obstacle(f"{cause}Restore a backup, or delete the store.", passing=False)
    verify_namespace(wanted, there)
    return there


async def disks(cluster: Cluster, namespace: str, wanted: Sequence[Manifest]) -> tuple[list[Manifest], str | None]:
    """The manifests with the UIDs of the claims that are there, so that one which goes in this very moment isn't made
    anew; and what threatens a claim. Raises Obstacle when one is gone, ClusterError."""
    claims, _ = await cluster.list("PersistentVolumeClaim", namespace)
    there = {claim["metadata"]["name"]: claim["metadata"] for claim in claims}
    pinned = []
    for item in wanted:
        if item["kind"] == "PersistentVolumeClaim":
            name = item["metadata"]["name"]
            if name not in there:
                cause = f"The disk {name} was removed from the cluster, and its data with it. "
                raise Obstacle(f"{cause}Restore a backup, or delete the store.", passing=False)
            item = {**item, "metadata": {**item["metadata"], "uid": there[name]["uid"]}}
        pinned.append(item)
    leaving = [name for name, metadata in there.items() if metadata.get("deletionTimestamp")]
    if not leaving:
        return pinned, None
    threat = f"Somebody deleted the disk {leaving[0]}: it and its data go when its pod ends."
    return pinned, f"{threat} Make a backup now."
