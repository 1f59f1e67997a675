"""What goes wrong on our side is logged with an id, and only the id is shown."""

import secrets

import structlog
from graphql import GraphQLError
from strawberry.extensions import MaskErrors

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
        reference = secrets.token_hex(8)
        log.error("graphql.failed", correlation_id=reference, path=error.path, exc_info=error.original_error)
        return GraphQLError(
            f"Something went wrong on our side. If it stays so, tell the operator this id: {reference}",
            nodes=error.nodes,
            path=error.path,
            extensions={"code": "INTERNAL", "correlationId": reference},
        )
