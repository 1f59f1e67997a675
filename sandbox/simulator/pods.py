"""Scheduler and kubelet: a pod is scheduled, its image is pulled, its containers start, become ready, end or crash.

The pod's status alone says what happens next, so a restarted simulator continues from it.
"""

from typing import Any

from sandbox.simulator import clock
from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.defaults import RANDOM
from sandbox.simulator.events import record_warning
from sandbox.simulator.faults import Fault, FaultName
from sandbox.simulator.kinds import BY_NAME, Manifest
from sandbox.simulator.logs import container_id, new_container_id
from sandbox.simulator.objects import Key
from sandbox.simulator.programs import Program, find_program
from sandbox.simulator.references import missing_reference, unbound_claim_message
from sandbox.simulator.statuses import condition, has_condition, merge_conditions, timestamp
from sandbox.simulator.writes import set_status, write_or_remove

NODE_NAME = "simulated"


def sync(cluster: ClusterState, key: Key, pod: Manifest) -> None:
    """Move the pod to its next stage when it is time."""
    status = pod["status"]
    if "deletionTimestamp" in pod["metadata"]:
        _terminate(cluster, key, pod)
    elif status["phase"] in ("Succeeded", "Failed"):
        cluster.reset_timers(key)
    elif not has_condition(pod, "PodScheduled"):
        _schedule(cluster, key, pod)
    elif waiting := _waiting_reason(status):
        _start_containers(cluster, key, pod, waiting)
    elif not has_condition(pod, "Initialized"):
        _finish_init_container(cluster, key, pod)
    elif owner_kind(pod) == "Job":
        _sync_job_pod(cluster, key, pod)
    else:
        _sync_service_pod(cluster, key, pod)


def owner_kind(pod: Manifest) -> str:
    """The kind of the pod's workload; Deployment for a ReplicaSet, Pod without an owner."""
    owners = pod["metadata"].get("ownerReferences") or [{"kind": "Pod"}]
    return "Deployment" if owners[0]["kind"] == "ReplicaSet" else str(owners[0]["kind"])


def is_ready(pod: Manifest) -> bool:
    return has_condition(pod, "Ready") and "deletionTimestamp" not in pod["metadata"]


def _fault(cluster: ClusterState, pod: Manifest, *names: FaultName) -> Fault | None:
    return cluster.fault(pod, ("Pod", owner_kind(pod)), *names)


def _terminate(cluster: ClusterState, key: Key, pod: Manifest) -> None:
    seconds = pod["metadata"]["deletionGracePeriodSeconds"]
    if cluster.timer_elapsed(key, f"kill {seconds}", min(seconds, clock.KILL_SECONDS)):
        write_or_remove(cluster, key, {**pod, "metadata": {**pod["metadata"], "deletionGracePeriodSeconds": 0}})


def _schedule(cluster: ClusterState, key: Key, pod: Manifest) -> None:
    fault = _fault(cluster, pod, "unschedulable")
    cause = (fault.message or "1 Insufficient cpu.") if fault else unbound_claim_message(cluster.objects, pod)
    status = pod["status"]
    if cause is not None:
        cluster.reset_timers(key)
        message = f"0/1 nodes are available: {cause}"
        row = condition("PodScheduled", status=False, reason="Unschedulable", message=message)
        changed = set_status(
            cluster, key, pod, {**status, "conditions": merge_conditions(status.get("conditions"), row)}
        )
        if changed is not pod:
            record_warning(cluster, pod, "FailedScheduling", message, "default-scheduler")
        return
    if not cluster.timer_elapsed(key, "schedule", clock.SCHEDULE_SECONDS):
        return
    rows = [
        condition("PodScheduled", status=True),
        *_readiness_conditions(initialized=not pod["spec"].get("initContainers")),
    ]
    spec = pod["spec"]
    placed = {**pod, "spec": {**spec, "nodeName": NODE_NAME}}
    reason = "PodInitializing" if spec.get("initContainers") else "ContainerCreating"
    new = {
        **status,
        "conditions": merge_conditions(status.get("conditions"), *rows),
        "hostIP": "10.0.0.1",
        "startTime": timestamp(),
        "containerStatuses": [_container_status(one, {"waiting": {"reason": reason}}) for one in spec["containers"]],
    }
    if spec.get("initContainers"):
        creating = {"waiting": {"reason": "ContainerCreating"}}
        new["initContainerStatuses"] = [_container_status(one, creating) for one in spec["initContainers"]]
    cluster.objects.put(key, {**placed, "status": new})


def _container_status(container: Manifest, state: Manifest, old: Manifest | None = None, **changes: Any) -> Manifest:
    fresh = {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "restartCount": 0,
        "lastState": {},
        **(old or {}),
    }
    running = "running" in state
    return {**fresh, "state": state, "ready": False, "started": running, **changes}


