"""What Kubernetes, registries and programs report, as plain sentences for the shop's owner, with a remedy. Pure."""

import re
from collections.abc import Mapping, Sequence
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
_EXCEEDED_QUOTA = re.compile(r"exceeded quota: ([^,]+), requested: (.+), used: (.+), limited: (\S+)")
_SHUTDOWN_LINE = re.compile(r"(Aborting|Shutdown complete)\.?$")
"""How a database ends its log, after the line that says why."""


def unschedulable(component: str, message: str) -> str:
    """`message`: the scheduler's."""
    reason = shorten(message.partition(" preemption:")[0].removesuffix(" no new claims to deallocate,"))
    return f"No node can take the {component} pod: {reason} Add room to the cluster, or choose a smaller plan."


def volume_not_provisioned(component: str, message: str) -> str:
    """`message`: the provisioner's, empty if there was none."""
    reason = _translate(_NOT_PROVISIONED, message) or "the cluster doesn't provide it."
    return f"The {component} pod has no disk: {reason} Have the operator check the storage class, then retry."


def disk_full(component: str) -> str:
    return f"The disk of {component} is full. Choose a larger plan, or have the operator free space."


def image_not_pulled(component: str, image: str, message: str) -> str:
    """`message`: the container runtime's, as the kubelet reports it."""
    error = re.sub(r'^Back-off pulling image "[^"]*"(: |$)', "", message)
    reason = _translate(_IMAGE_NOT_PULLED, error) or "no reason was given."
    remedy = "Check that it exists and may be pulled, then retry."
    return f"The image {image} of {component} can't be pulled: {reason} {remedy}"


def container_not_started(component: str, message: str) -> str:
    """`message`: the kubelet's."""
    reason = shorten(message)
    return f"The {component} container can't be started: {reason} Retry; if it happens again, tell the operator."


def pod_not_created(component: str, message: str) -> str:
    """`message`: the API server's answer to the controller that creates the pods."""
    if quota := _EXCEEDED_QUOTA.search(message):
        return _quota_exceeded(component, *quota.groups())
    reason = shorten(message)
    return f"The {component} pod can't be created: {reason} Retry; if it happens again, tell the operator."


def _quota_exceeded(component: str, name: str, *amounts: str) -> str:
    """`amounts`: requested, used and limit, each as `pods=1,limits.cpu=2`."""
    requested, used, limit = (dict(re.findall(r"([^,=]+)=([^,]*)", amount)) for amount in amounts)
    resources = [
        f"{used.get(key, '?')} of {limit.get(key, '?')} {key} in use, {more} more wanted"
        for key, more in requested.items()
    ]
    if len(resources) > 2:
        resources[2:] = [f"and {len(resources) - 2} more such limits"]
    quota, remedy = f"the quota {name} of its namespace", "Have the operator raise that"
    if name == "store":
        quota, remedy = "the store's quota", "Choose a larger plan"
    return f"The {component} pod doesn't fit into {quota}: {shorten('; '.join(resources))} {remedy}, then retry."


def pod_evicted(component: str, message: str) -> str:
    """`message`: the kubelet's."""
    return f"The {component} pod was evicted: {_translate(_EVICTED, message)} A new pod replaces it."


def container_crashes(component: str, terminated: Mapping[str, Any]) -> str:
    """`terminated`: the container's state of that name."""
    code, output = terminated.get("exitCode", "?"), terminated.get("message", "")
    if mentions_full_disk(output):
        return disk_full(component)
    if terminated.get("reason") == "OOMKilled":
        remedy = "Choose a larger plan, then retry."
        return f"The {component} container keeps running out of memory (exit code {code}). {remedy}"
    last = last_log_line(output) or "It printed nothing."
    return f"The {component} container keeps crashing (exit code {code}). {last} See its logs, then retry."


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
