"""UserError: what every mutation's payload has for errors in its input."""

import strawberry

import schema.enums  # noqa: F401  # gives the enum Code its name
from accounts.errors import CallerError, Code


@strawberry.type(description="An error in a mutation's input, and what to do about it.")
class UserError:
    code: Code = strawberry.field(description="Stable name of the error, for programs.")
    field: str | None = strawberry.field(description="The input field, in camelCase.")
    message: str = strawberry.field(description="What is wrong and what to do, for people.")

    retry_after_seconds: int | None = strawberry.field(
        description="With RATE_LIMITED: after how many seconds the same request may succeed."
    )

    @classmethod
    def from_error(cls, error: CallerError) -> "UserError":
        return cls(code=error.code, field=error.field, message=error.message, retry_after_seconds=error.retry_after)
