"""What goes wrong on our side is logged with an id, and only the id is shown."""

import secrets

import structlog
from graphql import GraphQLError
from sqlalchemy.exc import DBAPIError
from strawberry.extensions import MaskErrors

GAVE_WAY = ("55P03", "40P01")
"""PostgreSQL's codes of a lock that didn't come in time, and of a deadlock: the transaction did nothing."""

log = structlog.get_logger()


def _ours(error: GraphQLError) -> bool:
    """A GraphQLError within is one of ours for the caller (RequestError), or GraphQL's own of a variable's value."""
    return error.original_error is not None and not isinstance(error.original_error, GraphQLError)


class Mask(MaskErrors):
    """Mistakes in the request are shown as they are; everything else is masked."""

    def __init__(self) -> None:
        super().__init__(should_mask_error=_ours)

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        """The error without what it says, with a correlation id that the log has, too."""
        reference, busy = secrets.token_hex(8), _gave_way(error.original_error)
        log.error("graphql.failed", correlation_id=reference, path=error.path, exc_info=error.original_error)
        told = "Too much happens at once; nothing was done. Try again." if busy else "Something went wrong on our side."
        return GraphQLError(
            f"{told} If it stays so, tell the operator this id: {reference}",
            nodes=error.nodes,
            path=error.path,
            extensions={"code": "BUSY" if busy else "INTERNAL", "correlationId": reference},
        )


def _gave_way(error: Exception | None) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in GAVE_WAY
