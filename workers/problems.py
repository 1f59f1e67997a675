"""What Kubernetes, registries and programs report, as plain sentences for the shop's owner, with a remedy. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stores.texts import text

Rules = Sequence[tuple[str, str]]
"""(pattern, code of a reason): the first pattern that is found gives the reason, and its groups the values."""

_IMAGE_NOT_PULLED: Rules = (
    (r"couldn't parse|invalid reference", "reason.image_name"),
    (r"too ?many ?requests|\b429\b", "reason.image_rate_limit"),
    (r"unauthori[sz]ed|denied|forbidden|authorization failed|\b40[13]\b", "reason.image_denied"),
    (r"not ?found|manifest unknown|\b404\b", "reason.image_not_found"),
    (r"no space left", "reason.image_no_space"),
    (
        r"dial tcp|no such host|i/o timeout|connection re|unreachable|deadline exceeded|handshake|x509|\bEOF\b",
        "reason.image_unreachable",
    ),
)  # fmt: skip
_EVICTED: Rules = (
    (r'EmptyDir volume "[^"]*" exceeds the limit "(?P<limit>[^"]+)"', "reason.temporary_files"),
    (r"ephemeral.* storage .*?\b(?P<limit>\d+[KMG]i)\b", "reason.temporary_files"),
    (r"node was low on resource: (?P<resource>[a-z-]+)", "reason.node_short"),
)  # fmt: skip
_NOT_PROVISIONED: Rules = ((r'storageclass\S* "(?P<name>[^"]+)" not found', "reason.no_storage_class"),)
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
    """What the owner can do apart from these remedies: a text of this group; "": nothing."""
    larger_plan: bool = False
    """A larger plan helps as well."""
    may_pass: bool = False
    """A retry alone may help."""

    def text(self, remedies: Remedies = ALL_REMEDIES) -> str:
        """The cause, and those remedies that work for the store."""
        if not self.remedy:
            return self.cause
        if remedies.larger_plan and self.larger_plan:
            code = "advice.larger_plan_then_retry" if remedies.retry else "advice.larger_plan"
        elif remedies.retry:
            code = "advice.retry_first" if self.may_pass else "advice.then_retry"
        else:
            code = "advice.only"
        advice = text(code, remedy=self.remedy)
        return f"{self.cause} {advice[0].upper()}{advice[1:]}"


def unschedulable(component: str, message: str) -> Problem:
    """`message`: the scheduler's."""
    reason = shorten(message.partition(" preemption:")[0].removesuffix(" no new claims to deallocate,"))
    return Problem(text("cause.unschedulable", component=component, reason=reason), text("remedy.add_room"))


def volume_not_provisioned(component: str, message: str) -> Problem:
    """`message`: the provisioner's, empty if there was none."""
    reason = _find_reason(_NOT_PROVISIONED, message) or text("reason.no_disk")
    return Problem(text("cause.no_disk", component=component, reason=reason), text("remedy.check_storage_class"))


def disk_full(component: str) -> Problem:
    return Problem(text("cause.disk_full", component=component), text("remedy.free_space"), larger_plan=True)


def image_not_pulled(component: str, image: str, message: str) -> Problem:
    """`message`: the container runtime's, as the kubelet reports it."""
    error = re.sub(r'^Back-off pulling image "[^"]*"(: |$)', "", message)
    reason = _find_reason(_IMAGE_NOT_PULLED, error) or text("reason.none_given")
    cause = text("cause.image_not_pulled", image=image, component=component, reason=reason)
    return Problem(cause, text("remedy.check_image"))


def container_not_started(component: str, message: str) -> Problem:
    """`message`: the kubelet's."""
    cause = text("cause.container_not_started", component=component, reason=shorten(message))
    return Problem(cause, text("remedy.tell_operator"), may_pass=True)


def pod_not_created(component: str, message: str) -> Problem:
    """`message`: the API server's answer to the controller that creates the pods."""
    if quota := _EXCEEDED_QUOTA.search(message):
        return _quota_exceeded(component, *quota.groups())
    cause = text("cause.pod_not_created", component=component, reason=shorten(message))
    return Problem(cause, text("remedy.tell_operator"), may_pass=True)


def _quota_exceeded(component: str, name: str, *amounts: str) -> Problem:
    """`amounts`: requested, used and limit, each as `pods=1,limits.cpu=2`."""
    requested, used, limit = (dict(re.findall(r"([^,=]+)=([^,]*)", amount)) for amount in amounts)
    usages = [
        text("usage.one", used=used.get(key, "?"), limit=limit.get(key, "?"), resource=key, more=more)
        for key, more in requested.items()
    ]
    usage = usages[0] if usages else ""
    if len(usages) > 1:
        code = "usage.two" if len(usages) == 2 else "usage.more"
        usage = text(code, usage1=usages[0], usage2=usages[1], count=len(usages) - 2)
    usage = shorten(usage).removesuffix(".")
    if name == "store":
        cause = text("cause.store_quota_exceeded", component=component, usage=usage)
        return Problem(cause, text("remedy.tell_operator"), larger_plan=True)
    cause = text("cause.quota_exceeded", component=component, name=name, usage=usage)
    return Problem(cause, text("remedy.raise_quota"))


def pod_evicted(component: str, message: str) -> Problem:
    """`message`: the kubelet's."""
    return Problem(text("cause.pod_evicted", component=component, reason=_find_reason(_EVICTED, message)))


def container_ended(component: str, terminated: Mapping[str, Any]) -> Problem:
    """It ended once. `terminated`: the container's state of that name."""
    return _ended(component, terminated, "cause.container_ended", "cause.out_of_memory")


def container_crashes(component: str, terminated: Mapping[str, Any]) -> Problem:
    """It ended again and again. `terminated`: the container's state of that name."""
    return _ended(component, terminated, "cause.container_crashes", "cause.out_of_memory_again")


def _ended(component: str, terminated: Mapping[str, Any], ended: str, out_of_memory: str) -> Problem:
    code, output = terminated.get("exitCode", "?"), terminated.get("message", "")
    if mentions_full_disk(output):
        return disk_full(component)
    # exit code 137 alone says nothing: every SIGKILL has it
    if terminated.get("reason") == "OOMKilled" or _HEAP_FULL.search(output) or (code == _ABORTED and not output):
        cause = text(out_of_memory, component=component, code=code)
        return Problem(cause, text("remedy.tell_operator"), larger_plan=True)
    last_line = last_log_line(output)
    cause = text(f"{ended}_with" if last_line else ended, component=component, code=code, output=last_line)
    return Problem(cause, text("remedy.see_logs"))


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


def _find_reason(rules: Rules, message: str) -> str:
    for pattern, code in rules:
        if match := re.search(pattern, message, re.IGNORECASE):
            return shorten(text(code, **match.groupdict()))
    return shorten(message)
