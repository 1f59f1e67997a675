"""Each mutation has its own type of errors, with only the codes that it declares."""

import pytest
from graphql import build_schema, is_enum_type, parse, validate

from accounts.errors import CallerError, Code
from schema.build import schema
from schema.mutations.stores import ChangePlanPayload
from schema.types.errors import refuse

BUILT = build_schema(schema.as_str())
MUTATIONS = sorted(BUILT.mutation_type.fields) if BUILT.mutation_type else []
NOT_OF_MUTATIONS: set[Code] = set()
"""Codes that only other requests than mutations have."""


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_what_clients_ask_for_fits_each_type(mutation: str) -> None:
    name = f"{mutation[0].upper()}{mutation[1:]}"
    document = f"""
    fragment Before on UserError {{ code message field retryAfterSeconds }}
    fragment Own on {name}UserError {{ mutationCode path }}
    mutation ($input: {name}Input!) {{ {mutation}(input: $input) {{ userErrors {{ ...Before ...Own }} }} }}
    """
    assert validate(BUILT, parse(document)) == []


def test_each_code_is_declared() -> None:
    declared = set()
    for mutation in MUTATIONS:
        codes = BUILT.type_map[f"{mutation[0].upper()}{mutation[1:]}ErrorCode"]
        assert is_enum_type(codes)
        assert "FORBIDDEN" in codes.values
        declared |= set(codes.values)
    assert declared == {code.name for code in Code} - {code.name for code in NOT_OF_MUTATIONS}


def test_a_refusal_is_the_payload() -> None:
    error = CallerError(Code.DISK_TOO_SMALL, "plan", "Choose another one.")
    [shown] = refuse(ChangePlanPayload, error).user_errors
    assert (shown.code, shown.mutation_code.value, shown.path) == (Code.DISK_TOO_SMALL, "DISK_TOO_SMALL", ["plan"])
    [shown] = refuse(ChangePlanPayload, CallerError(Code.FORBIDDEN, None, "No.")).user_errors
    assert shown.path is None


@pytest.mark.parametrize(("code", "field"), [(Code.SLUG_TAKEN, "plan"), (Code.NOT_FOUND, "plans")])
def test_what_isnt_declared_is_a_fault(code: Code, field: str) -> None:
    with pytest.raises(ValueError, match=r"SLUG_TAKEN|plans"):
        refuse(ChangePlanPayload, CallerError(code, field, "No."))
