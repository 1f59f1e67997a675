"""What the controller manager does for Deployments: pods as many and as new as asked, through ReplicaSets."""

from typing import Any

from sandbox.simulator import clock
from sandbox.simulator.defaults import suffix
from sandbox.simulator.kinds import DEPLOYMENT, REPLICASET, Manifest
from sandbox.simulator.objects import Key, Stored, owner_key
from sandbox.simulator.pods import ready
from sandbox.simulator.statuses import condition, conditions
from sandbox.simulator.workloads import Pods, digest_of, kill, living, make_pod, owner, pods_of
from sandbox.simulator.world import World
from sandbox.simulator.writes import create, delete, set_status

REVISION = "deployment.kubernetes.io/revision"


def sync(world: World, key: Key, deployment: Manifest) -> None:
    """Replace old pods by new ones, as its strategy says, and count."""
    if "deletionTimestamp" in deployment["metadata"]:
        return
    spec = deployment["spec"]
    owned = world.objects.dependents(deployment["metadata"]["uid"])
    sets = sorted((row for row in owned if row[0].kind is REPLICASET), key=_revision)
    current = _replicaset(world, key, deployment, sets)
    new = pods_of(world, current.manifest)
    name = current.manifest["metadata"]["name"]
    old = [pod for set_, stored in sets if set_.name != name for pod in pods_of(world, stored.manifest)]
    problem = None
    if spec["strategy"]["type"] != "Recreate" or not old:
        problem = _scale(world, current.manifest, new, spec["replicas"])
        new = pods_of(world, current.manifest)
    enough = sum(ready(stored.manifest) for _, stored in new) >= spec["replicas"]
    if spec["strategy"]["type"] == "Recreate" or enough:
        kill(world, old)
    for set_, stored in sets:
        _count_replicaset(world, set_, stored.manifest, spec["replicas"] if set_.name == name else 0)
    if problem is not None:
        world.retry(key, clock.FAILED_CREATE)
    _deployment_status(world, key, deployment, living(pods_of(world, current.manifest)), living(old), problem)


def sync_replicaset(world: World, key: Key, manifest: Manifest) -> None:
    """Its Deployment does the work."""
    for reference in manifest["metadata"].get("ownerReferences") or ():
        if above := owner_key(key.namespace, reference):
            world.wake(above)


def _replicaset(world: World, key: Key, deployment: Manifest, sets: list[tuple[Key, Stored]]) -> Stored:
    """The set of the present template; made when there is none."""
    template = deployment["spec"]["template"]
    digest = digest_of(template)
    name = f"{key.name}-{digest}"
    revision = _revision(sets[-1]) + 1 if sets else 1
    for set_, stored in sets:
        if set_.name == name:
            return stored if set_ == sets[-1][0] else _renew(world, set_, stored.manifest, revision)
    known = template.get("metadata") or {}
    labels = {**(known.get("labels") or {}), "pod-template-hash": digest}
    selector = deployment["spec"]["selector"]
    matching = {**(selector.get("matchLabels") or {}), "pod-template-hash": digest}
    metadata = {
        "name": name,
        "labels": labels,
        "annotations": {REVISION: str(revision)},
        "ownerReferences": [owner(DEPLOYMENT, deployment)],
    }
    spec = {
        "replicas": deployment["spec"]["replicas"],
        "selector": {**selector, "matchLabels": matching},
        "template": {**template, "metadata": {**known, "labels": labels}},
    }
    made = create(world, REPLICASET, key.namespace, {"metadata": metadata, "spec": spec})
    sets.append((Key(REPLICASET, key.namespace, name), made))
    for old, stored in sets[: -1 - deployment["spec"]["revisionHistoryLimit"]]:
        if not pods_of(world, stored.manifest):
            delete(world, old, propagation="Background")
            sets.remove((old, stored))
    return made


def _renew(world: World, key: Key, replicaset: Manifest, revision: int) -> Stored:
    """An old set is wanted again: a rollback makes it the newest."""
    metadata = {**replicaset["metadata"], "annotations": {REVISION: str(revision)}}
    return world.objects.write(key, {**replicaset, "metadata": metadata})


def _revision(row: tuple[Key, Stored]) -> int:
    return int(row[1].manifest["metadata"]["annotations"][REVISION])


def _scale(world: World, replicaset: Manifest, pods: Pods, replicas: int) -> str | None:
    """Make or kill pods until there are that many; returns why one can't be made."""
    metadata = replicaset["metadata"]
    active = living(pods)
    for _ in range(replicas - len(active)):
        name = f"{metadata['name']}-{suffix()}"
        if problem := make_pod(world, REPLICASET, replicaset, replicaset["spec"]["template"], name):
            return problem
    kill(world, sorted(active, key=lambda row: ready(row[1].manifest))[: max(0, len(active) - replicas)])
    return None


def _count_replicaset(world: World, key: Key, manifest: Manifest, wanted: int) -> None:
    pods = living(pods_of(world, manifest))
    count = len(pods)
    status = {"replicas": count, "observedGeneration": manifest["metadata"]["generation"]}
    if available := sum(ready(stored.manifest) for _, stored in pods):
        status |= {"readyReplicas": available, "availableReplicas": available}
    if manifest["spec"].get("replicas") != wanted:
        metadata = {**manifest["metadata"], "generation": manifest["metadata"]["generation"] + 1}
        manifest = {**manifest, "metadata": metadata, "spec": {**manifest["spec"], "replicas": wanted}}
        world.objects.write(key, {**manifest, "status": {**status, "observedGeneration": metadata["generation"]}})
    else:
        set_status(world, key, manifest, status)


def _deployment_status(world: World, key: Key, deployment: Manifest, new: Pods, old: Pods, problem: str | None) -> None:
    spec, metadata, before = deployment["spec"], deployment["metadata"], deployment.get("status") or {}
    replicas = spec["replicas"]
    available = sum(ready(stored.manifest) for _, stored in [*new, *old])
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
        _progress(world, key, deployment, complete),
    ]
    kept = [row for row in before.get("conditions") or () if row["type"] != "ReplicaFailure"]
    if problem is not None:
        kept = list(before.get("conditions") or ())
        rows.append(condition("ReplicaFailure", status=True, reason="FailedCreate", message=problem))
    set_status(world, key, deployment, {**status, "conditions": conditions(kept, *rows)})


def _progress(world: World, key: Key, deployment: Manifest, complete: bool) -> Manifest:
    """The condition Progressing: done, on the way, or for too long."""
    name = f"{key.name}-{digest_of(deployment['spec']['template'])}"
    if complete:
        world.forget(key, "progress")
        message = f'ReplicaSet "{name}" has successfully progressed.'
        return condition("Progressing", status=True, reason="NewReplicaSetAvailable", message=message)
    seconds = float(deployment["spec"]["progressDeadlineSeconds"])
    if world.wait(key, str(deployment["metadata"]["generation"]), seconds, topic="progress", pace="deadline"):
        message = f'ReplicaSet "{name}" has timed out progressing.'
        return condition("Progressing", status=False, reason="ProgressDeadlineExceeded", message=message)
    message = f'ReplicaSet "{name}" is progressing.'
    return condition("Progressing", status=True, reason="ReplicaSetUpdated", message=message)
