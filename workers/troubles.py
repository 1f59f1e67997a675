"""What keeps a pod from running, in plain words with what to do about it."""

from collections.abc import Collection, Iterator
from typing import Any

from stores.engines import Manifest
from workers.view import View, component

_IMAGE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
_CONFIG = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}


def find_trouble(view: View, *, but_of: Collection[str]) -> str | None:
    """The first trouble of any pod or workload, leaving out some components, or None. It may pass by itself."""
    return next(_troubles(view, but_of), None)


def lacks_configuration(view: View) -> bool:
    """Whether a pod waits for a Secret or ConfigMap of ours; Secrets aren't watched, so this is how it shows."""
    return any(
        container.get("state", {}).get("waiting", {}).get("reason") == "CreateContainerConfigError"
        for pod in view.pods
        for container in pod.get("status", {}).get("containerStatuses", ())
    )


def _troubles(view: View, but_of: Collection[str]) -> Iterator[str]:
    for pod in view.pods:
        if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed") and component(pod) not in but_of:
            yield from _of_pod(pod)
    for item in view.workloads.values():
        for condition in item.get("status", {}).get("conditions") or ():
            if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
                yield _not_made(component(item), condition.get("message", ""))


def _of_pod(pod: Manifest) -> Iterator[str]:
    part, status = component(pod), pod.get("status", {})
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            said = in_short(condition.get("message", ""))
            yield f"No node can take the {part} pod: {said} Add room to the cluster, or choose a smaller plan."
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        yield from _of_container(part, container)


def _of_container(part: str, container: dict[str, Any]) -> Iterator[str]:
    waiting = container.get("state", {}).get("waiting", {})
    reason, said = waiting.get("reason", ""), in_short(waiting.get("message", ""))
    ended = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated") or {}
    if reason in _IMAGE:
        image = container.get("image", "?")
        yield f"The image {image} of {part} can't be pulled: {said} Check that it exists and may be pulled, then retry."
    elif reason in _CONFIG:
        yield f"The {part} container can't be started: {said} Retry; if it comes back, tell the operator."
    elif reason == "CrashLoopBackOff" or (ended.get("exitCode") and not container.get("ready")):
        # between two crashes it runs for a moment: that is no recovery until it is ready
        code = ended.get("exitCode", "?")
        last = last_words(ended.get("message", "")) or in_short(ended.get("reason") or "Nothing said")
        yield f"The {part} container keeps crashing (exit code {code}). {last} See its logs, then retry."


def _not_made(part: str, message: str) -> str:
    if "exceeded quota" in message:
        return (
            f"The {part} pod doesn't fit into the store's quota: {in_short(message)} Choose a larger plan, then retry."
        )
    return f"The {part} pod can't be made: {in_short(message)} Retry; if it comes back, tell the operator."


def last_words(message: str) -> str:
    """The last line that a program printed, which is where it says what went wrong; empty if it printed nothing."""
    lines = [line for line in message.splitlines() if line.strip()]
    return in_short(lines[-1]) if lines else ""


def in_short(message: str) -> str:
    """One line of at most 200 characters that can be stored and shown, ending like a sentence.

    What a program leaves as its last words may hold anything, NUL included, which the database refuses.
    """
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in message).split())[:199]
    return line if not line or line.endswith(".") else line + "."
