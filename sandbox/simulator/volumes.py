"""What a provisioner does: claims get volumes of their own, grow, and give them back."""

from sandbox.simulator import clock
from sandbox.simulator.kinds import CLAIM, CLASS, POD, VOLUME, Manifest
from sandbox.simulator.objects import Key
from sandbox.simulator.quantities import quantity
from sandbox.simulator.statuses import stamp
from sandbox.simulator.world import World
from sandbox.simulator.writes import PROTECTION, release, set_status


def sync_claim(world: World, key: Key, claim: Manifest) -> None:
    """Bind it, let it grow, or let it go once no pod uses it."""
    metadata, spec, status = claim["metadata"], claim["spec"], claim["status"]
    if "deletionTimestamp" in metadata:
        if not _used(world, key):
            release(world, key, claim, PROTECTION[CLAIM])
        return
    size = spec["resources"]["requests"]["storage"]
    if status["phase"] == "Pending":
        if world.objects.manifest(CLASS, "", spec.get("storageClassName", "")) and world.wait(key, "bind", clock.BIND):
            _bind(world, key, claim, size)
    elif quantity(status["capacity"]["storage"]) < quantity(size) and world.wait(key, f"grow {size}", clock.BIND):
        set_status(world, key, claim, {**status, "capacity": {"storage": size}})
        volume = Key(VOLUME, "", spec["volumeName"])
        if (stored := world.objects.find(volume)) is not None:
            changed = {**stored.manifest["spec"], "capacity": {"storage": size}}
            world.objects.write(volume, {**stored.manifest, "spec": changed})


def _used(world: World, key: Key) -> bool:
    """Whether a pod on a node, which has not ended, mounts the claim."""
    return any(
        (volume.get("persistentVolumeClaim") or {}).get("claimName") == key.name
        for _, stored in world.objects.within(POD, key.namespace)
        if stored.manifest["spec"].get("nodeName")
        if stored.manifest["status"]["phase"] not in ("Succeeded", "Failed")
        for volume in stored.manifest["spec"].get("volumes") or ()
    )


def _bind(world: World, key: Key, claim: Manifest, size: str) -> None:
    metadata, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{metadata['uid']}"
    storage = world.objects.get(Key(CLASS, "", spec["storageClassName"])).manifest
    place = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": key.namespace, "name": key.name}
    volume = {
        "metadata": {"name": name, "uid": name, "creationTimestamp": stamp(), "finalizers": [PROTECTION[VOLUME]]},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": spec["accessModes"],
            "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
            "storageClassName": spec["storageClassName"],
            "volumeMode": spec["volumeMode"],
            "claimRef": {**place, "uid": metadata["uid"]},
            "local": {"path": f"/simulated/{name}"},
        },
        "status": {"phase": "Bound"},
    }
    world.objects.write(Key(VOLUME, "", name), volume)
    bound = {"phase": "Bound", "accessModes": spec["accessModes"], "capacity": {"storage": size}}
    world.objects.write(key, {**claim, "spec": {**spec, "volumeName": name}, "status": bound})


def sync_volume(world: World, key: Key, volume: Manifest) -> None:
    """Once its claim is gone a volume is released, and removed if that is its policy."""
    reference = volume["spec"].get("claimRef")
    claim = reference and world.objects.manifest(CLAIM, reference["namespace"], reference["name"])
    if claim and claim["metadata"]["uid"] == reference["uid"]:
        return
    if "deletionTimestamp" in volume["metadata"]:
        release(world, key, volume, PROTECTION[VOLUME])
    elif reference:
        volume = set_status(world, key, volume, {"phase": "Released"})
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete" and world.wait(key, "reclaim", clock.BIND):
            world.objects.remove(key)
    else:
        set_status(world, key, volume, {"phase": "Available"})
