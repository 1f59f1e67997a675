"""Live Kubernetes objects, with only the fields that the code under test reads."""

from typing import Any

from runtime.settings import Settings
from stores.engines import Manifest
from workers.engines.labels import COMPONENT
from workers.snapshot import ATTEMPT_LABEL, Snapshot

POLICY_NAME: str = Settings.model_fields["admission_policy"].default
NOW = "2026-11-23T18:59:00Z"


def pod(component: str, *, job: str | None = None, age: int = 0, **status: Any) -> Manifest:
    """`status` as in Kubernetes. `job`: the name of the Job that owns the pod. `age`: in minutes."""
    labels = {COMPONENT: component} | ({"batch.kubernetes.io/job-name": job} if job else {})
    name, created = f"{component}-{age}", f"2026-11-23T18:{59 - age:02}:00Z"
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "uid": name,
            "labels": labels,
            "creationTimestamp": created,
        },
        "spec": {},
        "status": {"phase": "Pending"} | status,
    }


def terminating(item: Manifest) -> Manifest:
    """The same object while it is being deleted."""
    return {**item, "metadata": {**item["metadata"], "deletionTimestamp": "2026-11-23T18:30:00Z"}}


def waiting(reason: str, message: str = "", *, ended: dict[str, Any] | None = None) -> dict[str, Any]:
    """A container's status. `ended`: the state `terminated` of its last run."""
    last = {"terminated": ended} if ended is not None else {}
    state = {"waiting": {"reason": reason, "message": message}}
    return {"name": "main", "image": "shop:1", "state": state, "lastState": last}


def unready(since: str) -> dict[str, str]:
    """The condition of a pod that has not been ready since then."""
    return {"type": "Ready", "status": "False", "lastTransitionTime": since}


def terminated(code: int, message: str | None = None) -> dict[str, Any]:
    ended = {"exitCode": code} | ({} if message is None else {"message": message})
    return {"name": "main", "state": {"terminated": ended}}


def workload(kind: str, name: str, *, ready: int = 1, replicas: int = 1, **status: Any) -> Manifest:
    """A Deployment or StatefulSet with `ready` ready pods."""
    return {
        "kind": kind,
        "metadata": {"name": name, "uid": name, "generation": 1, "labels": {COMPONENT: name}},
        "spec": {"replicas": replicas},
        "status": {
            "observedGeneration": 1,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "readyReplicas": ready,
        }
        | status,
    }


def refused_pods(message: str) -> list[dict[str, str]]:
    """The conditions of a workload whose pods the API server rejects."""
    return [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}]


def job(name: str, component: str, *, attempt: int | None = 1, ended: str | None = None, message: str = "") -> Manifest:
    """`ended`: Complete or Failed."""
    conditions = [{"type": ended, "status": "True", "message": message}] if ended else []
    return {
        "kind": "Job",
        "metadata": {
            "name": name,
            "uid": name,
            "labels": {COMPONENT: component} | ({} if attempt is None else {ATTEMPT_LABEL: str(attempt)}),
        },
        "spec": {},
        "status": {"conditions": conditions},
    }


def warning(reason: str, message: str, about: Manifest | str, *, kind: str = "Pod", seen: str = NOW) -> Manifest:
    """An Event of type Warning about an object; if `about` is a name: about a deleted object of that kind."""
    involved = {"kind": kind, "name": about, "uid": f"deleted-{about}"}
    if not isinstance(about, str):
        involved = {"kind": about["kind"], "name": about["metadata"]["name"], "uid": about["metadata"]["uid"]}
    row = {"kind": "Event", "metadata": {}, "reason": reason, "message": message, "involvedObject": involved}
    return row | {"lastTimestamp": seen}


def snapshot(*items: Manifest) -> Snapshot:
    """The snapshot of a namespace with these objects; warning Events oldest first."""
    return Snapshot(
        workloads={
            (item["kind"], item["metadata"]["name"]): item
            for item in items
            if item["kind"] in ("Deployment", "StatefulSet")
        },
        jobs={item["metadata"]["name"]: item for item in items if item["kind"] == "Job"},
        pods=[item for item in items if item["kind"] == "Pod"],
        warnings=[item for item in items if item["kind"] == "Event"],
    )
