"""Objects as a cluster would show them, as small as the code under test lets them be."""

from typing import Any

from stores.engines import Manifest
from workers.engines.labels import COMPONENT
from workers.view import ATTEMPT, View


def pod(part: str, *, job: str | None = None, age: int = 0, **status: Any) -> Manifest:
    """`status` as in Kubernetes. With `job`, one of that Job's; the higher the age the older."""
    labels = {COMPONENT: part} | ({"batch.kubernetes.io/job-name": job} if job else {})
    made = f"2026-11-23T18:{59 - age:02}:00Z"
    return {
        "kind": "Pod",
        "metadata": {"name": f"{part}-{age}", "uid": f"{part}-{age}", "labels": labels, "creationTimestamp": made},
        "spec": {},
        "status": {"phase": "Pending"} | status,
    }


def leaving(item: Manifest) -> Manifest:
    """The same, being deleted."""
    return {**item, "metadata": {**item["metadata"], "deletionTimestamp": "2026-11-23T18:30:00Z"}}


def waiting(reason: str, message: str = "", *, ended: dict[str, Any] | None = None) -> dict[str, Any]:
    """A container's status; `ended`: how it ended the time before."""
    last = {"terminated": ended} if ended is not None else {}
    state = {"waiting": {"reason": reason, "message": message}}
    return {"name": "main", "image": "shop:1", "state": state, "lastState": last}


def terminated(code: int, message: str | None = None) -> dict[str, Any]:
    ended = {"exitCode": code} | ({} if message is None else {"message": message})
    return {"name": "main", "state": {"terminated": ended}}


def workload(kind: str, name: str, *, ready: int = 1, replicas: int = 1, **status: Any) -> Manifest:
    """A Deployment or StatefulSet; `ready` of its pods are."""
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
    """Conditions of a workload whose pods the API server doesn't let it make."""
    return [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}]


def job(name: str, part: str, *, attempt: int | None = 1, ended: str | None = None, message: str = "") -> Manifest:
    """`ended`: Complete or Failed."""
    conditions = [{"type": ended, "status": "True", "message": message}] if ended else []
    return {
        "kind": "Job",
        "metadata": {
            "name": name,
            "uid": name,
            "labels": {COMPONENT: part} | ({} if attempt is None else {ATTEMPT: str(attempt)}),
        },
        "spec": {},
        "status": {"conditions": conditions},
    }


def warning(reason: str, message: str, about: Manifest | str, *, kind: str = "Pod") -> Manifest:
    """An Event about an object, or, given a name, about one of that kind that isn't there any more."""
    involved = {"kind": kind, "name": about, "uid": f"once {about}"}
    if not isinstance(about, str):
        involved = {"kind": about["kind"], "name": about["metadata"]["name"], "uid": about["metadata"]["uid"]}
    return {"kind": "Event", "reason": reason, "message": message, "involvedObject": involved}


def view(*items: Manifest) -> View:
    """What a look at the namespace finds; warnings in the order in which they came."""
    return View(
        workloads={
            (item["kind"], item["metadata"]["name"]): item
            for item in items
            if item["kind"] in ("Deployment", "StatefulSet")
        },
        jobs={item["metadata"]["name"]: item for item in items if item["kind"] == "Job"},
        pods=[item for item in items if item["kind"] == "Pod"],
        warnings=[item for item in items if item["kind"] == "Event"],
    )
