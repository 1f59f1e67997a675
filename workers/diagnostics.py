"""Finds what keeps a pod from running, and says it in plain words with a remedy. Pure."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from stores.engines import Manifest
from workers import problems
from workers.engines.labels import CRON
from workers.problems import ALL_REMEDIES, Problem, Remedies
from workers.snapshot import Snapshot, component, timestamp, unready_since
from workers.warning_events import last_create_failure, volume_problem, warning_problems

_IMAGE_REASONS = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
_CREATE_REASONS = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}


def find_problem(snapshot: Snapshot, *, exclude: Collection[str], remedies: Remedies = ALL_REMEDIES) -> str | None:
    """The first problem of a pod or workload outside the excluded components, with its remedies, or None.

    It may pass by itself.
    """
    return next((problem.text(remedies) for name, problem in _problems(snapshot) if name not in exclude), None)


def components_with_problems(snapshot: Snapshot) -> set[str]:
    """Values of the label app.kubernetes.io/component."""
    return {name for name, _ in _problems(snapshot)}


def find_full_uploads(snapshot: Snapshot, remedies: Remedies = ALL_REMEDIES) -> str | None:
    """The cause if the disk for uploads is full, or None. The last pod of the CronJob fails then, and says so.

    Read from its container: the pod's phase may follow later, and its change requeues no store.
    """
    pods = [pod for pod in snapshot.pods if component(pod) == CRON and _terminated(pod)]
    last = max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), default=None)
    ends = _terminated(last) if last is not None else []
    full = any(end["exitCode"] and problems.mentions_full_disk(end.get("message", "")) for end in ends)
    return problems.disk_full("uploads").text(remedies) if full else None


def _terminated(pod: Manifest) -> list[dict[str, Any]]:
    """How the pod's containers ended; empty while they run."""
    states = [row.get("state", {}) for row in pod.get("status", {}).get("containerStatuses", ())]
    return [state["terminated"] for state in states if "terminated" in state]


def has_config_error(snapshot: Snapshot) -> bool:
    """Whether a pod waits for one of our Secrets or ConfigMaps. Secrets aren't watched, so only the pod shows it."""
    return any(
        container.get("state", {}).get("waiting", {}).get("reason") == "CreateContainerConfigError"
        for pod in snapshot.pods
        for container in pod.get("status", {}).get("containerStatuses", ())
    )


def _problems(snapshot: Snapshot) -> Iterator[tuple[str, Problem]]:
    """(component, problem): first what the objects' statuses say, then the warning Events."""
    for pod in snapshot.active_pods:
        for problem in _pod_problems(snapshot, pod):
            yield component(pod), problem
    for item in snapshot.workloads.values():
        for condition in item.get("status", {}).get("conditions") or ():
            if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
                reason = last_create_failure(snapshot, item) or condition.get("message", "")
                yield component(item), problems.pod_not_created(component(item), reason)
    yield from warning_problems(snapshot)


def _pod_problems(snapshot: Snapshot, pod: Manifest) -> Iterator[Problem]:
    name, status = component(pod), pod.get("status", {})
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            reason = condition.get("message", "")
            no_volume = "PersistentVolumeClaim" in reason
            yield volume_problem(snapshot, pod) if no_volume else problems.unschedulable(name, reason)
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        yield from _container_problems(name, container, unready_since(pod))


def _container_problems(name: str, container: dict[str, Any], since: datetime | None) -> Iterator[Problem]:
    """`since`: when the pod stopped being ready; None if that is unknown."""
    state = container.get("state", {})
    waiting = state.get("waiting", {})
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    last = state.get("terminated") or container.get("lastState", {}).get("terminated") or {}
    if reason in _IMAGE_REASONS:
        yield problems.image_not_pulled(name, container.get("image", "?"), message)
    elif reason in _CREATE_REASONS:
        yield problems.container_not_started(name, message)
    elif reason == "CrashLoopBackOff":
        yield problems.container_crashes(name, last)
    elif last.get("exitCode") and not container.get("ready") and not _has_recovered(state, since):
        # between two crashes the container runs for a moment: it has not recovered until it is ready
        ended = timestamp(last.get("finishedAt"))
        again = container.get("restartCount", 0) > 1 and since is not None and ended is not None and ended > since
        yield problems.container_crashes(name, last) if again else problems.container_ended(name, last)


def _has_recovered(state: dict[str, Any], since: datetime | None) -> bool:
    """Whether the container was ready after its last end, and is unready for another reason now."""
    started = timestamp(state.get("running", {}).get("startedAt"))
    return started is not None and since is not None and started < since
