"""Error responses of endpoints other than GraphQL: JSON, each error with the same fields as a GraphQL UserError."""

from starlette.responses import JSONResponse

BUSY_DATABASE = "Too much happens at once. Try again in a moment."
DATABASE_RETRY_SECONDS = 5
"""The value of Retry-After in both cases."""


def error_response(
    status: int, code: str, message: str, field: str | None = None, *, retry_after: int | None = None
) -> JSONResponse:
    """`{"errors": [{"code", "field", "message", "retryAfterSeconds"}]}`. `retry_after`: seconds, also a header."""
    error = {"code": code, "field": field, "message": message, "retryAfterSeconds": retry_after}
    return JSONResponse({"errors": [error]}, status, retry_after_header(retry_after))


def retry_after_header(seconds: int | None) -> dict[str, str]:
    """The header `Retry-After`; empty for None."""
    return {} if seconds is None else {"retry-after": str(seconds)}


def graphql_error_response(status: int, code: str, message: str, *, retry_after: int | None = None) -> JSONResponse:
    """One error in the shape of GraphQL: `{"errors": [{"message", "extensions": {"code", "retryAfterSeconds"}}]}`."""
    extensions = {"code": code} if retry_after is None else {"code": code, "retryAfterSeconds": retry_after}
    answer = {"errors": [{"message": message, "extensions": extensions}]}
    return JSONResponse(answer, status, retry_after_header(retry_after))
