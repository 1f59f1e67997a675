"""What Kubernetes, registries and programs report, as plain sentences for the shop's owner, with a remedy. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Rules = Sequence[tuple[str, str]]
"""(pattern, sentence): the first pattern that is found gives the sentence."""

_IMAGE_NOT_PULLED: Rules = (
    (r"couldn't parse|invalid reference", "the image name is invalid."),
    (r"too ?many ?requests|\b429\b", "the registry's rate limit is exceeded."),
    (r"unauthori[sz]ed|denied|forbidden|authorization failed|\b40[13]\b", "the registry denied access."),
    (r"not ?found|manifest unknown|\b404\b", "the registry doesn't have it."),
    (r"no space left", "the node has no space left for it."),
    (
        r"dial tcp|no such host|i/o timeout|connection re|unreachable|deadline exceeded|handshake|x509|\bEOF\b",
        "the cluster can't reach the registry.",
    ),
)  # fmt: skip
_EVICTED: Rules = (
    (r'EmptyDir volume "[^"]*" exceeds the limit "([^"]+)"', r"its temporary files took more than \1."),
    (r"ephemeral.* storage .*?\b(\d+[KMG]i)\b", r"its temporary files took more than \1."),
    (r"node was low on resource: ([a-z-]+)", r"its node ran short of \1."),
)  # fmt: skip
_NOT_PROVISIONED: Rules = ((r'storageclass\S* "([^"]+)" not found', r"the cluster has no storage class \1."),)
_FULL_DISK = re.compile(
    r"no space left on device|disk is full\b|errcode: 28\b|errno:? 28\b|error(?: number)? 28\b|table '[^']*' is full",
    re.IGNORECASE,
)
_HEAP_FULL = re.compile(r"heap out of memory")
"""Node.js has a limit of its own, below that of the container."""
_ABORTED = 134
"""The exit code of SIGABRT. If it left no message, it was mostly Node.js that ended for want of memory."""
_EXCEEDED_QUOTA = re.compile(r"exceeded quota: ([^,]+), requested: (.+), used: (.+), limited: (\S+)")
_SHUTDOWN_LINE = re.compile(r"(Aborting|Shutdown complete)\.?$")
"""How a database ends its log, after the line that says why."""

TELL_OPERATOR = "tell the operator"


@dataclass(frozen=True)
class Remedies:
    """What the owner can do for this store now."""

    retry: bool = True
    """Another attempt is possible: not for a READY store."""
    larger_plan: bool = True
    """changePlan works, and there is a larger plan."""


ALL_REMEDIES = Remedies()


@dataclass(frozen=True)
class Problem:
    """What is wrong, and what helps."""

    cause: str
    """A sentence."""
    remedy: str = ""
    """What the owner can do apart from these remedies, such as `tell the operator`; "": nothing."""
    larger_plan: bool = False
    """A larger plan helps as well."""
    may_pass: bool = False
    """A retry alone may help."""

    def text(self, remedies: Remedies = ALL_REMEDIES) -> str:
        """The cause, and those remedies that work for the store."""
        remedy = self.remedy
        if remedies.larger_plan and self.larger_plan:
            remedy = f"choose a larger plan, or {remedy}{' and retry' if remedies.retry else ''}"
        elif remedies.retry and self.may_pass:
            remedy = f"retry; if it happens again, {remedy}"
        elif remedies.retry and remedy:
            remedy = f"{remedy}, then retry"
        return f"{self.cause} {remedy[0].upper()}{remedy[1:]}." if remedy else self.cause


def unschedulable(component: str, message: str) -> Problem:
    """`message`: the scheduler's."""
    reason = shorten(message.partition(" preemption:")[0].removesuffix(" no new claims to deallocate,"))
    return Problem(f"No node can take the {component} pod: {reason}", "have the operator add room to the cluster")


def volume_not_provisioned(component: str, message: str) -> Problem:
    """`message`: the provisioner's, empty if there was none."""
    reason = _translate(_NOT_PROVISIONED, message) or "the cluster doesn't provide it."
    return Problem(f"The {component} pod has no disk: {reason}", "have the operator check the storage class")


