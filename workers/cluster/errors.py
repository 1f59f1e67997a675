"""What a call to Kubernetes can end in, sorted by what the caller should do."""

import json
from typing import Any


class ClusterError(Exception):
    """Base of all. `status` is the HTTP status or None without an answer; `reason` is Kubernetes' (`NotFound`, …)."""

    def __init__(self, message: str, status: int | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason


class Unconfigured(Exception):
    """There is no kubeconfig or service account that could be used; the message says why."""


class Temporary(ClusterError):
    """Try again later: overloaded, failing, unreachable, a conflict. `retry_after` in seconds if the API named it."""

    def __init__(
        self, message: str, status: int | None = None, reason: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, status, reason)
        self.retry_after = retry_after


class NotFound(ClusterError):
    """There is no such object, or no such namespace."""


class AlreadyExists(ClusterError):
    """An object of that name is there already."""


class Gone(ClusterError):
    """The resourceVersion is too old to watch from: list again."""


class Refused(ClusterError):
    """The API will not do that, however often it is asked: forbidden, invalid, over quota."""

    @property
    def quota(self) -> bool:
        """A ResourceQuota of the namespace stands in the way."""
        return self.status == 403 and "exceeded quota" in self.message


def from_answer(status: int, body: str, retry_after: str | None) -> ClusterError:
    """The error that an answer stands for; the body is a Kubernetes Status object, or a proxy's own words."""
    answer = _status_object(body)
    message = str(answer.get("message") or body[:300] or f"HTTP {status}")
    reason = str(answer.get("reason") or "")
    if status == 404:
        return NotFound(message, status, reason)
    if status == 410:
        return Gone(message, status, reason)
    if status == 409 and reason == "AlreadyExists":
        return AlreadyExists(message, status, reason)
    # 401: a service account's token is being rotated; 403: nobody has counted yet what a new quota is about
    if status in (401, 408, 409, 429) or status >= 500 or (status == 403 and "status unknown for quota" in message):
        wait = float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
        return Temporary(message, status, reason, wait)
    return Refused(message, status, reason)


def _status_object(body: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
