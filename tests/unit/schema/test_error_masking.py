"""What a caller sees of an internal error."""

import pytest
from graphql import GraphQLError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from runtime.database import DatabaseBusy, DatabaseUnavailable
from schema.error_masking import MaskInternalErrors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DatabaseBusy("a secret"), "BUSY"),
        (PoolTimeoutError("a secret"), "BUSY"),
        (DatabaseUnavailable("a secret"), "UNAVAILABLE"),
        (ValueError("a secret"), "INTERNAL"),
    ],
)
def test_a_wait_that_timed_out_is_busy(error: Exception, code: str) -> None:
    shown = MaskInternalErrors().anonymise_error(GraphQLError("a secret", original_error=error))
    assert (shown.extensions or {})["code"] == code
    assert ("nothing was done" in shown.message) == (code == "BUSY")
    assert "a secret" not in shown.message
