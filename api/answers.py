"""What the API says outside GraphQL: always JSON, errors in the shape that userErrors have."""

from starlette.responses import JSONResponse


def problem(status: int, code: str, message: str, field: str | None = None) -> JSONResponse:
    """`{"errors": [{"code", "field", "message"}]}`."""
    return JSONResponse({"errors": [{"code": code, "field": field, "message": message}]}, status)
