"""UserError: what every mutation's payload has for errors in its input. Each mutation has a type of its own of it.

A mutation declares with may_answer which codes it answers, beside those that follow from its input and its access.
"""

from collections.abc import Collection
from copy import copy
from enum import Enum
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.extensions import FieldExtension
from strawberry.types import get_object_definition
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from accounts.errors import CODES, CallerError, Code
from schema.enums import describe

FROM_INPUT = {
    "account_id": (Code.ACCOUNT_REQUIRED, Code.NOT_FOUND),
    "id": (Code.NOT_FOUND,),
    "user_id": (Code.NOT_FOUND,),
    "token": (Code.NOT_FOUND,),
    "idempotency_key": (Code.INVALID_IDEMPOTENCY_KEY, Code.IDEMPOTENCY_KEY_REUSED),
}
"""The codes that a mutation may answer because its input has the field."""


@strawberry.interface(description="An error in a mutation's input, and what to do about it.")
class UserError:
    code: Code = strawberry.field(description="Stable name of the error, for programs.")
    path: list[str] | None = strawberry.field(
        description="The way to the invalid field, from the mutation's input: for forms. Null: no field is invalid."
    )
    field: str | None = strawberry.field(
        description="The input field, in camelCase.", deprecation_reason="Use path, which also leads into lists."
    )
    message: str = strawberry.field(description="What is wrong and what to do, for people.")
    retry_after_seconds: int | None = strawberry.field(
        description="With RATE_LIMITED: after how many seconds the same request may succeed."
    )


class may_answer(FieldExtension):  # reads as the words of schema/access.py
    """The codes that the mutation answers, beside those of FROM_INPUT and FORBIDDEN."""

    def __init__(self, *codes: Code) -> None:
        self.codes = codes


_types: dict[type, type[UserError]] = {}
"""The types of errors, by the payloads that have them."""


def declare_errors(field: StrawberryField) -> None:
    """Gives the payload of a mutation its own type of errors. Does nothing for other fields."""
    payload: Any = field.type
    definition = get_object_definition(payload)
    given = next((argument for argument in field.arguments if argument.python_name == "input"), None)
    if definition is None or given is None or payload in _types:
        return
    names = [item.python_name for item in get_object_definition(given.type, strict=True).fields]
    codes = {Code.FORBIDDEN} | {code for name in names for code in FROM_INPUT.get(name, ())}
    codes |= {code for item in field.extensions if isinstance(item, may_answer) for code in item.codes}
    own_type: Any = _error_type(field.python_name, codes, frozenset(map(to_camel_case, names)))
    _types[payload] = own_type
    for place, item in enumerate(definition.fields):
        if item.python_name == "user_errors":
            own = copy(item)  # subclasses of one payload share the field
            own.type_annotation = StrawberryAnnotation(list[own_type])
            definition.fields[place] = own


def _error_type(mutation: str, codes: Collection[Code], inputs: Collection[str]) -> type[UserError]:
    field_name = to_camel_case(mutation)
    name = field_name[0].upper() + field_name[1:]
    code_enum = Enum(f"{name}ErrorCode", {code.name: code.value for code in Code if code in codes})  # type: ignore[misc]  # made of data
    describe(
        code_enum,
        f"{name}ErrorCode",
        f"The kinds of errors that {field_name} answers.",
        {code.name: CODES[code] for code in codes},
    )
    own_code: Any = strawberry.field(description=f"`code`, as one of those that {field_name} answers.")
    made = type(
        f"{name}UserError",
        (UserError,),
        {
            "__annotations__": {"mutation_code": code_enum},
            "mutation_code": own_code,
            "_code": code_enum,
            "_inputs": inputs,
        },
    )
    return strawberry.type(made, description=f"An error in the input of {field_name}.")


def refuse(payload: Any, error: CallerError) -> Any:
    """The payload of a mutation that was refused.

    Raises ValueError for a code that the mutation doesn't declare, or a field that its input hasn't: a fault of ours.
    """
    own: Any = _types[payload]
    path = None if error.field is None else error.field.split(".")
    if path is not None and path[0] not in own._inputs:
        raise ValueError(f"{error.field} is no field of the input")
    return payload(
        user_errors=[
            own(
                code=error.code,
                mutation_code=own._code(error.code.value),
                path=path,
                field=error.field,
                message=error.message,
                retry_after_seconds=error.retry_after,
            )
        ]
    )