def _readiness_conditions(*, initialized: bool, ready: bool = False, done: bool = False) -> list[Manifest]:
    reason = "PodCompleted" if done else "" if ready else "ContainersNotReady"
    return [
        condition("PodReadyToStartContainers", status=not done),
        condition("Initialized", status=initialized, reason="" if initialized else "ContainersNotInitialized"),
        condition("ContainersReady", status=ready, reason=reason),
        condition("Ready", status=ready, reason=reason),
    ]


def _waiting_reason(status: Manifest) -> str | None:
    """The reason of the first waiting container; None while an init container runs or isn't finished."""
    for row in status.get("initContainerStatuses") or ():
        if waiting := row["state"].get("waiting"):
            return str(waiting["reason"])
        if "running" in row["state"]:
            return None
    for row in status["containerStatuses"]:
        if waiting := row["state"].get("waiting"):
            return (
                None
                if waiting["reason"] == "PodInitializing" and not _is_initialized(status)
                else str(waiting["reason"])
            )
    return None


def _is_initialized(status: Manifest) -> bool:
    return all("terminated" in row["state"] for row in status.get("initContainerStatuses") or ())


def _start_containers(cluster: ClusterState, key: Key, pod: Manifest, waiting: str) -> None:
    """Start waiting containers once their references exist, their image is pulled and their backoff is over."""
    restarts = _restart_count(pod)
    if waiting == "CrashLoopBackOff":
        first, longest = clock.BACKOFF_SECONDS
        if cluster.timer_elapsed(key, f"backoff {restarts}", min(longest, first * 2 ** (restarts - 1)), mode="retry"):
            _run_containers(cluster, key, pod)
        return
    if missing := missing_reference(cluster.objects, pod):
        reason, message = missing
        _set_waiting(cluster, key, pod, "ContainerCreating" if reason == "FailedMount" else reason, message, reason)
    elif fault := _fault(cluster, pod, "image"):
        image = pod["spec"]["containers"][0]["image"]
        message = fault.message or f'failed to pull image "{image}": not found'
        if waiting == "ErrImagePull":
            if cluster.timer_elapsed(key, "pull again", clock.BACKOFF_SECONDS[0], mode="retry"):
                _set_waiting(cluster, key, pod, "ImagePullBackOff", f'Back-off pulling image "{image}"', "BackOff")
        elif waiting != "ImagePullBackOff" and cluster.timer_elapsed(key, "pull", clock.PULL_SECONDS):
            _set_waiting(cluster, key, pod, "ErrImagePull", message, "Failed")
    elif cluster.timer_elapsed(key, "pull", clock.PULL_SECONDS):
        _run_containers(cluster, key, pod)


def _set_waiting(cluster: ClusterState, key: Key, pod: Manifest, reason: str, message: str, event: str) -> None:
    """Set the reason of the waiting containers, and record an event if it changed."""
    cluster.reset_timers(key)
    status = pod["status"]
    list_ = "containerStatuses" if _is_initialized(status) else "initContainerStatuses"
    rows = [
        {**row, "state": {"waiting": {"reason": reason, "message": message}}} if "waiting" in row["state"] else row
        for row in status[list_]
    ]
    if set_status(cluster, key, pod, {**status, list_: rows}) is not pod:
        record_warning(cluster, pod, event, message, "kubelet")


def _run_containers(cluster: ClusterState, key: Key, pod: Manifest) -> None:
    """Start the first waiting init container, or all containers."""
    status, spec = pod["status"], pod["spec"]
    state = {"running": {"startedAt": timestamp()}}
    if not _is_initialized(status):
        inits = list(status["initContainerStatuses"])
        index = next(i for i, row in enumerate(inits) if "waiting" in row["state"])
        first = spec["initContainers"][index]
        inits[index] = _container_status(
            first, state, inits[index], imageID="simulated", containerID=new_container_id()
        )
        set_status(cluster, key, pod, {**status, "initContainerStatuses": inits})
        return
    rows = [
        _container_status(
            container,
            state,
            row,
            imageID="simulated",
            containerID=new_container_id(),
            restartCount=row["restartCount"] + bool(row["lastState"]),
        )
        for container, row in zip(spec["containers"], status["containerStatuses"], strict=True)
    ]
    new = {**status, "phase": "Running", "containerStatuses": rows}
    new.setdefault("podIP", f"10.244.{RANDOM.randrange(256)}.{RANDOM.randrange(1, 255)}")
    set_status(
        cluster,
        key,
        pod,
        {**new, "conditions": merge_conditions(status["conditions"], *_readiness_conditions(initialized=True))},
    )


def _finish_init_container(cluster: ClusterState, key: Key, pod: Manifest) -> None:
    """End the running init container; then the next one, or the containers, can start."""
    status, spec = pod["status"], pod["spec"]
    inits = list(status.get("initContainerStatuses") or ())
    index = next((i for i, row in enumerate(inits) if "running" in row["state"]), None)
    if index is None or not cluster.timer_elapsed(key, f"init {index}", clock.INIT_SECONDS):
        return
    done = _terminated_state(inits[index], 0)
    inits[index] = _container_status(spec["initContainers"][index], done, inits[index], ready=True)
    new = {**status, "initContainerStatuses": inits}
    if _is_initialized(new):
        creating = {"waiting": {"reason": "ContainerCreating"}}
        new["containerStatuses"] = [{**row, "state": creating} for row in status["containerStatuses"]]
        new["conditions"] = merge_conditions(status["conditions"], *_readiness_conditions(initialized=True))
    set_status(cluster, key, pod, new)


