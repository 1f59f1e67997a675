"""What scheduler and kubelet do: a pod is placed, pulled, started, becomes ready or ends, crashes, and is killed.

A pod's stage is what its status says, so a look at any moment, also after a restart, goes on from there.
"""

import json
from typing import Any

from sandbox.simulator import clock
from sandbox.simulator.defaults import CHOICE
from sandbox.simulator.events import say
from sandbox.simulator.faults import Fault, Name
from sandbox.simulator.kinds import DEPLOYMENT, STATEFULSET, Manifest
from sandbox.simulator.logs import new_id, run_of
from sandbox.simulator.objects import Key
from sandbox.simulator.references import missing, unbound
from sandbox.simulator.statuses import condition, conditions, has, stamp
from sandbox.simulator.world import World
from sandbox.simulator.writes import set_status, settle

NODE = "simulated"
PROOF_STEPS = ("product", "cart", "checkout", "order", "cleanup")


def sync(world: World, key: Key, pod: Manifest) -> None:
    """Take the pod one stage on, if it is time."""
    status = pod["status"]
    if "deletionTimestamp" in pod["metadata"]:
        _end(world, key, pod)
    elif status["phase"] in ("Succeeded", "Failed"):
        world.forget(key)
    elif not has(pod, "PodScheduled"):
        _schedule(world, key, pod)
    elif waiting := _waiting(status):
        _start(world, key, pod, waiting)
    elif not has(pod, "Initialized"):
        _initialise(world, key, pod)
    elif owner_kind(pod) == "Job":
        _work(world, key, pod)
    else:
        _serve(world, key, pod)


def owner_kind(pod: Manifest) -> str:
    """What the pod belongs to; a ReplicaSet's are its Deployment's."""
    owners = pod["metadata"].get("ownerReferences") or [{"kind": "Pod"}]
    return "Deployment" if owners[0]["kind"] == "ReplicaSet" else str(owners[0]["kind"])


def ready(pod: Manifest) -> bool:
    return has(pod, "Ready") and "deletionTimestamp" not in pod["metadata"]


def _fault(world: World, pod: Manifest, *names: Name) -> Fault | None:
    return world.fault(pod, ("Pod", owner_kind(pod)), *names)


def _end(world: World, key: Key, pod: Manifest) -> None:
    seconds = pod["metadata"]["deletionGracePeriodSeconds"]
    if world.wait(key, f"kill {seconds}", min(seconds, clock.KILL)):
        settle(world, key, {**pod, "metadata": {**pod["metadata"], "deletionGracePeriodSeconds": 0}})


def _schedule(world: World, key: Key, pod: Manifest) -> None:
    fault = _fault(world, pod, "unschedulable")
    why = (fault.message or "1 Insufficient cpu.") if fault else unbound(world.objects, pod)
    status = pod["status"]
    if why is not None:
        world.forget(key)
        reason = f"0/1 nodes are available: {why}"
        row = condition("PodScheduled", status=False, reason="Unschedulable", message=reason)
        changed = set_status(world, key, pod, {**status, "conditions": conditions(status.get("conditions"), row)})
        if changed is not pod:
            say(world, pod, "FailedScheduling", reason, "default-scheduler")
        return
    if not world.wait(key, "schedule", clock.SCHEDULE):
        return
    rows = [condition("PodScheduled", status=True), *_readiness(initialized=not pod["spec"].get("initContainers"))]
    spec = pod["spec"]
    placed = {**pod, "spec": {**spec, "nodeName": NODE}}
    reason = "PodInitializing" if spec.get("initContainers") else "ContainerCreating"
    new = {
        **status,
        "conditions": conditions(status.get("conditions"), *rows),
        "hostIP": "10.0.0.1",
        "startTime": stamp(),
        "containerStatuses": [_container(one, {"waiting": {"reason": reason}}) for one in spec["containers"]],
    }
    if spec.get("initContainers"):
        creating = {"waiting": {"reason": "ContainerCreating"}}
        new["initContainerStatuses"] = [_container(one, creating) for one in spec["initContainers"]]
    world.objects.write(key, {**placed, "status": new})


def _container(container: Manifest, state: Manifest, old: Manifest | None = None, **changes: Any) -> Manifest:
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


def _readiness(*, initialized: bool, ready: bool = False, done: bool = False) -> list[Manifest]:
    why = "PodCompleted" if done else "" if ready else "ContainersNotReady"
    return [
        condition("PodReadyToStartContainers", status=not done),
        condition("Initialized", status=initialized, reason="" if initialized else "ContainersNotInitialized"),
        condition("ContainersReady", status=ready, reason=why),
        condition("Ready", status=ready, reason=why),
    ]


