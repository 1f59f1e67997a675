"""What the controllers of Deployments, StatefulSets and Jobs have in common: pods made from a template, and owned."""

import hashlib
import json
from collections.abc import Callable
from functools import partial

from sandbox.simulator.errors import ApiError
from sandbox.simulator.events import say
from sandbox.simulator.kinds import POD, Kind, Manifest
from sandbox.simulator.objects import Key, Stored
from sandbox.simulator.world import World
from sandbox.simulator.writes import create, delete

Pods = list[tuple[Key, Stored]]


def pods_of(world: World, manifest: Manifest) -> Pods:
    """The pods an object owns that have not ended."""
    return [
        (key, stored)
        for key, stored in world.objects.dependents(manifest["metadata"]["uid"])
        if key.kind is POD and stored.manifest["status"]["phase"] not in ("Succeeded", "Failed")
    ]


def living(pods: Pods) -> Pods:
    """Those not on their way out."""
    return [row for row in pods if "deletionTimestamp" not in row[1].manifest["metadata"]]


def kill(world: World, pods: Pods) -> None:
    for key, _ in living(pods):
        delete(world, key, propagation="Background")


def make_pod(
    world: World, kind: Kind, maker: Manifest, template: Manifest, name: str, labels: dict[str, str] | None = None
) -> str | None:
    """Make a pod from a template; returns why that can't be."""
    given = template.get("metadata") or {}
    metadata = {
        "name": name,
        "labels": {**(given.get("labels") or {}), **(labels or {})},
        "annotations": given.get("annotations") or {},
        "ownerReferences": [owner(kind, maker)],
    }
    pod = {"metadata": metadata, "spec": template["spec"]}
    return attempt(world, maker, partial(create, world, POD, maker["metadata"]["namespace"], pod))


def attempt(world: World, maker: Manifest, making: Callable[[], Stored]) -> str | None:
    """Make something for an object; returns why that can't be, and says so in an Event."""
    try:
        making()
    except ApiError as error:
        say(world, maker, "FailedCreate", f"Error creating: {error.message}", f"{maker['kind'].lower()}-controller")
        return error.message
    return None


def owner(kind: Kind, manifest: Manifest) -> Manifest:
    """The reference to a controller."""
    metadata = manifest["metadata"]
    place = {"apiVersion": kind.api_version, "kind": kind.name, "name": metadata["name"], "uid": metadata["uid"]}
    return {**place, "controller": True, "blockOwnerDeletion": True}


def digest_of(template: Manifest) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
