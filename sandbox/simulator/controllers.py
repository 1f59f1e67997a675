"""The sync handler of each kind, and which objects a change enqueues."""

from collections.abc import Callable

from sandbox.simulator import clock, deployments, jobs, namespaces, pods, quota, statefulsets, volumes
from sandbox.simulator.cluster_state import ClusterState
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
from sandbox.simulator.quota import is_terminating
from sandbox.simulator.statuses import has_condition
from sandbox.simulator.writes import FOREGROUND, delete, remove_finalizer

SYNC_HANDLERS: dict[Kind, Callable[[ClusterState, Key, Manifest], None]] = {
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
POD_DEPENDENCIES = {SECRET, CONFIGMAP, CLAIM, DEPLOYMENT, STATEFULSET}
"""Kinds that a pod that isn't ready may wait for."""


def start_controllers(cluster: ClusterState) -> None:
    """Start the controllers: they handle all existing objects and every later change."""
    cluster.sync_handler = lambda key: _sync_object(cluster, key)
    cluster.objects.listeners.append(lambda change: _enqueue_related(cluster, change))
    cluster.objects.listeners.append(cluster.logs.on_change)
    cluster.enqueue_all(*SYNC_HANDLERS)


def _enqueue_related(cluster: ClusterState, change: Change) -> None:
    key, metadata = change.key, change.stored.manifest["metadata"]
    deleted = change.type == "DELETED"
    if deleted:
        cluster.reset_timers(key)
        for dependent, _ in cluster.objects.dependents(metadata["uid"]):
            cluster.enqueue(dependent)
    elif key.kind in SYNC_HANDLERS or "ownerReferences" in metadata:
        cluster.enqueue(key)
    for reference in metadata.get("ownerReferences") or ():
        if owner := owner_key(key.namespace, reference):
            cluster.enqueue(owner)
    if not key.namespace:
        return
    if key.kind in POD_DEPENDENCIES:
        for pod, stored in cluster.objects.in_namespace(POD, key.namespace):
            if not has_condition(stored.manifest, "Ready"):
                cluster.enqueue(pod)
    finished = key.kind is POD and change.stored.manifest["status"]["phase"] in ("Succeeded", "Failed")
    if change.type != "MODIFIED" or key.kind is CLAIM or finished:  # other changes don't change the usage
        for quota_key, _ in cluster.objects.in_namespace(QUOTA, key.namespace):
            cluster.enqueue(quota_key)
    if finished or (key.kind is POD and deleted):
        for claim, stored in cluster.objects.in_namespace(CLAIM, key.namespace):
            if "deletionTimestamp" in stored.manifest["metadata"]:
                cluster.enqueue(claim)
    if deleted and key.kind is CLAIM and (volume := change.stored.manifest["spec"].get("volumeName")):
        cluster.enqueue(Key(VOLUME, "", volume))
    if deleted and is_terminating(cluster.objects, key.namespace):
        cluster.enqueue(Key(NAMESPACE, "", key.namespace))


def _sync_object(cluster: ClusterState, key: Key) -> None:
    stored = cluster.objects.find(key)
    if stored is None:
        return
    manifest = stored.manifest
    metadata = manifest["metadata"]
    owners = () if "deletionTimestamp" in metadata else metadata.get("ownerReferences") or ()
    if owners and not any(_owner_exists(cluster, key, owner) for owner in owners):
        delete(cluster, key, propagation="Background")
        return
    if FOREGROUND in (metadata.get("finalizers") or ()):
        dependents = cluster.objects.dependents(metadata["uid"])
        for dependent, child in dependents:
            if "deletionTimestamp" not in child.manifest["metadata"]:
                delete(cluster, dependent, propagation="Foreground")
        if not dependents:
            remove_finalizer(cluster, key, manifest, FOREGROUND)
        return
    if (sync := SYNC_HANDLERS.get(key.kind)) is not None:
        try:
            sync(cluster, key, manifest)
        except ApiError:  # a write was refused: retry, as every controller does
            cluster.requeue_after(key, clock.CREATE_RETRY_SECONDS)


def _owner_exists(cluster: ClusterState, key: Key, reference: Manifest) -> bool:
    owner = owner_key(key.namespace, reference)
    if owner is None:
        return reference["kind"] not in BY_NAME
    found = cluster.objects.find(owner)
    return found is not None and found.manifest["metadata"]["uid"] == reference["uid"]
