"""What a caller sees of an internal error."""

import pytest
from graphql import GraphQLError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from structlog.testing import capture_logs

from runtime.database import DatabaseBusy, DatabaseUnavailable
from schema.error_masking import MaskInternalErrors


@pytest.mark.parametrize(
    ("error", "code", "logged"),
    [
        (DatabaseBusy("a secret"), "BUSY", ("graphql.database_busy", "warning")),
        (PoolTimeoutError("a secret"), "BUSY", ("graphql.database_busy", "warning")),
        (DatabaseUnavailable("a secret"), "UNAVAILABLE", ("graphql.database_unavailable", "warning")),
        (ValueError("a secret"), "INTERNAL", ("graphql.failed", "error")),
    ],
)
def test_a_wait_that_timed_out_is_busy(error: Exception, code: str, logged: tuple[str, str]) -> None:
    """Only a bug has a traceback in the log."""
    with capture_logs() as logs:
        shown = MaskInternalErrors().anonymise_error(GraphQLError("a secret", original_error=error))
    [entry] = logs
    assert (entry["event"], entry["log_level"]) == logged
    assert ("exc_info" in entry) == (code == "INTERNAL")
    assert (shown.extensions or {})["code"] == code
    assert ("nothing was done" in shown.message) == (code == "BUSY")
    assert "a secret" not in shown.message
