"""API errors, with the messages of the real API server."""

from typing import Any

from sandbox.simulator.kinds import Kind, Manifest


class ApiError(Exception):
    """An error response: a Status object with that HTTP code."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = headers or {}

    def status(self) -> Manifest:
        """The Status object."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            **({"details": self.details} if self.details else {}),
            "code": self.code,
        }


def _details(kind: Kind, name: str) -> dict[str, Any]:
    return {"name": name, "kind": kind.plural, **({"group": kind.group} if kind.group else {})}


def not_found(kind: Kind, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', details=_details(kind, name))


def no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def already_exists(kind: Kind, name: str) -> ApiError:
    message = f'{kind.resource} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, details=_details(kind, name))


def conflict(kind: Kind, name: str, message: str) -> ApiError:
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {message}'
    return ApiError(409, "Conflict", message, details=_details(kind, name))


def modified(kind: Kind, name: str) -> ApiError:
    return conflict(
        kind, name, "the object has been modified; please apply your changes to the latest version and try again"
    )


def forbidden(kind: Kind, name: str, message: str, *, cause: str | None = None) -> ApiError:
    """403; `cause` is a machine-readable reason such as `NamespaceTerminating`."""
    details = _details(kind, name)
    if cause:
        details["causes"] = [{"reason": cause, "message": message}]
    return ApiError(403, "Forbidden", f'{kind.resource} "{name}" is forbidden: {message}', details=details)


def invalid(kind: Kind, name: str, causes: list[tuple[str, str]]) -> ApiError:
    """422 for these (field, message) pairs."""
    listed = [f"{field}: {message}" for field, message in causes]
    details = {
        **_details(kind, name),
        "kind": kind.name,
        "causes": [{"reason": "FieldValueInvalid", "message": message, "field": field} for field, message in causes],
    }
    shown = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
    return ApiError(422, "Invalid", f'{kind.qualified} "{name}" is invalid: {shown}', details=details)


def expired(version: str) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {version}")
