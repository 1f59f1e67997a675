"""Shared by the controllers of Deployments, StatefulSets and Jobs: pods from a template, and owner references."""

import hashlib
import json
from collections.abc import Callable
from functools import partial

from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.errors import ApiError
from sandbox.simulator.events import record_warning
from sandbox.simulator.kinds import POD, Kind, Manifest
from sandbox.simulator.objects import Key, StoredObject
from sandbox.simulator.writes import create, delete

Pods = list[tuple[Key, StoredObject]]


def owned_pods(cluster: ClusterState, manifest: Manifest) -> Pods:
    """The pods that an object owns and that haven't finished."""
    return [
        (key, stored)
        for key, stored in cluster.objects.dependents(manifest["metadata"]["uid"])
        if key.kind is POD and stored.manifest["status"]["phase"] not in ("Succeeded", "Failed")
    ]


def active_pods(pods: Pods) -> Pods:
    """The pods that aren't being deleted."""
    return [row for row in pods if "deletionTimestamp" not in row[1].manifest["metadata"]]


def delete_pods(cluster: ClusterState, pods: Pods) -> None:
    for key, _ in active_pods(pods):
        delete(cluster, key, propagation="Background")


def create_pod(
    cluster: ClusterState,
    kind: Kind,
    owner: Manifest,
    template: Manifest,
    name: str,
    labels: dict[str, str] | None = None,
) -> str | None:
    """Create a pod from a template. Returns the error message when the API refuses it."""
    given = template.get("metadata") or {}
    metadata = {
        "name": name,
        "labels": {**(given.get("labels") or {}), **(labels or {})},
        "annotations": given.get("annotations") or {},
        "ownerReferences": [controller_reference(kind, owner)],
    }
    pod = {"metadata": metadata, "spec": template["spec"]}
    return try_create(cluster, owner, partial(create, cluster, POD, owner["metadata"]["namespace"], pod))


def try_create(cluster: ClusterState, owner: Manifest, create_object: Callable[[], StoredObject]) -> str | None:
    """Create an object for its owner. Returns the error message when the API refuses it, and records an Event."""
    try:
        create_object()
    except ApiError as error:
        record_warning(
            cluster, owner, "FailedCreate", f"Error creating: {error.message}", f"{owner['kind'].lower()}-controller"
        )
        return error.message
    return None


def controller_reference(kind: Kind, manifest: Manifest) -> Manifest:
    """An ownerReference to the controller."""
    metadata = manifest["metadata"]
    identity = {"apiVersion": kind.api_version, "kind": kind.name, "name": metadata["name"], "uid": metadata["uid"]}
    return {**identity, "controller": True, "blockOwnerDeletion": True}


def template_hash(template: Manifest) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
