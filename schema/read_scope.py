"""The scope READ, enforced once for every field: a query or subscription of a token without READ doesn't run.

A mutation needs the scope WRITE, and its payload may be read with it.
"""

from collections.abc import Iterator

from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from schema.context import RequestError


class RequireReadScope(SchemaExtension):
    """Refuses the operation before validation."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        actor = context.context.actor
        if actor is not None and "read" not in actor.scopes and context.operation_type != OperationType.MUTATION:
            context.pre_execution_errors = [RequestError("FORBIDDEN", "This needs a token with the scope READ.")]
        yield
