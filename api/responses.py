"""Error responses of endpoints other than GraphQL: JSON, each error with the same fields as a GraphQL UserError."""

from starlette.responses import JSONResponse


def error_response(status: int, code: str, message: str, field: str | None = None) -> JSONResponse:
    """`{"errors": [{"code", "field", "message"}]}`."""
    return JSONResponse({"errors": [{"code": code, "field": field, "message": message}]}, status)