def _sync_service_pod(cluster: ClusterState, key: Key, pod: Manifest) -> None:
    """Running containers of a Deployment or StatefulSet become ready, or crash."""
    owner = owner_kind(pod)
    if has_condition(pod, "Ready"):
        cluster.reset_timers(key)
        if fault := _fault(cluster, pod, "crash"):
            _crash(cluster, key, pod, fault)
    elif fault := _fault(cluster, pod, "crash-loop", "crash"):
        if cluster.timer_elapsed(key, f"crash {_restart_count(pod)}", clock.CRASH_SECONDS, mode="retry"):
            _crash(cluster, key, pod, fault)
    elif not _fault(cluster, pod, "unready") and cluster.timer_elapsed(
        key, "ready", clock.READY_SECONDS.get(owner, 0.5)
    ):
        rows = [{**row, "ready": True} for row in pod["status"]["containerStatuses"]]
        true = merge_conditions(pod["status"]["conditions"], *_readiness_conditions(initialized=True, ready=True))
        set_status(cluster, key, pod, {**pod["status"], "containerStatuses": rows, "conditions": true})


def _crash(cluster: ClusterState, key: Key, pod: Manifest, fault: Fault) -> None:
    """End the containers with an error. As with a kubelet, the first restart is immediate, the others are not."""
    code, message, first = fault.exitCode, fault.message, not _restart_count(pod)
    reason = f"back-off 10s restarting failed container={pod['spec']['containers'][0]['name']} pod={key.name}"
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": reason}}
    rows = [
        _container_status(container, state, row, lastState=_terminated_state(row, code, message))
        for container, row in zip(pod["spec"]["containers"], pod["status"]["containerStatuses"], strict=True)
    ]
    false = merge_conditions(pod["status"]["conditions"], *_readiness_conditions(initialized=True))
    ended = {**pod, "status": {**pod["status"], "containerStatuses": rows, "conditions": false}}
    if first:
        _run_containers(cluster, key, ended)
    else:
        set_status(cluster, key, pod, ended["status"])
        record_warning(cluster, pod, "BackOff", reason, "kubelet")


def _restart_count(pod: Manifest) -> int:
    return max(int(row["restartCount"]) for row in pod["status"]["containerStatuses"])


def _terminated_state(row: Manifest, code: int, message: str = "") -> Manifest:
    """The state of a container that ends now."""
    reason, started_at = "Error" if code else "Completed", row["state"]["running"]["startedAt"]
    state = {"exitCode": code, "reason": reason, "startedAt": started_at, "finishedAt": timestamp()}
    return {"terminated": {**state, "containerID": container_id(row), **({"message": message} if message else {})}}


def _sync_job_pod(cluster: ClusterState, key: Key, pod: Manifest) -> None:
    """A Job's container waits for its dependencies, works, and writes its termination message."""
    program = find_program(cluster.programs, pod)
    if not _dependencies_ready(cluster, key.namespace, program):
        cluster.reset_timers(key)
        return
    if not cluster.timer_elapsed(key, f"run {_restart_count(pod)}", program.seconds):
        return
    fault = _fault(cluster, pod, "job", "crash-loop", "crash")
    if fault and pod["spec"]["restartPolicy"] == "OnFailure":
        _crash(cluster, key, pod, fault)
        return
    code = fault.exitCode if fault else 0
    message = fault.message if fault else program.termination_message
    rows = [
        _container_status(container, _terminated_state(row, code, message), row)
        for container, row in zip(pod["spec"]["containers"], pod["status"]["containerStatuses"], strict=True)
    ]
    done = merge_conditions(pod["status"]["conditions"], *_readiness_conditions(initialized=True, done=True))
    phase = "Failed" if code else "Succeeded"
    set_status(cluster, key, pod, {**pod["status"], "phase": phase, "containerStatuses": rows, "conditions": done})


def _dependencies_ready(cluster: ClusterState, namespace: str, program: Program) -> bool:
    """Whether the workloads that the program waits for are ready.

    One of the first kind must run: when all objects are applied at once, the Job may exist before its dependencies.
    """
    workloads = [
        [stored.manifest for _, stored in cluster.objects.in_namespace(BY_NAME[kind], namespace)]
        for kind in program.waits_for
    ]
    if workloads and not any(manifest["status"].get("readyReplicas") for manifest in workloads[0]):
        return False
    return not any(_missing_replicas(manifest) for manifests in workloads for manifest in manifests)


def _missing_replicas(manifest: Manifest) -> int:
    status = manifest["status"]
    seen = status.get("observedGeneration") == manifest["metadata"]["generation"]
    return int(manifest["spec"]["replicas"]) - int(status.get("readyReplicas", 0)) if seen else 1
