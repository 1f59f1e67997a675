"""The volume provisioner: binds, expands and releases volumes."""

from sandbox.simulator import clock
from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.kinds import CLAIM, POD, STORAGE_CLASS, VOLUME, Manifest
from sandbox.simulator.objects import Key
from sandbox.simulator.quantities import parse_quantity
from sandbox.simulator.statuses import timestamp
from sandbox.simulator.writes import PROTECTION_FINALIZERS, remove_finalizer, set_status


def sync_claim(cluster: ClusterState, key: Key, claim: Manifest) -> None:
    """Bind or expand the claim, or remove it once no pod uses it."""
    metadata, spec, status = claim["metadata"], claim["spec"], claim["status"]
    if "deletionTimestamp" in metadata:
        if not _is_in_use(cluster, key):
            remove_finalizer(cluster, key, claim, PROTECTION_FINALIZERS[CLAIM])
        return
    size = spec["resources"]["requests"]["storage"]
    if status["phase"] == "Pending":
        if cluster.objects.manifest(STORAGE_CLASS, "", spec.get("storageClassName", "")) and cluster.timer_elapsed(
            key, "bind", clock.BIND_SECONDS
        ):
            _bind_claim(cluster, key, claim, size)
    elif parse_quantity(status["capacity"]["storage"]) < parse_quantity(size) and cluster.timer_elapsed(
        key, f"grow {size}", clock.BIND_SECONDS
    ):
        set_status(cluster, key, claim, {**status, "capacity": {"storage": size}})
        volume = Key(VOLUME, "", spec["volumeName"])
        if (stored := cluster.objects.find(volume)) is not None:
            changed = {**stored.manifest["spec"], "capacity": {"storage": size}}
            cluster.objects.put(volume, {**stored.manifest, "spec": changed})


def _is_in_use(cluster: ClusterState, key: Key) -> bool:
    """Whether a scheduled pod that hasn't finished mounts the claim."""
    return any(
        (volume.get("persistentVolumeClaim") or {}).get("claimName") == key.name
        for _, stored in cluster.objects.in_namespace(POD, key.namespace)
        if stored.manifest["spec"].get("nodeName")
        if stored.manifest["status"]["phase"] not in ("Succeeded", "Failed")
        for volume in stored.manifest["spec"].get("volumes") or ()
    )


def _bind_claim(cluster: ClusterState, key: Key, claim: Manifest, size: str) -> None:
    metadata, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{metadata['uid']}"
    storage = cluster.objects.get(Key(STORAGE_CLASS, "", spec["storageClassName"])).manifest
    identity = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": key.namespace, "name": key.name}
    volume = {
        "metadata": {
            "name": name,
            "uid": name,
            "creationTimestamp": timestamp(),
            "finalizers": [PROTECTION_FINALIZERS[VOLUME]],
        },
        "spec": {
            "capacity": {"storage": size},
            "accessModes": spec["accessModes"],
            "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
            "storageClassName": spec["storageClassName"],
            "volumeMode": spec["volumeMode"],
            "claimRef": {**identity, "uid": metadata["uid"]},
            "local": {"path": f"/simulated/{name}"},
        },
        "status": {"phase": "Bound"},
    }
    cluster.objects.put(Key(VOLUME, "", name), volume)
    bound = {"phase": "Bound", "accessModes": spec["accessModes"], "capacity": {"storage": size}}
    cluster.objects.put(key, {**claim, "spec": {**spec, "volumeName": name}, "status": bound})


def sync_volume(cluster: ClusterState, key: Key, volume: Manifest) -> None:
    """Release the volume when its claim is gone, and remove it if the reclaim policy is Delete."""
    reference = volume["spec"].get("claimRef")
    claim = reference and cluster.objects.manifest(CLAIM, reference["namespace"], reference["name"])
    if claim and claim["metadata"]["uid"] == reference["uid"]:
        return
    if "deletionTimestamp" in volume["metadata"]:
        remove_finalizer(cluster, key, volume, PROTECTION_FINALIZERS[VOLUME])
    elif reference:
        volume = set_status(cluster, key, volume, {"phase": "Released"})
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete" and cluster.timer_elapsed(
            key, "reclaim", clock.BIND_SECONDS
        ):
            cluster.objects.remove(key)
    else:
        set_status(cluster, key, volume, {"phase": "Available"})
