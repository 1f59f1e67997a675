"""Events that are written once, and sent to all subscribers who asked for the same and have the same rights.

A thousand dashboards of one account get each event. What an event itself says never changes, and is kept. What is read
for it, such as its store, is shared by those who wait for it at the same moment. The executor answers subscriptions
with other resolvers or with arguments in them, and whatever is refused.
"""

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
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
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values

from schema.access import AS_PARENT
from schema.compiled.operations import find_operation, resolve_info, resolve_pending
from schema.compiled.selections import STRAWBERRY, NotCompilable, Pending, Resolved, Selections
from schema.context import Context

MAX_WRITTEN = 200
"""Events of one operation that are kept."""
Key = tuple[object, ...]
"""The cursor and time of an event, and the subscriber's rights in its account."""
NO_VALUES = VariableValues({}, {})


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
    reads: bool
    """Whether anything is read for an event."""
    _written: OrderedDict[Key, str] = field(default_factory=OrderedDict)
    """`data` as JSON."""
    _reading: dict[Key, asyncio.Task[str]] = field(default_factory=dict)

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

    async def write(self, event: Any, context: Context) -> str:
        """`{"<field>": {…}}`. Raises NotCompilable, or the error of a resolver or value."""
        actor = context.require_actor()
        # a restored database gives the number of an event to another one
        key = (event.cursor, event.row.at, actor.roles.get(event.row.account_id), actor.scopes)
        if self.reads:
            return await self._read(key, event, context)
        if key not in self._written:
            self._written[key] = await self._write(event, context)
            if len(self._written) > MAX_WRITTEN:
                self._written.popitem(last=False)
        return self._written[key]

    async def _read(self, key: Key, event: Any, context: Context) -> str:
        """The reading began after the event was committed: so what was read is as new as the event, or newer."""
        task = self._reading.get(key)
        if task is None:
            task = self._reading[key] = asyncio.create_task(self._write(event, context))
            task.add_done_callback(partial(self._end_reading, key))
            return await asyncio.shield(task)
        try:
            return await asyncio.shield(task)
        except Exception:
            return await self._write(event, context)  # the other subscriber's rights may have ended

    def _end_reading(self, key: Key, task: asyncio.Task[str]) -> None:
        del self._reading[key]
        if not task.cancelled():
            task.exception()  # those who wait get it; perhaps nobody waits any more

    async def _write(self, event: Any, context: Context) -> str:
        pending: Pending = []
        data = {self.root.key: self.root.write(event, pending)}
        await resolve_pending(self, pending, context, NO_VALUES)
        return json.dumps(data, separators=(",", ":"))


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
    if not all(_is_alike(resolver) for resolver in selections.resolvers):
        return None
    root = Resolved(key, parent, definition, nodes, write)
    return SharedSubscription(schema, operation, fragments, root, reads=bool(selections.resolvers))


def _is_alike(resolver: Resolved) -> bool:
    """Whether everybody who got the event may read the field, and all of them get the same."""
    words = resolver.definition.extensions[STRAWBERRY].extensions
    return AS_PARENT in words and not any(node.arguments for node in resolver.nodes)


async def written_events(
    subscription: SharedSubscription, events: AsyncIterable[Any], context: Context
) -> AsyncGenerator[str | GraphQLError, None]:
    """The `data` of each event as JSON; at last the error, if the events end with one."""
    async with aclosing(events):  # type: ignore[type-var]  # the subscriptions are generators
        try:
            async for event in events:
                yield await subscription.write(event, context)
        except GraphQLError as error:
            yield error
        except Exception as error:
            yield GraphQLError(str(error), original_error=error)
