"""Events that are written once, and sent to all subscribers who asked for the same and have the same rights.

A thousand dashboards of one account get each event. Only subscriptions to events, whose fields have no resolvers, are
shared; the executor answers the others, and whatever is refused.
"""

import json
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution.values import get_argument_values, get_variable_values

from schema.compiled.operations import find_operation, resolve_info
from schema.compiled.selections import NotCompilable, Resolved, Selections
from schema.context import Context

MAX_WRITTEN = 200
"""Events of one operation that are kept."""


@dataclass(frozen=True)
class SharedStream:
    """The `data` of each event as JSON, at last the error if the events end with one; `extensions` of the first."""

    events: AsyncGenerator[str | GraphQLError, None]
    extensions: dict[str, Any]


@dataclass(eq=False)
class SharedSubscription:
    """A subscription to events; `root`: its only field."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    root: Resolved
    _written: OrderedDict[tuple[object, ...], str] = field(default_factory=OrderedDict)
    """`data` as JSON, by the cursor and time of an event, and the subscriber's rights in its account."""

    async def subscribe(self, context: Context, variables: Mapping[str, Any]) -> AsyncIterable[Any]:
        """The events. Raises NotCompilable, or why the caller may not subscribe."""
        values = get_variable_values(self.schema, self.operation.variable_definitions or (), dict(variables))
        subscribe: Any = self.root.definition.subscribe
        if isinstance(values, list):
            raise NotCompilable
        arguments = get_argument_values(self.root.definition, self.root.nodes[0], values)
        source = subscribe(None, resolve_info(self, self.root, context, values), **arguments)
        events = await source if isawaitable(source) else source
        if not isinstance(events, AsyncIterable):
            raise NotCompilable
        return events

    def write(self, event: Any, context: Context) -> str:
        """`{"<field>": {…}}`"""
        actor = context.require_actor()
        # an event never changes, but a restored database gives its number to another one
        key = (event.cursor, event.row.at, actor.roles.get(event.row.account_id), actor.scopes)
        if key not in self._written:
            pending: list[Any] = []
            data = {self.root.key: self.root.write(event, pending)}
            if pending:
                raise NotCompilable
            self._written[key] = json.dumps(data, separators=(",", ":"))
            if len(self._written) > MAX_WRITTEN:
                self._written.popitem(last=False)
        return self._written[key]


def share_subscription(
    schema: GraphQLSchema, document: DocumentNode, operation_name: str | None
) -> SharedSubscription | None:
    """None: the executor has to answer."""
    operation, fragments = find_operation(document, operation_name)
    if operation is None or operation.operation != OperationType.SUBSCRIPTION:
        return None
    parent: Any = schema.subscription_type
    selections = Selections(schema, fragments)
    try:
        fields = selections.collect(parent, [operation.selection_set])
        if len(fields) != 1:
            return None
        [(key, nodes)] = fields.items()
        definition = parent.fields.get(nodes[0].name.value)
        if definition is None or str(definition.type) != "Event!":
            return None
        write = selections.of_value(definition.type, [node.selection_set for node in nodes if node.selection_set])
    except NotCompilable:
        return None
    if selections.resolvers:
        return None
    return SharedSubscription(schema, operation, fragments, Resolved(key, parent, definition, nodes, write))


async def written_events(
    subscription: SharedSubscription, events: AsyncIterable[Any], context: Context
) -> AsyncGenerator[str | GraphQLError, None]:
    """The `data` of each event as JSON; at last the error, if the events end with one."""
    async with aclosing(events):  # type: ignore[type-var]  # the subscriptions are generators
        try:
            async for event in events:
                yield subscription.write(event, context)
        except GraphQLError as error:
            yield error
        except Exception as error:
            yield GraphQLError(str(error), original_error=error)
