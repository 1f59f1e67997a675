"""An executor that takes scalars and enums without a resolver from their object: graphql-core's own makes ten calls and
three objects for each of them. Whatever isn't as its type says is left to graphql-core, which reports it.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from graphql import GraphQLLeafType, GraphQLNonNull, GraphQLObjectType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.compiled.selections import attribute_of, write_leaf


class PlainFieldsExecutionContext(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation."""

    def execute_field(self, parent_type: GraphQLObjectType, source: Any, field_details_list: Any, *more: Any) -> Any:
        """The value of a field as JSON, or a coroutine that gives it."""
        read = _reader(parent_type, field_details_list[0].node.name.value)
        if read is not None:
            with suppress(Exception):  # graphql-core finds the error again, and knows its place
                return read(source)
        return super().execute_field(parent_type, source, field_details_list, *more)


@cache
def _reader(parent: GraphQLObjectType, name: str) -> Callable[[Any], Any] | None:
    """From an object to the JSON value of a field; None: graphql-core has to execute the field."""
    definition = parent.fields.get(name)
    kind: Any = definition.type if definition is not None else None
    required = isinstance(kind, GraphQLNonNull)
    kind = kind.of_type if required else kind
    get = attribute_of(parent, definition) if definition is not None else None
    if get is None or not isinstance(kind, GraphQLLeafType):
        return None
    write = write_leaf(kind, required=required)
    return lambda source: write(get(source), [])
