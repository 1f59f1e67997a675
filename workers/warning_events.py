"""Problems that only Kubernetes Events of type Warning report: why a StatefulSet has no pod, why a pod was evicted.

The API server keeps an Event for an hour. So an Event counts only while its object's status still fits it.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from stores.engines import Manifest
from workers import problems
from workers.problems import Problem
from workers.snapshot import Snapshot, component, desired_replicas, last_seen, timestamp, unready_since

_STARTING_REASONS = {"ContainerCreating", "PodInitializing"}
_IGNORED_REASONS = {"FailedScheduling", "Unhealthy", "BackOff", "Failed"}
"""They occur at every start, or the pod's status says more."""
RECENT = timedelta(minutes=1)
"""An Event belongs to a change of an object's status at most this much later."""


def warning_problems(snapshot: Snapshot) -> Iterator[tuple[str, Problem]]:
    """(component, problem) for objects that aren't ready and whose status doesn't say why."""
    for item in snapshot.workloads.values():
        if item.get("status", {}).get("readyReplicas", 0) < desired_replicas(item):
            for problem in _workload_problems(snapshot, item):
                yield component(item), problem
    for job in snapshot.jobs.values():
        if not any(job.get("status", {}).get(count) for count in ("active", "succeeded", "failed")):
            for problem in _create_failures(snapshot, job):
                yield component(job), problem
    for pod in snapshot.active_pods:
        for problem in _start_failures(snapshot, pod):
            yield component(pod), problem


def last_create_failure(snapshot: Snapshot, deployment: Manifest) -> str:
    """Why the last pod of a Deployment was not created, or "". The Deployment's condition keeps the first reason."""
    prefix = f"{deployment['metadata']['name']}-"
    failures = [event for event in snapshot.warnings if event["reason"] == "FailedCreate"]
    return next((row["message"] for row in reversed(failures) if _subject(row, "ReplicaSet").startswith(prefix)), "")


def volume_problem(snapshot: Snapshot, pod: Manifest) -> Problem:
    """Why an unschedulable pod has no volume."""
    volumes = pod.get("spec", {}).get("volumes") or ()
    claims = {volume.get("persistentVolumeClaim", {}).get("claimName") for volume in volumes}
    reasons = [event["message"] for event in snapshot.warnings if _subject(event, "PersistentVolumeClaim") in claims]
    return problems.volume_not_provisioned(component(pod), reasons[-1] if reasons else "")


def _workload_problems(snapshot: Snapshot, item: Manifest) -> Iterator[Problem]:
    pods = [pod for pod in snapshot.active_pods if component(pod) == component(item)]
    if not item.get("status", {}).get("replicas"):
        yield from _create_failures(snapshot, item)
    if not any(container.get("started") for pod in pods for container in _container_statuses(pod)):
        uids = {pod["metadata"].get("uid") for pod in pods}
        prefix = f"{item['metadata']['name']}-"
        evictions = [
            event
            for event in snapshot.warnings
            if event["reason"] == "Evicted" and _subject(event, "Pod").startswith(prefix)
        ]
        if evictions and evictions[-1]["involvedObject"].get("uid") not in uids and _replaces(pods, evictions[-1]):
            yield problems.pod_evicted(component(item), evictions[-1]["message"])
    for pod in pods:
        unhealthy = [event for event in snapshot.warnings_for(pod) if event["reason"] == "Unhealthy"]
        if unhealthy and problems.mentions_full_disk(unhealthy[-1]["message"]):
            since, seen = unready_since(pod), timestamp(last_seen(unhealthy[-1]))
            if since is None or seen is None or seen > since - RECENT:
                yield problems.disk_full(component(item))


def _replaces(pods: Sequence[Manifest], eviction: Manifest) -> bool:
    """Whether the pods were created because of the eviction, not later for another reason."""
    created = [timestamp(pod["metadata"].get("creationTimestamp")) for pod in pods]
    evicted = timestamp(last_seen(eviction))
    return evicted is None or not any(time is not None and time > evicted + RECENT for time in created)


def _create_failures(snapshot: Snapshot, item: Manifest) -> Iterator[Problem]:
    """For a StatefulSet or Job that could not create a pod. A Deployment says so in its status."""
    reasons = [event["message"] for event in snapshot.warnings_for(item) if event["reason"] == "FailedCreate"]
    if reasons:
        yield problems.pod_not_created(component(item), reasons[-1])


def _start_failures(snapshot: Snapshot, pod: Manifest) -> Iterator[Problem]:
    waiting = [row.get("state", {}).get("waiting", {}).get("reason") for row in _container_statuses(pod)]
    if waiting and all(reason in _STARTING_REASONS for reason in waiting):
        events = snapshot.warnings_for(pod)
        reasons = [event["message"] for event in events if event["reason"] not in _IGNORED_REASONS]
        if reasons:
            yield problems.container_not_started(component(pod), reasons[-1])


def _container_statuses(pod: Manifest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pod.get("status", {}).get("containerStatuses") or []
    return found


def _subject(event: Manifest, kind: str) -> str:
    """The name of the object that the Event is about, if it is of this kind, else ""."""
    subject = event["involvedObject"]
    return str(subject.get("name", "")) if subject.get("kind") == kind else ""
