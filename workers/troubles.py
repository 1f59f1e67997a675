"""What keeps a pod from running, in plain words with what to do about it."""

from collections.abc import Collection, Iterator
from typing import Any

from stores.engines import Manifest
from workers import words
from workers.view import View, component
from workers.warnings import last_refusal, said_of_disk, warned

_IMAGE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
_CONFIG = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}


def find_trouble(view: View, *, but_of: Collection[str]) -> str | None:
    """The first trouble of any pod or workload, leaving out some components, or None. It may pass by itself."""
    return next((told for part, told in _troubles(view) if part not in but_of), None)


def troubled(view: View) -> set[str]:
    """The components that have any."""
    return {part for part, _ in _troubles(view)}


def lacks_configuration(view: View) -> bool:
    """Whether a pod waits for a Secret or ConfigMap of ours; Secrets aren't watched, so this is how it shows."""
    return any(
        container.get("state", {}).get("waiting", {}).get("reason") == "CreateContainerConfigError"
        for pod in view.pods
        for container in pod.get("status", {}).get("containerStatuses", ())
    )


def _troubles(view: View) -> Iterator[tuple[str, str]]:
    """Each component's with what is told. What the status of an object says goes before the cluster's warnings."""
    for pod in view.living:
        for told in _of_pod(view, pod):
            yield component(pod), told
    for item in view.workloads.values():
        for condition in item.get("status", {}).get("conditions") or ():
            if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
                message = last_refusal(view, item) or condition.get("message", "")
                yield component(item), words.not_made(component(item), message)
    yield from warned(view)


def _of_pod(view: View, pod: Manifest) -> Iterator[str]:
    part, status = component(pod), pod.get("status", {})
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            message = condition.get("message", "")
            yield words.no_node(part, message) if "PersistentVolumeClaim" not in message else said_of_disk(view, pod)
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        yield from _of_container(part, container)


def _of_container(part: str, container: dict[str, Any]) -> Iterator[str]:
    waiting = container.get("state", {}).get("waiting", {})
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    ended = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated") or {}
    if reason in _IMAGE:
        yield words.not_pulled(part, container.get("image", "?"), message)
    elif reason in _CONFIG:
        yield words.not_started(part, message)
    elif reason == "CrashLoopBackOff" or (ended.get("exitCode") and not container.get("ready")):
        # between two crashes it runs for a moment: that is no recovery until it is ready
        yield words.crashes(part, ended)
