"""What the controller manager does for StatefulSets: pods with numbers, one after the other, each with its claims."""

from functools import partial

from sandbox.simulator import clock
from sandbox.simulator.kinds import CLAIM, STATEFULSET, Manifest
from sandbox.simulator.objects import Key
from sandbox.simulator.pods import ready
from sandbox.simulator.workloads import attempt, digest_of, make_pod, pods_of
from sandbox.simulator.world import World
from sandbox.simulator.writes import create, delete, set_status


def sync(world: World, key: Key, statefulset: Manifest) -> None:
    """Pods with numbers, one after the other, each with its claims; an old one is replaced from the highest down."""
    if "deletionTimestamp" in statefulset["metadata"]:
        return
    spec, metadata = statefulset["spec"], statefulset["metadata"]
    revision = f"{key.name}-{digest_of(spec['template'])}"
    found = dict(pods_of(world, statefulset))
    by_name = {pod.name: stored.manifest for pod, stored in found.items()}
    problem = None
    wanted = [f"{key.name}-{number}" for number in range(spec["replicas"])]
    for number, name in enumerate(wanted):
        if name not in by_name:
            problem = _ordinal(world, key, statefulset, number, revision)
        if spec["podManagementPolicy"] == "OrderedReady" and not (name in by_name and ready(by_name[name])):
            break
    surplus = sorted((pod for pod in found if pod.name not in wanted), key=_number, reverse=True)
    outdated = sorted(
        (pod for pod in found if pod.name in wanted and _revision(by_name[pod.name]) != revision),
        key=_number,
        reverse=True,
    )
    going = any("deletionTimestamp" in pod["metadata"] for pod in by_name.values())
    rolling = spec["updateStrategy"].get("type") != "OnDelete"
    others_ready = all(ready(by_name[pod.name]) for pod in found if pod not in outdated and pod not in surplus)
    if not going and (surplus or (rolling and outdated and others_ready)):
        delete(world, (surplus or outdated)[0], propagation="Background")
    if problem is not None:
        world.retry(key, clock.FAILED_CREATE)
    pods = pods_of(world, statefulset)
    available = sum(ready(stored.manifest) for _, stored in pods)
    updated = sum(_revision(stored.manifest) == revision for _, stored in pods)
    complete = updated == len(pods) == spec["replicas"] == available
    before = statefulset.get("status") or {}
    current = revision if complete else before.get("currentRevision", revision)
    counts = {
        "readyReplicas": available,
        "currentReplicas": sum(_revision(stored.manifest) == current for _, stored in pods),
        "updatedReplicas": updated,
    }
    status = {
        "observedGeneration": metadata["generation"],
        "replicas": len(pods),
        "availableReplicas": available,
        "currentRevision": current,
        "updateRevision": revision,
        "collisionCount": 0,
        **{name: count for name, count in counts.items() if count},
    }
    set_status(world, key, statefulset, status)


def _ordinal(world: World, key: Key, statefulset: Manifest, number: int, revision: str) -> str | None:
    """Make the pod with that number, and its claims first; returns why that can't be."""
    spec = statefulset["spec"]
    name = f"{key.name}-{number}"
    template = {**spec["template"], "spec": {**spec["template"]["spec"], "hostname": name}}
    volumes = list(template["spec"].get("volumes") or ())
    for claim in spec.get("volumeClaimTemplates") or ():
        claim_name = f"{claim['metadata']['name']}-{name}"
        volumes.append({"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim_name}})
        if world.objects.find(Key(CLAIM, key.namespace, claim_name)) is None:
            labels = {**(claim["metadata"].get("labels") or {}), **(spec["selector"].get("matchLabels") or {})}
            manifest = {"metadata": {"name": claim_name, "labels": labels}, "spec": claim["spec"]}
            if problem := attempt(world, statefulset, partial(create, world, CLAIM, key.namespace, manifest)):
                return problem
    if volumes:
        template["spec"]["volumes"] = volumes
    labels = {
        "controller-revision-hash": revision,
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(number),
    }
    return make_pod(world, STATEFULSET, statefulset, template, name, labels)


def _number(key: Key) -> int:
    return int(key.name.rpartition("-")[2])


def _revision(pod: Manifest) -> str:
    return str((pod["metadata"].get("labels") or {}).get("controller-revision-hash", ""))
