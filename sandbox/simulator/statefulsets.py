"""The StatefulSet controller: numbered pods, one after the other, each with its claims."""

from functools import partial

from sandbox.simulator import clock
from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.kinds import CLAIM, STATEFULSET, Manifest
from sandbox.simulator.objects import Key
from sandbox.simulator.owned_pods import create_pod, owned_pods, template_hash, try_create
from sandbox.simulator.pods import is_ready
from sandbox.simulator.writes import create, delete, set_status


def sync(cluster: ClusterState, key: Key, statefulset: Manifest) -> None:
    """Create missing pods in order; delete surplus and outdated pods from the highest ordinal down."""
    if "deletionTimestamp" in statefulset["metadata"]:
        return
    spec, metadata = statefulset["spec"], statefulset["metadata"]
    revision = f"{key.name}-{template_hash(spec['template'])}"
    pods_by_key = dict(owned_pods(cluster, statefulset))
    by_name = {pod.name: stored.manifest for pod, stored in pods_by_key.items()}
    error = None
    wanted = [f"{key.name}-{number}" for number in range(spec["replicas"])]
    for number, name in enumerate(wanted):
        if name not in by_name:
            error = _create_replica(cluster, key, statefulset, number, revision)
        if spec["podManagementPolicy"] == "OrderedReady" and not (name in by_name and is_ready(by_name[name])):
            break
    surplus = sorted((pod for pod in pods_by_key if pod.name not in wanted), key=_number, reverse=True)
    outdated = sorted(
        (pod for pod in pods_by_key if pod.name in wanted and _revision(by_name[pod.name]) != revision),
        key=_number,
        reverse=True,
    )
    terminating = any("deletionTimestamp" in pod["metadata"] for pod in by_name.values())
    rolling = spec["updateStrategy"].get("type") != "OnDelete"
    others_ready = all(is_ready(by_name[pod.name]) for pod in pods_by_key if pod not in outdated and pod not in surplus)
    if not terminating and (surplus or (rolling and outdated and others_ready)):
        delete(cluster, (surplus or outdated)[0], propagation="Background")
    if error is not None:
        cluster.requeue_after(key, clock.CREATE_RETRY_SECONDS)
    pods = owned_pods(cluster, statefulset)
    available = sum(is_ready(stored.manifest) for _, stored in pods)
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
    set_status(cluster, key, statefulset, status)


def _create_replica(cluster: ClusterState, key: Key, statefulset: Manifest, number: int, revision: str) -> str | None:
    """Create the claims and the pod with that ordinal. Returns the error message when the API refuses."""
    spec = statefulset["spec"]
    name = f"{key.name}-{number}"
    template = {**spec["template"], "spec": {**spec["template"]["spec"], "hostname": name}}
    volumes = list(template["spec"].get("volumes") or ())
    for claim in spec.get("volumeClaimTemplates") or ():
        claim_name = f"{claim['metadata']['name']}-{name}"
        volumes.append({"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim_name}})
        if cluster.objects.find(Key(CLAIM, key.namespace, claim_name)) is None:
            labels = {**(claim["metadata"].get("labels") or {}), **(spec["selector"].get("matchLabels") or {})}
            manifest = {"metadata": {"name": claim_name, "labels": labels}, "spec": claim["spec"]}
            if error := try_create(cluster, statefulset, partial(create, cluster, CLAIM, key.namespace, manifest)):
                return error
    if volumes:
        template["spec"]["volumes"] = volumes
    labels = {
        "controller-revision-hash": revision,
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(number),
    }
    return create_pod(cluster, STATEFULSET, statefulset, template, name, labels)


def _number(key: Key) -> int:
    return int(key.name.rpartition("-")[2])


def _revision(pod: Manifest) -> str:
    return str((pod["metadata"].get("labels") or {}).get("controller-revision-hash", ""))
