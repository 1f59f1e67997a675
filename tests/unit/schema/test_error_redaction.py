"""What GraphQL itself says of a document and of variables names types and fields, and no value."""

from typing import Any

import pytest
from graphql import GraphQLError, GraphQLSyntaxError, build_schema, get_variable_values, parse, validate

from schema.build import schema
from schema.error_redaction import without_values

SECRET = "canary: value found: x"
BUILT = build_schema(schema.as_str())
CHANGE = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { user { id } } }"


def messages(document: str, variables: Any = None) -> list[str]:
    errors: list[GraphQLError]
    try:
        parsed = parse(document)
        errors = validate(BUILT, parsed)
        if not errors:
            [operation] = parsed.definitions
            defined = operation.variable_definitions  # type: ignore[attr-defined]  # it is an operation
            found = get_variable_values(BUILT, defined, variables or {})
            errors = found if isinstance(found, list) else []
    except GraphQLSyntaxError as error:
        errors = [error]
    for each in errors:
        assert "canary" in each.message, "this isn't about a value"
        without_values(each)
    return [each.message for each in errors]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"currentPassword": [SECRET], "newPassword": "b"},
            ["Variable '$input' has invalid value at .currentPassword: String cannot represent a non string value."],
        ),
        (
            {"currentPassword": SECRET},
            [
                "Variable '$input' has invalid value: Expected value of type 'ChangePasswordInput' to include required "
                "field 'newPassword'."
            ],
        ),
        (
            {"currentPassword": "a", "newPassword": SECRET, "newPasswort": 1},
            [
                "Variable '$input' has invalid value: Expected value of type 'ChangePasswordInput' not to include "
                "unknown field 'newPasswort'. Did you mean 'newPassword'?"
            ],
        ),
        (
            SECRET,
            ["Variable '$input' has invalid value: Expected value of type 'ChangePasswordInput' to be an object."],
        ),
    ],
)
def test_variables(value: Any, expected: list[str]) -> None:
    assert messages(CHANGE, {"input": value}) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('["canary"]', "String cannot represent a non string value."),
        ("CANARY_canary", "String cannot represent a non string value."),
    ],
)
def test_literals(given: str, expected: str) -> None:
    text = f'mutation {{ changePassword(input: {{currentPassword: {given}, newPassword: "b"}}) {{ user {{ id }} }} }}'
    assert messages(text) == [expected]


@pytest.mark.parametrize("text", ['"canary"', '"""canary\n"""', '"it\'s canary found: x"'])
def test_syntax_errors(text: str) -> None:
    kind = "BlockString" if text.startswith('"""') else "String"
    assert messages(f"{{ a {text} }}") == [f"Syntax Error: Expected Name, found {kind}."]
    assert messages(text + " " + text)[0].startswith("Syntax Error: Unexpected")
