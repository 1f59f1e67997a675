"""Who looks at what: each kind's controller, and whom a change concerns."""

from collections.abc import Callable

from sandbox.simulator import clock, deployments, jobs, namespaces, pods, quota, statefulsets, volumes
from sandbox.simulator.errors import ApiError
from sandbox.simulator.kinds import (
    BY_NAME,
    CLAIM,
    CONFIGMAP,
    DEPLOYMENT,
    JOB,
    NAMESPACE,
    POD,
    QUOTA,
    REPLICASET,
    SECRET,
    STATEFULSET,
    VOLUME,
    Kind,
    Manifest,
)
from sandbox.simulator.objects import Change, Key, owner_key
from sandbox.simulator.quota import terminating
from sandbox.simulator.statuses import has
from sandbox.simulator.world import World
from sandbox.simulator.writes import FOREGROUND, delete, release

SYNC: dict[Kind, Callable[[World, Key, Manifest], None]] = {
    NAMESPACE: namespaces.sync,
    POD: pods.sync,
    DEPLOYMENT: deployments.sync,
    REPLICASET: deployments.sync_replicaset,
    STATEFULSET: statefulsets.sync,
    JOB: jobs.sync,
    CLAIM: volumes.sync_claim,
    VOLUME: volumes.sync_volume,
    QUOTA: quota.sync,
}
AWAITED = {SECRET, CONFIGMAP, CLAIM, DEPLOYMENT, STATEFULSET}
"""What a pod may wait for."""


def attach(world: World) -> None:
    """Let the controllers work on that world, on what is there and on all that changes."""
    world.look = lambda key: _look(world, key)
    world.objects.listeners.append(lambda change: _changed(world, change))
    world.objects.listeners.append(world.logs.changed)
    world.wake_all(*SYNC)


def _changed(world: World, change: Change) -> None:
    key, metadata = change.key, change.stored.manifest["metadata"]
    gone = change.type == "DELETED"
    if gone:
        world.forget(key)
        for dependent, _ in world.objects.dependents(metadata["uid"]):
            world.wake(dependent)
    elif key.kind in SYNC or "ownerReferences" in metadata:
        world.wake(key)
    for reference in metadata.get("ownerReferences") or ():
        if above := owner_key(key.namespace, reference):
            world.wake(above)
    if not key.namespace:
        return
    if key.kind in AWAITED:
        for pod, stored in world.objects.within(POD, key.namespace):
            if not has(stored.manifest, "Ready"):
                world.wake(pod)
    if change.type != "MODIFIED" or key.kind in (POD, CLAIM):
        for counting, _ in world.objects.within(QUOTA, key.namespace):
            world.wake(counting)
    if key.kind is POD and (gone or change.stored.manifest["status"]["phase"] in ("Succeeded", "Failed")):
        for claim, stored in world.objects.within(CLAIM, key.namespace):
            if "deletionTimestamp" in stored.manifest["metadata"]:
                world.wake(claim)
    if gone and key.kind is CLAIM and (volume := change.stored.manifest["spec"].get("volumeName")):
        world.wake(Key(VOLUME, "", volume))
    if gone and terminating(world.objects, key.namespace):
        world.wake(Key(NAMESPACE, "", key.namespace))


def _look(world: World, key: Key) -> None:
    stored = world.objects.find(key)
    if stored is None:
        return
    manifest = stored.manifest
    metadata = manifest["metadata"]
    owners = () if "deletionTimestamp" in metadata else metadata.get("ownerReferences") or ()
    if owners and not any(_exists(world, key, owner) for owner in owners):
        delete(world, key, propagation="Background")
        return
    if FOREGROUND in (metadata.get("finalizers") or ()):
        dependents = world.objects.dependents(metadata["uid"])
        for dependent, child in dependents:
            if "deletionTimestamp" not in child.manifest["metadata"]:
                delete(world, dependent, propagation="Foreground")
        if not dependents:
            release(world, key, manifest, FOREGROUND)
        return
    if (sync := SYNC.get(key.kind)) is not None:
        try:
            sync(world, key, manifest)
        except ApiError:  # what it wanted to write was refused: as any controller it tries again
            world.retry(key, clock.FAILED_CREATE)


def _exists(world: World, key: Key, reference: Manifest) -> bool:
    above = owner_key(key.namespace, reference)
    if above is None:
        return reference["kind"] not in BY_NAME
    found = world.objects.find(above)
    return found is not None and found.manifest["metadata"]["uid"] == reference["uid"]