def _waiting(status: Manifest) -> str | None:
    """Why the first container that waits does so; main containers wait for the init containers without a reason."""
    for row in status.get("initContainerStatuses") or ():
        if waiting := row["state"].get("waiting"):
            return str(waiting["reason"])
        if "running" in row["state"]:
            return None
    for row in status["containerStatuses"]:
        if waiting := row["state"].get("waiting"):
            return (
                None if waiting["reason"] == "PodInitializing" and not _initialised(status) else str(waiting["reason"])
            )
    return None


def _initialised(status: Manifest) -> bool:
    return all("terminated" in row["state"] for row in status.get("initContainerStatuses") or ())


def _start(world: World, key: Key, pod: Manifest, waiting: str) -> None:
    """Get containers to run that wait: for what they refer to, their image, or the end of a pause."""
    restarts = _restarts(pod)
    if waiting == "CrashLoopBackOff":
        first, longest = clock.BACK_OFF
        if world.wait(key, f"back-off {restarts}", min(longest, first * 2 ** (restarts - 1)), pace="retry"):
            _run(world, key, pod)
        return
    if needed := missing(world.objects, pod):
        reason, message = needed
        _wait_for(world, key, pod, "ContainerCreating" if reason == "FailedMount" else reason, message, reason)
    elif fault := _fault(world, pod, "image"):
        image = pod["spec"]["containers"][0]["image"]
        why = fault.message or f'failed to pull image "{image}": not found'
        if waiting == "ErrImagePull":
            if world.wait(key, "pull again", clock.BACK_OFF[0], pace="retry"):
                _wait_for(world, key, pod, "ImagePullBackOff", f'Back-off pulling image "{image}"', "BackOff")
        elif waiting != "ImagePullBackOff" and world.wait(key, "pull", clock.PULL):
            _wait_for(world, key, pod, "ErrImagePull", why, "Failed")
    elif world.wait(key, "pull", clock.PULL):
        _run(world, key, pod)


def _wait_for(world: World, key: Key, pod: Manifest, reason: str, message: str, event: str) -> None:
    """The containers that wait now wait for this."""
    world.forget(key)
    status = pod["status"]
    list_ = "containerStatuses" if _initialised(status) else "initContainerStatuses"
    rows = [
        {**row, "state": {"waiting": {"reason": reason, "message": message}}} if "waiting" in row["state"] else row
        for row in status[list_]
    ]
    if set_status(world, key, pod, {**status, list_: rows}) is not pod:
        say(world, pod, event, message, "kubelet")


def _run(world: World, key: Key, pod: Manifest) -> None:
    """Start what waits: the first init container that has not run, or all containers."""
    status, spec = pod["status"], pod["spec"]
    state = {"running": {"startedAt": stamp()}}
    if not _initialised(status):
        inits = list(status["initContainerStatuses"])
        index = next(i for i, row in enumerate(inits) if "waiting" in row["state"])
        first = spec["initContainers"][index]
        inits[index] = _container(first, state, inits[index], imageID="simulated", containerID=new_id())
        set_status(world, key, pod, {**status, "initContainerStatuses": inits})
        return
    rows = [
        _container(container, state, row, imageID="simulated", containerID=new_id())
        for container, row in zip(spec["containers"], status["containerStatuses"], strict=True)
    ]
    new = {**status, "phase": "Running", "containerStatuses": rows}
    new.setdefault("podIP", f"10.244.{CHOICE.randrange(256)}.{CHOICE.randrange(1, 255)}")
    set_status(world, key, pod, {**new, "conditions": conditions(status["conditions"], *_readiness(initialized=True))})


def _initialise(world: World, key: Key, pod: Manifest) -> None:
    """Let the init container that runs end; then the next, or the containers, can start."""
    status, spec = pod["status"], pod["spec"]
    inits = list(status.get("initContainerStatuses") or ())
    index = next((i for i, row in enumerate(inits) if "running" in row["state"]), None)
    if index is None or not world.wait(key, f"init {index}", clock.INIT):
        return
    done = _ended(inits[index], 0)
    inits[index] = _container(spec["initContainers"][index], done, inits[index], ready=True)
    new = {**status, "initContainerStatuses": inits}
    if _initialised(new):
        creating = {"waiting": {"reason": "ContainerCreating"}}
        new["containerStatuses"] = [{**row, "state": creating} for row in status["containerStatuses"]]
        new["conditions"] = conditions(status["conditions"], *_readiness(initialized=True))
    set_status(world, key, pod, new)


