"""The Deployment controller: creates ReplicaSets and pods, and replaces old pods as the strategy says."""

from typing import Any

from sandbox.simulator import clock
from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.defaults import random_suffix
from sandbox.simulator.kinds import DEPLOYMENT, REPLICASET, Manifest
from sandbox.simulator.objects import Key, StoredObject, owner_key
from sandbox.simulator.owned_pods import (
    Pods,
    active_pods,
    controller_reference,
    create_pod,
    delete_pods,
    owned_pods,
    template_hash,
)
from sandbox.simulator.pods import is_ready
from sandbox.simulator.statuses import condition, merge_conditions
from sandbox.simulator.writes import create, delete, set_status

REVISION = "deployment.kubernetes.io/revision"


def sync(cluster: ClusterState, key: Key, deployment: Manifest) -> None:
    """Scale the current ReplicaSet, delete old pods as the strategy says, and update the statuses."""
    if "deletionTimestamp" in deployment["metadata"]:
        return
    spec = deployment["spec"]
    owned = cluster.objects.dependents(deployment["metadata"]["uid"])
    replicasets = sorted((row for row in owned if row[0].kind is REPLICASET), key=_revision)
    current = _current_replicaset(cluster, key, deployment, replicasets)
    new = owned_pods(cluster, current.manifest)
    name = current.manifest["metadata"]["name"]
    old = [
        pod
        for replicaset_key, stored in replicasets
        if replicaset_key.name != name
        for pod in owned_pods(cluster, stored.manifest)
    ]
    error = None
    if spec["strategy"]["type"] != "Recreate" or not old:
        error = _scale(cluster, current.manifest, new, spec["replicas"])
        new = owned_pods(cluster, current.manifest)
    enough = sum(is_ready(stored.manifest) for _, stored in new) >= spec["replicas"]
    if spec["strategy"]["type"] == "Recreate" or enough:
        delete_pods(cluster, old)
    for replicaset_key, stored in replicasets:
        _update_replicaset_status(
            cluster, replicaset_key, stored.manifest, spec["replicas"] if replicaset_key.name == name else 0
        )
    if error is not None:
        cluster.requeue_after(key, clock.CREATE_RETRY_SECONDS)
    _update_deployment_status(
        cluster, key, deployment, active_pods(owned_pods(cluster, current.manifest)), active_pods(old), error
    )


def sync_replicaset(cluster: ClusterState, key: Key, manifest: Manifest) -> None:
    """Enqueue the Deployment, which does the work."""
    for reference in manifest["metadata"].get("ownerReferences") or ():
        if owner := owner_key(key.namespace, reference):
            cluster.enqueue(owner)


def _current_replicaset(
    cluster: ClusterState, key: Key, deployment: Manifest, replicasets: list[tuple[Key, StoredObject]]
) -> StoredObject:
    """The ReplicaSet of the current template; created when it is missing."""
    template = deployment["spec"]["template"]
    hash_ = template_hash(template)
    name = f"{key.name}-{hash_}"
    revision = _revision(replicasets[-1]) + 1 if replicasets else 1
    for replicaset_key, stored in replicasets:
        if replicaset_key.name == name:
            return (
                stored
                if replicaset_key == replicasets[-1][0]
                else _set_revision(cluster, replicaset_key, stored.manifest, revision)
            )
    known = template.get("metadata") or {}
    labels = {**(known.get("labels") or {}), "pod-template-hash": hash_}
    selector = deployment["spec"]["selector"]
    matching = {**(selector.get("matchLabels") or {}), "pod-template-hash": hash_}
    metadata = {
        "name": name,
        "labels": labels,
        "annotations": {REVISION: str(revision)},
        "ownerReferences": [controller_reference(DEPLOYMENT, deployment)],
    }
    spec = {
        "replicas": deployment["spec"]["replicas"],
        "selector": {**selector, "matchLabels": matching},
        "template": {**template, "metadata": {**known, "labels": labels}},
    }
    created = create(cluster, REPLICASET, key.namespace, {"metadata": metadata, "spec": spec})
    replicasets.append((Key(REPLICASET, key.namespace, name), created))
    for old, stored in replicasets[: -1 - deployment["spec"]["revisionHistoryLimit"]]:
        if not owned_pods(cluster, stored.manifest):
            delete(cluster, old, propagation="Background")
            replicasets.remove((old, stored))
    return created


