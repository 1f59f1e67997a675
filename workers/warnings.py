"""What only the cluster's own warnings (Events) tell: why a StatefulSet has no pod, why a pod had to go or can't start.

They are kept for an hour, so each counts only while the object that it is about still is as it says.
"""

from collections.abc import Iterator
from typing import Any

from stores.engines import Manifest
from workers import words
from workers.view import View, component, replicas

_STARTING = {"ContainerCreating", "PodInitializing"}
_OTHERS = {"FailedScheduling", "Unhealthy", "BackOff", "Failed"}
"""Reasons that pass on every start, or that the pod's own status tells better."""


def warned(view: View) -> Iterator[tuple[str, str]]:
    """Each component's with what is told, of those that aren't ready and whose own status doesn't say why."""
    for item in view.workloads.values():
        if item.get("status", {}).get("readyReplicas", 0) < replicas(item):
            for told in _of_workload(view, item):
                yield component(item), told
    for job in view.jobs.values():
        if not any(job.get("status", {}).get(count) for count in ("active", "succeeded", "failed")):
            for told in _of_maker(view, job):
                yield component(job), told
    for pod in view.living:
        for told in _of_start(view, pod):
            yield component(pod), told


def last_refusal(view: View, deployment: Manifest) -> str:
    """Why its last pod wasn't made, or nothing. Its condition keeps telling of the first."""
    name = f"{deployment['metadata']['name']}-"
    refused = [row for row in view.warnings if row["reason"] == "FailedCreate"]
    return next((row["message"] for row in reversed(refused) if _about(row, "ReplicaSet").startswith(name)), "")


def said_of_disk(view: View, pod: Manifest) -> str:
    """Why a pod that no node takes has no disk."""
    volumes = pod.get("spec", {}).get("volumes") or ()
    claims = {volume.get("persistentVolumeClaim", {}).get("claimName") for volume in volumes}
    said = [row["message"] for row in view.warnings if _about(row, "PersistentVolumeClaim") in claims]
    return words.no_disk(component(pod), said[-1] if said else "")


def _of_workload(view: View, item: Manifest) -> Iterator[str]:
    own = [pod for pod in view.living if component(pod) == component(item)]
    if not item.get("status", {}).get("replicas"):
        yield from _of_maker(view, item)
    if not any(container.get("started") for pod in own for container in _containers(pod)):
        here = {pod["metadata"].get("uid") for pod in own}
        name = f"{item['metadata']['name']}-"
        evicted = [row for row in view.warnings if row["reason"] == "Evicted" and _about(row, "Pod").startswith(name)]
        if evicted and evicted[-1]["involvedObject"].get("uid") not in here:
            yield words.evicted(component(item), evicted[-1]["message"])
    for pod in own:
        unhealthy = [row["message"] for row in view.warnings_about(pod) if row["reason"] == "Unhealthy"]
        if unhealthy and words.tells_of_full_disk(unhealthy[-1]):
            yield words.full_disk(component(item))


def _of_maker(view: View, item: Manifest) -> Iterator[str]:
    """Of what should have made a pod and couldn't; a Deployment says so itself."""
    said = [row["message"] for row in view.warnings_about(item) if row["reason"] == "FailedCreate"]
    if said:
        yield words.not_made(component(item), said[-1])


def _of_start(view: View, pod: Manifest) -> Iterator[str]:
    states = [container.get("state", {}).get("waiting", {}).get("reason") for container in _containers(pod)]
    if states and all(reason in _STARTING for reason in states):
        said = [row["message"] for row in view.warnings_about(pod) if row["reason"] not in _OTHERS]
        if said:
            yield words.not_started(component(pod), said[-1])


def _containers(pod: Manifest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pod.get("status", {}).get("containerStatuses") or []
    return found


def _about(warning: Manifest, kind: str) -> str:
    """The name of what it is about, if that is of the kind."""
    about = warning["involvedObject"]
    return str(about.get("name", "")) if about.get("kind") == kind else ""