def _serve(world: World, key: Key, pod: Manifest) -> None:
    """A service's containers run: they become ready, or crash."""
    owner = owner_kind(pod)
    if has(pod, "Ready"):
        world.forget(key)
        if fault := _fault(world, pod, "crash"):
            _crash(world, key, pod, fault)
    elif fault := _fault(world, pod, "crash-loop", "crash"):
        if world.wait(key, f"crash {_restarts(pod)}", clock.CRASH, pace="retry"):
            _crash(world, key, pod, fault)
    elif not _fault(world, pod, "unready") and world.wait(key, "ready", clock.READY.get(owner, 0.5)):
        rows = [{**row, "ready": True} for row in pod["status"]["containerStatuses"]]
        true = conditions(pod["status"]["conditions"], *_readiness(initialized=True, ready=True))
        set_status(world, key, pod, {**pod["status"], "containerStatuses": rows, "conditions": true})


def _crash(world: World, key: Key, pod: Manifest, fault: Fault) -> None:
    """The containers end with an error and wait to be started again."""
    code, message = fault.exitCode, fault.message
    why = f"back-off 10s restarting failed container={pod['spec']['containers'][0]['name']} pod={key.name}"
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": why}}
    rows = [
        _container(container, state, row, lastState=_ended(row, code, message), restartCount=row["restartCount"] + 1)
        for container, row in zip(pod["spec"]["containers"], pod["status"]["containerStatuses"], strict=True)
    ]
    false = conditions(pod["status"]["conditions"], *_readiness(initialized=True))
    set_status(world, key, pod, {**pod["status"], "containerStatuses": rows, "conditions": false})
    say(world, pod, "BackOff", why, "kubelet")


def _restarts(pod: Manifest) -> int:
    return max(int(row["restartCount"]) for row in pod["status"]["containerStatuses"])


def _ended(row: Manifest, code: int, message: str = "") -> Manifest:
    """The state of a container that ran until now."""
    reason, began = "Error" if code else "Completed", row["state"]["running"]["startedAt"]
    state = {"exitCode": code, "reason": reason, "startedAt": began, "finishedAt": stamp()}
    return {"terminated": {**state, "containerID": run_of(row), **({"message": message} if message else {})}}


def _work(world: World, key: Key, pod: Manifest) -> None:
    """A Job's program: waits for what it needs, works, and leaves its termination message."""
    component = (pod["metadata"].get("labels") or {}).get("app.kubernetes.io/component", "")
    if not _can_work(world, key.namespace, component):
        world.forget(key)
        return
    if not world.wait(key, f"body {_restarts(pod)}", clock.BODY.get(component, clock.BODY_OTHERWISE)):
        return
    fault = _fault(world, pod, "job", "crash-loop", "crash")
    if fault and pod["spec"]["restartPolicy"] == "OnFailure":
        _crash(world, key, pod, fault)
        return
    code = fault.exitCode if fault else 0
    message = fault.message if fault else _receipt() if component == "proof" else ""
    rows = [
        _container(container, _ended(row, code, message), row)
        for container, row in zip(pod["spec"]["containers"], pod["status"]["containerStatuses"], strict=True)
    ]
    done = conditions(pod["status"]["conditions"], *_readiness(initialized=True, done=True))
    phase = "Failed" if code else "Succeeded"
    set_status(world, key, pod, {**pod["status"], "phase": phase, "containerStatuses": rows, "conditions": done})


def _can_work(world: World, namespace: str, component: str) -> bool:
    """As the real programs wait inside: an install and a rotation for the databases, a proof also for the web.

    That is: for all StatefulSets, and for all Deployments, of the namespace, of which at least one must run: when
    everything is applied at once, a Job may be there before what it waits for.
    """
    needed = {"install": STATEFULSET, "rotate": STATEFULSET, "proof": DEPLOYMENT}.get(component)
    if needed is None:
        return True
    counts = {
        kind: [_missing_replicas(stored.manifest) for _, stored in world.objects.within(kind, namespace)]
        for kind in {needed, STATEFULSET}
    }
    running = any(
        stored.manifest["status"].get("readyReplicas") for _, stored in world.objects.within(needed, namespace)
    )
    return running and not any(map(any, counts.values()))


def _missing_replicas(manifest: Manifest) -> int:
    status = manifest["status"]
    seen = status.get("observedGeneration") == manifest["metadata"]["generation"]
    return int(manifest["spec"]["replicas"]) - int(status.get("readyReplicas", 0)) if seen else 1


def _receipt() -> str:
    """What a proof leaves; it says that nothing was really bought."""
    steps = [{"name": name, "ms": CHOICE.randrange(20, 160)} for name in PROOF_STEPS]
    total = sum(int(str(step["ms"])) for step in steps)
    return json.dumps({"simulated": True, "totalMs": total, "orderId": CHOICE.randrange(1000, 10_000), "steps": steps})
