"""Errors of calls to the Kubernetes API, one type for each way in which a caller can react."""

import json
from typing import Any


class ClusterError(Exception):
    """Base class. `status`: HTTP status, None without a response. `reason`: of the Status object (`NotFound`, …)."""

    def __init__(self, message: str, status: int | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason


class MissingConfiguration(Exception):
    """There is no usable kubeconfig or service account; the message says why."""


class TransientError(ClusterError):
    """Retry later: overloaded, failing, unreachable, a conflict. `retry_after`: seconds, from Retry-After."""

    def __init__(
        self, message: str, status: int | None = None, reason: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, status, reason)
        self.retry_after = retry_after


class NotFound(ClusterError):
    """The object or its namespace doesn't exist."""


class AlreadyExists(ClusterError):
    """An object of that name exists."""


class Gone(ClusterError):
    """The resourceVersion has expired (410): list again before watching."""


class RequestRejected(ClusterError):
    """Retrying the same request doesn't help: forbidden, invalid, over quota."""

    @property
    def quota_exceeded(self) -> bool:
        """True if a ResourceQuota of the namespace forbids it."""
        return self.status == 403 and "exceeded quota" in self.message


def error_from_response(status: int, body: str, retry_after: str | None) -> ClusterError:
    """The error for a response. `body`: a Kubernetes Status object, or any text from a proxy."""
    status_object = _status_object(body)
    message = str(status_object.get("message") or body[:300] or f"HTTP {status}")
    reason = str(status_object.get("reason") or "")
    if status == 404:
        return NotFound(message, status, reason)
    if status == 410:
        return Gone(message, status, reason)
    if status == 409 and reason == "AlreadyExists":
        return AlreadyExists(message, status, reason)
    # 401: the service account's token is being rotated; 403: the usage of a new quota isn't computed yet
    if status in (401, 408, 409, 429) or status >= 500 or (status == 403 and "status unknown for quota" in message):
        wait = float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
        return TransientError(message, status, reason, wait)
    return RequestRejected(message, status, reason)


def _status_object(body: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
