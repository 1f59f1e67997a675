"""Internal errors are logged with a correlation id; the caller sees only the id."""

import secrets
from types import SimpleNamespace
from typing import Any, cast

import structlog
from graphql import GraphQLError, GraphQLSyntaxError, VariableDefinitionNode
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import MaskErrors
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from runtime.database import DATA_ERROR, NO_DATABASE, DatabaseUnavailable, is_busy, is_data_error
from schema.error_redaction import without_values
from schema.introspection import without_suggestion

log = structlog.get_logger()


REQUEST_ERRORS = (GraphQLError, MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)


def _is_internal(error: GraphQLError) -> bool:
    """False for errors in the request: a RequestError, and GraphQL's own errors about the document and variables."""
    original = error.original_error
    return original is not None and not isinstance(original, REQUEST_ERRORS)


def _request_error_code(error: GraphQLError) -> str:
    """Apollo's codes for what GraphQL itself refuses."""
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    of_variable = any(isinstance(node, VariableDefinitionNode) for node in error.nodes or ())
    return "BAD_USER_INPUT" if error.path or of_variable else "GRAPHQL_VALIDATION_FAILED"


class MaskInternalErrors(MaskErrors):
    """Shows errors in the request, without its values, and masks all others. Each error has a code."""

    def __init__(self) -> None:
        super().__init__(should_mask_error=_is_internal)

    def _process_errors(self, errors: list[GraphQLError]) -> list[GraphQLError]:
        errors = super()._process_errors(errors)
        for error in errors:
            without_values(error)
            if not self.execution_context.context.shows_schema:
                without_suggestion(error)
            error.extensions = {"code": _request_error_code(error), **(error.extensions or {})}
        return errors

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        """Logs the error. The caller gets the code INTERNAL or BUSY (a lock or a connection timed out) and its id.

        A value that PostgreSQL can't store is the caller's error, and not logged. A database that can't be reached is
        UNAVAILABLE.
        """
        if is_data_error(error.original_error):
            return GraphQLError(DATA_ERROR, path=error.path, extensions={"code": "BAD_USER_INPUT"})
        busy = is_busy(error.original_error)
        if isinstance(error.original_error, DatabaseUnavailable) and not busy:
            log.warning("graphql.database_unavailable", path=error.path, error=repr(error.original_error))
            return GraphQLError(NO_DATABASE, error.nodes, path=error.path, extensions={"code": "UNAVAILABLE"})
        correlation_id = secrets.token_hex(8)
        if busy:
            log.warning(
                "graphql.database_busy",
                correlation_id=correlation_id,
                path=error.path,
                error=repr(error.original_error),
            )
        else:
            log.error("graphql.failed", correlation_id=correlation_id, path=error.path, exc_info=error.original_error)
        text = "Too much happens at once; nothing was done. Try again." if busy else "Something went wrong on our side."
        return GraphQLError(
            f"{text} If it happens again, give the operator this id: {correlation_id}",
            nodes=error.nodes,
            path=error.path,
            extensions={"code": "BUSY" if busy else "INTERNAL", "correlationId": correlation_id},
        )


def masked_errors(errors: list[GraphQLError], context: Any) -> list[GraphQLError]:
    """The errors of an operation without an executor, as MaskInternalErrors shows them. `context`: the Context."""
    masking = MaskInternalErrors()
    masking.execution_context = cast("Any", SimpleNamespace(context=context))
    return masking._process_errors(errors)
