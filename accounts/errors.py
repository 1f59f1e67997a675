"""Errors that a caller can correct. Commands raise them; schema and api translate them into userErrors."""

from enum import StrEnum


class Code(StrEnum):
    """Error codes for programs. New ones may be added; renaming or removing one breaks integrations."""

    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    ACCOUNT_REQUIRED = "ACCOUNT_REQUIRED"
    INVALID_NAME = "INVALID_NAME"
    INVALID_SLUG = "INVALID_SLUG"
    SLUG_TAKEN = "SLUG_TAKEN"
    SLUG_RESERVED = "SLUG_RESERVED"
    INVALID_EMAIL = "INVALID_EMAIL"
    INVALID_PASSWORD = "INVALID_PASSWORD"  # noqa: S105  # a name, not a password
    INVALID_COUNTRY = "INVALID_COUNTRY"
    INVALID_CURRENCY = "INVALID_CURRENCY"
    INVALID_LANGUAGE = "INVALID_LANGUAGE"
    INVALID_SETUP = "INVALID_SETUP"
    INVALID_SCOPES = "INVALID_SCOPES"
    INVALID_EXPIRY = "INVALID_EXPIRY"
    INVALID_URL = "INVALID_URL"
    INVALID_EVENT_TYPES = "INVALID_EVENT_TYPES"
    INVALID_CURSOR = "INVALID_CURSOR"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    DISK_TOO_SMALL = "DISK_TOO_SMALL"
    ENGINE_UNAVAILABLE = "ENGINE_UNAVAILABLE"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    EMAIL_TAKEN = "EMAIL_TAKEN"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    RATE_LIMITED = "RATE_LIMITED"
    WRONG_STATUS = "WRONG_STATUS"
    NOT_YET = "NOT_YET"
    INVALID_IDEMPOTENCY_KEY = "INVALID_IDEMPOTENCY_KEY"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"


class CallerError(Exception):
    """`field`: the invalid input field in camelCase, or None. `message` says what to do.

    `retry_after`: seconds after which the same request may succeed, of RATE_LIMITED.
    """

    def __init__(self, code: Code, field: str | None, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.message = message
        self.retry_after = retry_after
