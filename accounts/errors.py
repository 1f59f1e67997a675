"""Errors that a caller can correct. Commands raise them; schema and api translate them into userErrors."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID


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
    INVALID_REASON = "INVALID_REASON"
    INVALID_LIMIT = "INVALID_LIMIT"
    INVALID_EVENT_TYPES = "INVALID_EVENT_TYPES"
    INVALID_CURSOR = "INVALID_CURSOR"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    DISK_TOO_SMALL = "DISK_TOO_SMALL"
    ENGINE_UNAVAILABLE = "ENGINE_UNAVAILABLE"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    LAST_OWNER = "LAST_OWNER"
    EMAIL_TAKEN = "EMAIL_TAKEN"
    ACCOUNT_SUSPENDED = "ACCOUNT_SUSPENDED"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    RATE_LIMITED = "RATE_LIMITED"
    WRONG_STATUS = "WRONG_STATUS"
    NOT_YET = "NOT_YET"
    INVALID_IDEMPOTENCY_KEY = "INVALID_IDEMPOTENCY_KEY"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"


CODES: Mapping[Code, str] = {
    Code.NOT_FOUND: "There is no such object, or it is another account's.",
    Code.FORBIDDEN: "Your role in the account, or your token's scopes, don't allow it.",
    Code.ACCOUNT_REQUIRED: "You have several accounts, or none: say which one.",
    Code.INVALID_NAME: "The name is empty, too long, or has characters that can't be printed.",
    Code.INVALID_SLUG: "The slug is malformed.",
    Code.SLUG_TAKEN: "Another store has the slug.",
    Code.SLUG_RESERVED: "The platform keeps the slug for itself, or for the account whose store had it.",
    Code.INVALID_EMAIL: "The e-mail address is malformed, or too long.",
    Code.INVALID_PASSWORD: "The password is wrong, or can't be used.",
    Code.INVALID_COUNTRY: "The country is not a code of ISO 3166, or the engine doesn't know it.",
    Code.INVALID_CURRENCY: "The currency is not a code of ISO 4217, or the engine doesn't know it.",
    Code.INVALID_LANGUAGE: "It is none of the query `languages`.",
    Code.INVALID_SETUP: "The engine has no such setup.",
    Code.INVALID_SCOPES: "No scope, or more scopes than you have yourself.",
    Code.INVALID_EXPIRY: "The time or duration is out of range.",
    Code.INVALID_URL: "The URL is malformed, or doesn't lead to a public address.",
    Code.INVALID_REASON: "The reason is empty, too long, or has characters that can't be printed.",
    Code.INVALID_LIMIT: "The limit is negative, or too large.",
    Code.INVALID_EVENT_TYPES: "No type of event is chosen.",
    Code.INVALID_CURSOR: "It is not a cursor of this account's events.",
    Code.CURSOR_EXPIRED: "Events after the cursor are no longer kept.",
    Code.DISK_TOO_SMALL: "The plan's disk is smaller than the store's: disks only grow.",
    Code.ENGINE_UNAVAILABLE: "This installation doesn't offer the engine.",
    Code.NOT_SUPPORTED: "The store's engine can't do it.",
    Code.LAST_OWNER: "An account needs an owner: make another member an owner first.",
    Code.EMAIL_TAKEN: "Another user has the e-mail address.",
    Code.ACCOUNT_SUSPENDED: "An operator has suspended the account. Its stores are suspended too, and nothing is lost.",
    Code.QUOTA_EXCEEDED: "The account has as many as it may have.",
    Code.RATE_LIMITED: "Too many in a short time: `retryAfterSeconds` says when to try again.",
    Code.WRONG_STATUS: "The store's status doesn't allow it.",
    Code.NOT_YET: "The store isn't ready for it: try again later.",
    Code.INVALID_IDEMPOTENCY_KEY: "The key is empty, too long, or has characters that can't be printed.",
    Code.IDEMPOTENCY_KEY_REUSED: "The key was used with another input: use a new key for a new request.",
}
"""What each code means: docs/API.md lists them."""
REQUEST_CODES: Mapping[str, str] = {
    "UNAUTHENTICATED": "No token or session, or it is unknown, expired or revoked.",
    "FORBIDDEN": "The token hasn't the scope, your role changed, or a page of another origin used the cookie.",
    "BAD_USER_INPUT": "An argument, a variable or the HTTP request is malformed.",
    "NOT_FOUND": "There is no such object, or it is another account's.",
    "ACCOUNT_REQUIRED": "You have several accounts, or none: say which one.",
    "CURSOR_EXPIRED": "Events after the cursor are no longer kept: query the stores, continue after `eventCursor`.",
    "GRAPHQL_PARSE_FAILED": "The document isn't GraphQL.",
    "GRAPHQL_VALIDATION_FAILED": "The document doesn't fit the schema.",
    "DOCUMENT_TOO_LARGE": "The document asks for more than a limit allows.",
    "DOCUMENT_NOT_TRUSTED": "This installation accepts trusted documents only.",
    "LIMIT_REACHED": "Too many logs are followed at the moment.",
    "RATE_LIMITED": "Too many in a short time: `retryAfterSeconds` says when to try again.",
    "BUSY": "Too much happens at once, and nothing was done: try again.",
    "UNAVAILABLE": "What the request needs can't be reached now: try again in a moment. "
    "A mutation may have been done: repeat it with the same idempotency key.",
    "INTERNAL": "A fault of ours. Give the operator the id in the message.",
}
"""What the codes mean of errors in a request itself, as `extensions.code`."""


class CallerError(Exception):
    """`field`: the invalid input field in camelCase, or None. `message` says what to do.

    `retry_after`: seconds after which the same request may succeed, of RATE_LIMITED.
    `account_id`: the account in which the caller may not do this; its audit log says that the request was refused.
    """

    def __init__(
        self,
        code: Code,
        field: str | None,
        message: str,
        *,
        retry_after: int | None = None,
        account_id: UUID | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.message = message
        self.retry_after = retry_after
        self.account_id = account_id
