"""What of a cluster object matters to us, so that a change that says nothing new (often our own) wakes nobody."""

import hashlib
import json
from typing import NamedTuple

from stores.engines import Manifest


class Fingerprint(NamedTuple):
    """`wanted`: what was asked for; a change was drift or ours. `state`: what the cluster says of it."""

    wanted: str
    state: str


BLANK = ""
"""The state of an object that was just made."""


def fingerprint(item: Manifest) -> Fingerprint:
    """The same for the same object unless something that we would act on changed."""
    return Fingerprint(_wanted(item), _STATES.get(item["kind"], lambda _item: BLANK)(item))


def _wanted(item: Manifest) -> str:
    if item["kind"] in ("Pod", "Job"):
        return ""  # they are made once and never changed; but being deleted counts as a change of the spec
    if (generation := item["metadata"].get("generation")) is not None:
        return str(generation)  # the API server counts changes of the spec
    own = {key: value for key, value in item.items() if key not in ("metadata", "status", "apiVersion", "kind")}
    if item["kind"] == "PersistentVolumeClaim":
        own = {"resources": item["spec"].get("resources")}  # binding fills in the rest
    labels = item["metadata"].get("labels")
    annotations = item["metadata"].get("annotations") if item["kind"] == "Namespace" else None
    text = json.dumps([own, labels, annotations], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _pod(item: Manifest) -> str:
    """That it is ready isn't noted: its workload's count says so."""
    status = item.get("status", {})
    stuck = [c.get("reason") for c in status.get("conditions") or () if c["type"] == "PodScheduled" and c.get("reason")]
    containers = []
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        state = container.get("state", {})
        reason = state.get("waiting", {}).get("reason")
        ended = state.get("terminated", {}).get("exitCode")
        if reason not in (None, "ContainerCreating", "PodInitializing") or ended is not None:
            containers.append([container["name"], reason, ended])
    return json.dumps([stuck, containers]) if stuck or containers else BLANK


def _workload(item: Manifest) -> str:
    status = item.get("status", {})
    counts = [status.get(key, 0) for key in ("readyReplicas", "updatedReplicas", "replicas")]
    failure = [c["status"] for c in status.get("conditions") or () if c["type"] == "ReplicaFailure"]
    if not counts[0] and failure != ["True"]:
        return BLANK  # pods exist but none is ready: as good as new
    behind = status.get("observedGeneration", 0) < item["metadata"].get("generation", 0)
    return json.dumps([counts, failure, behind])


def _job(item: Manifest) -> str:
    rows = item.get("status", {}).get("conditions") or ()
    done = [row["type"] for row in rows if row["status"] == "True" and row["type"] in ("Complete", "Failed")]
    return json.dumps(done) if done else BLANK


def _namespace(item: Manifest) -> str:
    ends = item["metadata"].get("deletionTimestamp")
    stuck = [c["message"] for c in item.get("status", {}).get("conditions") or () if c["status"] == "True"]
    return json.dumps([bool(ends), stuck]) if ends else BLANK


def _claim(item: Manifest) -> str:
    return "ends" if item["metadata"].get("deletionTimestamp") else BLANK


_STATES = {
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "Deployment": _workload,
    "StatefulSet": _workload,
    "Job": _job,
    "Namespace": _namespace,
}


def unwell(item: Manifest) -> bool:
    """Whether a workload lacks ready pods."""
    if item["kind"] not in ("Deployment", "StatefulSet"):
        return False
    ready = item.get("status", {}).get("readyReplicas", 0)
    return bool(ready < item["spec"].get("replicas", 1))
