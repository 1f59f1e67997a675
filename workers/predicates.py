"""Which changes of a cluster object requeue its store, as controller-runtime's predicates filter watch events.

Most watch events say nothing new, and many are echoes of our own writes.
"""

import hashlib
import json
from typing import NamedTuple

from stores.engines import Manifest


class RelevantState(NamedTuple):
    """The parts of an object that we react to. Two equal values: nothing relevant changed in between."""

    spec: str
    """Changes when somebody (perhaps we) changed the object: possible drift."""
    status: str
    """Changes with what the cluster reports."""


NO_STATUS = ""
"""The status of a new object."""


def relevant_state(item: Manifest) -> RelevantState:
    return RelevantState(_spec(item), _STATUSES.get(item["kind"], lambda _item: NO_STATUS)(item))


def _spec(item: Manifest) -> str:
    if item["kind"] in ("Pod", "Job"):
        return ""  # created once and never changed; a deletion would increase the generation
    if (generation := item["metadata"].get("generation")) is not None:
        return str(generation)  # the API server counts changes of the spec
    content = {key: value for key, value in item.items() if key not in ("metadata", "status", "apiVersion", "kind")}
    if item["kind"] == "PersistentVolumeClaim":
        content = {"resources": item["spec"].get("resources")}  # binding fills in the other fields
    labels = item["metadata"].get("labels")
    annotations = item["metadata"].get("annotations") if item["kind"] == "Namespace" else None
    text = json.dumps([content, labels, annotations], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _pod(item: Manifest) -> str:
    """Without readiness: the workload's `readyReplicas` reports it."""
    status = item.get("status", {})
    unscheduled = [
        condition.get("reason")
        for condition in status.get("conditions") or ()
        if condition["type"] == "PodScheduled" and condition.get("reason")
    ]
    containers = []
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        state = container.get("state", {})
        reason = state.get("waiting", {}).get("reason")
        exit_code = state.get("terminated", {}).get("exitCode")
        if reason not in (None, "ContainerCreating", "PodInitializing") or exit_code is not None:
            containers.append([container["name"], reason, exit_code])
    return json.dumps([unscheduled, containers]) if unscheduled or containers else NO_STATUS


def _workload(item: Manifest) -> str:
    status = item.get("status", {})
    counts = [status.get(key, 0) for key in ("readyReplicas", "updatedReplicas", "replicas")]
    failure = [c["status"] for c in status.get("conditions") or () if c["type"] == "ReplicaFailure"]
    if not counts[0] and failure != ["True"]:
        return NO_STATUS  # pods exist but none is ready: not different from a new workload
    behind = status.get("observedGeneration", 0) < item["metadata"].get("generation", 0)
    return json.dumps([counts, failure, behind])


def _job(item: Manifest) -> str:
    conditions = item.get("status", {}).get("conditions") or ()
    ended = [row["type"] for row in conditions if row["status"] == "True" and row["type"] in ("Complete", "Failed")]
    return json.dumps(ended) if ended else NO_STATUS


def _namespace(item: Manifest) -> str:
    terminating = item["metadata"].get("deletionTimestamp")
    remaining = [c["message"] for c in item.get("status", {}).get("conditions") or () if c["status"] == "True"]
    return json.dumps([bool(terminating), remaining]) if terminating else NO_STATUS


def _claim(item: Manifest) -> str:
    return "terminating" if item["metadata"].get("deletionTimestamp") else NO_STATUS


_STATUSES = {
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "Deployment": _workload,
    "StatefulSet": _workload,
    "Job": _job,
    "Namespace": _namespace,
}


def lacks_ready_pods(item: Manifest) -> bool:
    """Whether a Deployment or StatefulSet has fewer ready pods than replicas."""
    if item["kind"] not in ("Deployment", "StatefulSet"):
        return False
    ready = item.get("status", {}).get("readyReplicas", 0)
    return bool(ready < item["spec"].get("replicas", 1))
