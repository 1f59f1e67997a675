"""Compiled queries, and how one is run: level by level, all resolvers of a level at the same time.

There is no error handling here: after any error the executor runs the query from its start, and reports the error.
Queries have no effects, so that is allowed. Mutations and subscriptions aren't compiled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values

from runtime.tasks import gather
from schema.compiled.selections import NotCompilable, Pending, Resolved, Selections, Write


@dataclass(frozen=True)
class CompiledQuery:
    """The only operation of a document with that name."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    write: Write

    async def run(self, context: Any, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The `data` of the answer. Raises NotCompilable, or the error of a resolver or value."""
        values = get_variable_values(self.schema, self.operation.variable_definitions or (), dict(variables))
        if isinstance(values, list):
            raise NotCompilable
        pending: Pending = []
        data: dict[str, Any] = self.write(None, pending)
        await resolve_pending(self, pending, context, values)
        return data


async def resolve_pending(compiled: Any, pending: Pending, context: Any, values: VariableValues) -> None:
    """Fill the gaps, level by level. `compiled`: as in resolve_info. Raises as CompiledQuery.run."""
    while pending:
        level, pending = pending, []
        resolved = [_resolve(compiled, source, field, context, values) for _, source, field in level]
        waiting: list[Any] = [value for value in resolved if isawaitable(value)]
        awaited = iter(await gather(waiting))
        for (written, _, field), value in zip(level, resolved, strict=True):
            written[field.key] = field.write(next(awaited) if isawaitable(value) else value, pending)


def _resolve(compiled: Any, source: Any, field: Resolved, context: Any, values: VariableValues) -> Any:
    arguments = get_argument_values(field.definition, field.nodes[0], values) if field.definition.args else {}
    info = resolve_info(compiled, field, context, values)
    return field.definition.resolve(source, info, **arguments)  # type: ignore[misc]  # Strawberry gives each one


def resolve_info(compiled: Any, field: Resolved, context: Any, values: VariableValues) -> GraphQLResolveInfo[Any]:
    """What the executor tells a resolver. `compiled` has `schema`, `operation` and `fragments`. There is no path: a
    resolver that reads it fails, and the executor answers.
    """
    return GraphQLResolveInfo(
        field_name=field.nodes[0].name.value,
        field_nodes=field.nodes,
        return_type=field.definition.type,
        parent_type=field.parent,
        path=None,  # type: ignore[arg-type]  # so that a resolver that reads it fails
        schema=compiled.schema,
        fragments=compiled.fragments,
        root_value=None,
        operation=compiled.operation,
        variable_values=values.coerced,  # type: ignore[arg-type]  # as Strawberry gives them to resolvers
        context=context,
        is_awaitable=isawaitable,  # type: ignore[arg-type]  # TypeIs instead of TypeGuard
        abort_signal=None,
        async_helpers=None,  # type: ignore[arg-type]  # of the executor only
    )


def compile_query(schema: GraphQLSchema, document: DocumentNode, operation_name: str | None) -> CompiledQuery | None:
    """None: the executor has to run the operation."""
    operation, fragments = find_operation(document, operation_name)
    if operation is None or operation.operation != OperationType.QUERY:
        return None
    root: Any = schema.query_type
    try:
        write = Selections(schema, fragments).of_object(root, [operation.selection_set])
    except NotCompilable:
        return None
    return CompiledQuery(schema, operation, fragments, write)


def find_operation(
    document: DocumentNode, operation_name: str | None
) -> tuple[OperationDefinitionNode | None, dict[str, FragmentDefinitionNode]]:
    """The operation with this name, if there is one without directives, and the document's fragments."""
    fragments = {item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)}
    named = [
        item
        for item in document.definitions
        if isinstance(item, OperationDefinitionNode)
        and (operation_name is None or (item.name is not None and item.name.value == operation_name))
    ]
    return (named[0] if len(named) == 1 and not named[0].directives else None), fragments
