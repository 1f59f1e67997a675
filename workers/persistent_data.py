"""The objects that hold a store's data: its namespace and its volume claims. A missing one is never recreated empty."""

from collections.abc import Sequence

from stores.engines import Manifest
from stores.plans import parse_quantity
from stores.texts import text
from workers.apply import Blocked, check_namespace
from workers.cluster.client import Cluster
from workers.cluster.errors import NotFound


async def verify_namespace(cluster: Cluster, desired: Manifest, uid: str | None) -> Manifest:
    """The live namespace with this UID. Raises Blocked if it is gone, being deleted or changed; ClusterError."""
    name = desired["metadata"]["name"]
    try:
        live = await cluster.get("Namespace", name)
    except NotFound:
        live = None
    if live is None or live["metadata"]["uid"] != uid:
        raise Blocked(text("cause.namespace_gone", name=name), retryable=False)
    check_namespace(desired, live)
    return live


async def pin_volume_claims(
    cluster: Cluster, namespace: str, desired: Sequence[Manifest]
) -> tuple[list[Manifest], str | None]:
    """The manifests with the UIDs of the live volume claims, and a warning if a claim is being deleted.

    With the UID, applying fails instead of creating an empty claim if the claim goes at this moment. A claim that is
    larger than its manifest keeps its size. Raises Blocked when a claim is gone or can't grow, and ClusterError.
    """
    claims, _ = await cluster.list("PersistentVolumeClaim", namespace)
    live = {claim["metadata"]["name"]: claim for claim in claims}
    pinned = []
    for item in desired:
        if item["kind"] == "PersistentVolumeClaim":
            name = item["metadata"]["name"]
            if name not in live:
                raise Blocked(text("cause.disk_gone", name=name), retryable=False)
            item = {**item, "metadata": {**item["metadata"], "uid": live[name]["metadata"]["uid"]}}
            if _size(item) < _size(live[name]):
                item["spec"] = {**item["spec"], "resources": live[name]["spec"]["resources"]}
            elif _size(item) > _size(live[name]):
                await _check_expansion(cluster, live[name])
        pinned.append(item)
    terminating = [name for name, claim in live.items() if claim["metadata"].get("deletionTimestamp")]
    return pinned, text("cause.disk_deleted", name=terminating[0]) if terminating else None


def _size(claim: Manifest) -> float:
    """The requested size in bytes."""
    return parse_quantity(claim["spec"]["resources"]["requests"]["storage"])


async def _check_expansion(cluster: Cluster, claim: Manifest) -> None:
    """Raises Blocked if the claim's StorageClass doesn't allow that it grows, and ClusterError."""
    name = claim["spec"].get("storageClassName")
    classes, _ = await cluster.list("StorageClass")
    if not any(item["metadata"]["name"] == name and item.get("allowVolumeExpansion") for item in classes):
        cause = text("cause.disk_not_expandable", name=claim["metadata"]["name"], class_name=name)
        raise Blocked(cause, retryable=False, remedy=text("remedy.allow_expansion"))