def _set_revision(cluster: ClusterState, key: Key, replicaset: Manifest, revision: int) -> StoredObject:
    """Give an old ReplicaSet the newest revision: a rollback."""
    metadata = {**replicaset["metadata"], "annotations": {REVISION: str(revision)}}
    return cluster.objects.put(key, {**replicaset, "metadata": metadata})


def _revision(row: tuple[Key, StoredObject]) -> int:
    return int(row[1].manifest["metadata"]["annotations"][REVISION])


def _scale(cluster: ClusterState, replicaset: Manifest, pods: Pods, replicas: int) -> str | None:
    """Create or delete pods until the count is right. Returns the error message when the API refuses a pod."""
    metadata = replicaset["metadata"]
    active = active_pods(pods)
    for _ in range(replicas - len(active)):
        name = f"{metadata['name']}-{random_suffix()}"
        if error := create_pod(cluster, REPLICASET, replicaset, replicaset["spec"]["template"], name):
            return error
    delete_pods(cluster, sorted(active, key=lambda row: is_ready(row[1].manifest))[: max(0, len(active) - replicas)])
    return None


def _update_replicaset_status(cluster: ClusterState, key: Key, manifest: Manifest, wanted: int) -> None:
    pods = active_pods(owned_pods(cluster, manifest))
    count = len(pods)
    status = {"replicas": count, "observedGeneration": manifest["metadata"]["generation"]}
    if available := sum(is_ready(stored.manifest) for _, stored in pods):
        status |= {"readyReplicas": available, "availableReplicas": available}
    if manifest["spec"].get("replicas") != wanted:
        metadata = {**manifest["metadata"], "generation": manifest["metadata"]["generation"] + 1}
        manifest = {**manifest, "metadata": metadata, "spec": {**manifest["spec"], "replicas": wanted}}
        cluster.objects.put(key, {**manifest, "status": {**status, "observedGeneration": metadata["generation"]}})
    else:
        set_status(cluster, key, manifest, status)


def _update_deployment_status(
    cluster: ClusterState, key: Key, deployment: Manifest, new: Pods, old: Pods, error: str | None
) -> None:
    spec, metadata, before = deployment["spec"], deployment["metadata"], deployment.get("status") or {}
    replicas = spec["replicas"]
    available = sum(is_ready(stored.manifest) for _, stored in [*new, *old])
    status: dict[str, Any] = {"observedGeneration": metadata["generation"]}
    counts = {
        "replicas": len(new) + len(old),
        "updatedReplicas": len(new),
        "readyReplicas": available,
        "availableReplicas": available,
        "unavailableReplicas": max(0, replicas - available),
    }
    status |= {name: count for name, count in counts.items() if count}  # the API leaves zeros out
    complete = not old and len(new) == replicas and available >= replicas
    enough = available >= replicas
    rows = [
        condition(
            "Available",
            status=enough,
            reason="MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            message=f"Deployment {'has' if enough else 'does not have'} minimum availability.",
        ),
        _progressing_condition(cluster, key, deployment, complete),
    ]
    kept = [row for row in before.get("conditions") or () if row["type"] != "ReplicaFailure"]
    if error is not None:
        kept = list(before.get("conditions") or ())
        rows.append(condition("ReplicaFailure", status=True, reason="FailedCreate", message=error))
    set_status(cluster, key, deployment, {**status, "conditions": merge_conditions(kept, *rows)})


def _progressing_condition(cluster: ClusterState, key: Key, deployment: Manifest, complete: bool) -> Manifest:
    """The condition Progressing: complete, in progress, or deadline exceeded."""
    name = f"{key.name}-{template_hash(deployment['spec']['template'])}"
    if complete:
        cluster.reset_timers(key, "progress")
        message = f'ReplicaSet "{name}" has successfully progressed.'
        return condition("Progressing", status=True, reason="NewReplicaSetAvailable", message=message)
    seconds = float(deployment["spec"]["progressDeadlineSeconds"])
    if cluster.timer_elapsed(
        key, str(deployment["metadata"]["generation"]), seconds, timer="progress", mode="deadline"
    ):
        message = f'ReplicaSet "{name}" has timed out progressing.'
        return condition("Progressing", status=False, reason="ProgressDeadlineExceeded", message=message)
    message = f'ReplicaSet "{name}" is progressing.'
    return condition("Progressing", status=True, reason="ReplicaSetUpdated", message=message)
