"""Kubernetes Event objects: what controllers have to say about the objects that don't get on."""

import hashlib

from sandbox.simulator.kinds import EVENT, NAMESPACE, Manifest
from sandbox.simulator.objects import Key
from sandbox.simulator.statuses import stamp
from sandbox.simulator.world import World


def say(world: World, about: Manifest, reason: str, message: str, component: str) -> None:
    """A Warning about an object; said again, it counts up."""
    metadata = about["metadata"]
    namespace = metadata.get("namespace") or "default"
    owner = world.objects.manifest(NAMESPACE, "", namespace)
    if owner is None or "deletionTimestamp" in owner["metadata"]:
        return
    digest = hashlib.sha256(f"{metadata['uid']} {reason} {message}".encode()).hexdigest()[:16]
    key = Key(EVENT, namespace, f"{metadata['name'][:230]}.{digest}")
    known = world.objects.find(key)
    if known is not None:
        world.objects.write(key, {**known.manifest, "count": known.manifest["count"] + 1, "lastTimestamp": stamp()})
        return
    involved = {name: metadata.get(name) for name in ("namespace", "name", "uid", "resourceVersion")}
    world.objects.write(
        key,
        {
            "metadata": {"name": key.name, "namespace": namespace, "uid": digest, "creationTimestamp": stamp()},
            "involvedObject": {"apiVersion": about["apiVersion"], "kind": about["kind"], **involved},
            "reason": reason,
            "message": message,
            "type": "Warning",
            "count": 1,
            "firstTimestamp": stamp(),
            "lastTimestamp": stamp(),
            "source": {"component": component},
            "reportingComponent": component,
        },
    )