def disk_full(component: str) -> Problem:
    return Problem(f"The disk of {component} is full.", "have the operator free space", larger_plan=True)


def image_not_pulled(component: str, image: str, message: str) -> Problem:
    """`message`: the container runtime's, as the kubelet reports it."""
    error = re.sub(r'^Back-off pulling image "[^"]*"(: |$)', "", message)
    reason = _translate(_IMAGE_NOT_PULLED, error) or "no reason was given."
    return Problem(
        f"The image {image} of {component} can't be pulled: {reason}", "check that it exists and may be pulled"
    )


def container_not_started(component: str, message: str) -> Problem:
    """`message`: the kubelet's."""
    cause = f"The {component} container can't be started: {shorten(message)}"
    return Problem(cause, TELL_OPERATOR, may_pass=True)


def pod_not_created(component: str, message: str) -> Problem:
    """`message`: the API server's answer to the controller that creates the pods."""
    if quota := _EXCEEDED_QUOTA.search(message):
        return _quota_exceeded(component, *quota.groups())
    return Problem(f"The {component} pod can't be created: {shorten(message)}", TELL_OPERATOR, may_pass=True)


def _quota_exceeded(component: str, name: str, *amounts: str) -> Problem:
    """`amounts`: requested, used and limit, each as `pods=1,limits.cpu=2`."""
    requested, used, limit = (dict(re.findall(r"([^,=]+)=([^,]*)", amount)) for amount in amounts)
    resources = [
        f"{used.get(key, '?')} of {limit.get(key, '?')} {key} in use, {more} more wanted"
        for key, more in requested.items()
    ]
    if len(resources) > 2:
        resources[2:] = [f"and {len(resources) - 2} more such limits"]
    own = name == "store"
    quota = "the store's quota" if own else f"the quota {name} of its namespace"
    cause = f"The {component} pod doesn't fit into {quota}: {shorten('; '.join(resources))}"
    return Problem(cause, TELL_OPERATOR if own else "have the operator raise that", larger_plan=own)


def pod_evicted(component: str, message: str) -> Problem:
    """`message`: the kubelet's."""
    return Problem(f"The {component} pod was evicted: {_translate(_EVICTED, message)} A new pod replaces it.")


def container_ended(component: str, terminated: Mapping[str, Any]) -> Problem:
    """It ended once. `terminated`: the container's state of that name."""
    return _ended(component, terminated, "ended", "ran out of memory")


def container_crashes(component: str, terminated: Mapping[str, Any]) -> Problem:
    """It ended again and again. `terminated`: the container's state of that name."""
    return _ended(component, terminated, "keeps crashing", "keeps running out of memory")


def _ended(component: str, terminated: Mapping[str, Any], ended: str, out_of_memory: str) -> Problem:
    code, output = terminated.get("exitCode", "?"), terminated.get("message", "")
    if mentions_full_disk(output):
        return disk_full(component)
    # exit code 137 alone says nothing: every SIGKILL has it
    if terminated.get("reason") == "OOMKilled" or _HEAP_FULL.search(output) or (code == _ABORTED and not output):
        cause = f"The {component} container {out_of_memory} (exit code {code})."
        return Problem(cause, TELL_OPERATOR, larger_plan=True)
    cause = f"The {component} container {ended} (exit code {code}). {last_log_line(output)}".rstrip()
    return Problem(cause, "see its logs")


def mentions_full_disk(message: str) -> bool:
    return _FULL_DISK.search(message) is not None


def last_log_line(output: str) -> str:
    """The last line that a program printed, without closing lines such as "Shutdown complete"; "" if there is none."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    relevant = [line for line in lines if not _SHUTDOWN_LINE.search(line)] or lines
    return shorten(relevant[-1]) if relevant else ""


def shorten(message: str) -> str:
    """One printable line of at most 200 characters that ends like a sentence.

    A program's output may contain anything, even NUL, which PostgreSQL refuses in a text.
    """
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in message).split())[:199]
    return line if not line or line.endswith(".") else line + "."


def _translate(rules: Rules, message: str) -> str:
    for pattern, sentence in rules:
        if match := re.search(pattern, message, re.IGNORECASE):
            return shorten(match.expand(sentence))
    return shorten(message)
