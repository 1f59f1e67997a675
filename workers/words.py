"""What Kubernetes, registries and programs say, in words for whoever owns a shop, with what to do about it. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Plain = Sequence[tuple[str, str]]
"""Pattern and what it means; the first that is found counts."""

_NOT_PULLED: Plain = (
    (r"couldn't parse|invalid reference", "that is no image's name."),
    (r"too ?many ?requests|\b429\b", "its registry allows no more for now."),
    (r"unauthori[sz]ed|denied|forbidden|authorization failed|\b40[13]\b", "its registry refuses it to the cluster."),
    (r"not ?found|manifest unknown|\b404\b", "its registry doesn't have it."),
    (r"no space left", "the node has no room for it."),
    (
        r"dial tcp|no such host|i/o timeout|connection re|unreachable|deadline exceeded|handshake|x509|\bEOF\b",
        "the cluster can't reach its registry.",
    ),
)  # fmt: skip
_EVICTED: Plain = (
    (r'EmptyDir volume "[^"]*" exceeds the limit "([^"]+)"', r"its scratch space has room for \1, and it wrote more."),
    (r"ephemeral.* storage .*?\b(\d+[KMG]i)\b", r"its scratch space has room for \1, and it wrote more."),
    (r"node was low on resource: ([a-z-]+)", r"its node ran short of \1."),
)  # fmt: skip
_NO_DISK: Plain = ((r'storageclass\S* "([^"]+)" not found', r"the cluster has no storage class \1."),)
_FULL = re.compile(
    r"no space left on device|disk is full\b|errcode: 28\b|errno:? 28\b|error(?: number)? 28\b|table '[^']*' is full",
    re.IGNORECASE,
)
_QUOTA = re.compile(r"exceeded quota: ([^,]+), requested: (.+), used: (.+), limited: (\S+)")
_FAREWELL = re.compile(r"(Aborting|Shutdown complete)\.?$")
"""How a database ends its log, after the line that says why."""


def no_node(part: str, message: str) -> str:
    """`message`: the scheduler's."""
    said = in_short(message.partition(" preemption:")[0].removesuffix(" no new claims to deallocate,"))
    return f"No node can take the {part} pod: {said} Add room to the cluster, or choose a smaller plan."


def no_disk(part: str, message: str) -> str:
    """`message`: the provisioner's, or empty if it said none."""
    said = _plain(_NO_DISK, message) or "the cluster doesn't provide it."
    return f"The {part} pod has no disk: {said} Have the operator see to the storage class, then retry."


def full_disk(part: str) -> str:
    return f"The disk of {part} is full. Choose a larger plan, or have the operator make room."


def not_pulled(part: str, image: str, message: str) -> str:
    """`message`: the container runtime's, as the kubelet passes it on."""
    said = _plain(_NOT_PULLED, re.sub(r'^Back-off pulling image "[^"]*"(: |$)', "", message)) or "nobody said why."
    return f"The image {image} of {part} can't be pulled: {said} Check that it exists and may be pulled, then retry."


def not_started(part: str, message: str) -> str:
    """`message`: the kubelet's."""
    return f"The {part} container can't be started: {in_short(message)} Retry; if it comes back, tell the operator."


def not_made(part: str, message: str) -> str:
    """`message`: what the API server answered to whoever makes the pods."""
    if quota := _QUOTA.search(message):
        return _beyond_quota(part, *quota.groups())
    return f"The {part} pod can't be made: {in_short(message)} Retry; if it comes back, tell the operator."


def _beyond_quota(part: str, name: str, *amounts: str) -> str:
    """`amounts`: what is wanted, used and allowed, each as `pods=1,limits.cpu=2`."""
    wanted, used, most = (dict(re.findall(r"([^,=]+)=([^,]*)", amount)) for amount in amounts)
    rows = [
        f"{used.get(key, '?')} of {most.get(key, '?')} {key} in use, {more} more wanted" for key, more in wanted.items()
    ]
    if len(rows) > 2:
        rows[2:] = [f"and {len(rows) - 2} more such limits"]
    what, cure = f"the quota {name} of its namespace", "Have the operator raise that"
    if name == "store":
        what, cure = "the store's quota", "Choose a larger plan"
    return f"The {part} pod doesn't fit into {what}: {in_short('; '.join(rows))} {cure}, then retry."


def evicted(part: str, message: str) -> str:
    """`message`: the kubelet's."""
    return f"The {part} pod had to end: {_plain(_EVICTED, message)} Another takes its place."


def crashes(part: str, ended: Mapping[str, Any]) -> str:
    """`ended`: a container's state `terminated`."""
    code, said = ended.get("exitCode", "?"), ended.get("message", "")
    if tells_of_full_disk(said):
        return full_disk(part)
    if ended.get("reason") == "OOMKilled":
        return f"The {part} container keeps running out of memory (exit code {code}). Choose a larger plan, then retry."
    last = last_words(said) or "It said nothing."
    return f"The {part} container keeps crashing (exit code {code}). {last} See its logs, then retry."


def tells_of_full_disk(message: str) -> bool:
    return _FULL.search(message) is not None


def last_words(message: str) -> str:
    """The last line that a program printed, which is where it says what went wrong; empty if it printed nothing."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    telling = [line for line in lines if not _FAREWELL.search(line)] or lines
    return in_short(telling[-1]) if telling else ""


def in_short(message: str) -> str:
    """One line of at most 200 characters that can be stored and shown, ending like a sentence.

    What a program leaves as its last words may hold anything, NUL included, which the database refuses.
    """
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in message).split())[:199]
    return line if not line or line.endswith(".") else line + "."


def _plain(meanings: Plain, message: str) -> str:
    for pattern, words in meanings:
        if found := re.search(pattern, message, re.IGNORECASE):
            return in_short(found.expand(words))
    return in_short(message)
