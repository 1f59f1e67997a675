"""Introspection, which anybody may ask for and which takes some 100 ms, costs little.

The schema never changes while a process runs, so answers are kept. Other documents with introspection are limited in
number.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from time import monotonic

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    strip_ignored_characters,
)
from strawberry.extensions import SchemaExtension

from schema.context import RequestError

MAX_ANSWERS = 32
MAX_QUERY = 8000
"""Characters of a document whose answer is kept. The standard query has 2,000."""
PER_MINUTE = 30.0
"""Documents with introspection whose answer isn't kept, also the most that may come at once."""
RETRY_AFTER_SECONDS = 2
INTROSPECTION = frozenset({"__schema", "__type", "__typename"})
COSTLY = re.compile(r"\b__(schema|type)\b")

_Key = tuple[str, str | None]
_answers: OrderedDict[_Key, tuple[DocumentNode, ExecutionResult]] = OrderedDict()
"""By document (without comments and spaces) and operation name, the least recently used first."""


class _Budget:
    """How many more documents with introspection may run now, in this process."""

    def __init__(self) -> None:
        self.left, self._counted_at = PER_MINUTE, monotonic()

    def take(self) -> bool:
        """False: none."""
        now = monotonic()
        self.left = min(PER_MINUTE, self.left + (now - self._counted_at) * PER_MINUTE / 60)
        self._counted_at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


_budget = _Budget()


class IntrospectionCache(SchemaExtension):
    """Must be the first extension: what it finds isn't parsed, checked, validated or executed again."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        query = context.query or ""
        self._costly = COSTLY.search(query) is not None
        # before parsing: after it, operation_name is never None
        self._key = _normalize(query) if self._costly else "", context.operation_name
        if self._key in _answers:
            _answers.move_to_end(self._key)
            context.graphql_document = _answers[self._key][0]
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if self._key in _answers:
            context.pre_execution_errors = context.pre_execution_errors or []
        elif self._costly and not _budget.take():
            message = "Introspection is asked for too often. Use schema.graphql, or try again in a moment."
            context.pre_execution_errors = [RequestError("RATE_LIMITED", message, retry_after=RETRY_AFTER_SECONDS)]
        yield

    def on_execute(self) -> Iterator[None]:
        context, key = self.execution_context, self._key
        if key in _answers:
            context.result = _answers[key][1]
            yield
            return
        yield
        document, result = context.graphql_document, context.result
        if not self._costly or document is None or not isinstance(result, ExecutionResult) or result.errors:
            return
        if is_introspection(document, key[1]):
            _answers[key] = document, result
            if len(_answers) > MAX_ANSWERS:
                _answers.popitem(last=False)


def _normalize(query: str) -> str:
    if len(query) > MAX_QUERY:
        return query
    try:
        return strip_ignored_characters(query)
    except GraphQLError:  # parsing tells why
        return query


def is_introspection(document: DocumentNode, operation_name: str | None) -> bool:
    """Whether the (valid) operation is a query without variables that asks for nothing but the schema."""
    operations = [item for item in document.definitions if isinstance(item, OperationDefinitionNode)]
    fragments = {item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)}
    named = [item for item in operations if operation_name is None or (item.name and item.name.value == operation_name)]
    return all(
        item.operation == OperationType.QUERY
        and not item.variable_definitions
        and all(name in INTROSPECTION for name in _fields(item.selection_set, fragments))
        for item in named
    )


def _fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[str]:
    """The names of the fields, also of those in fragments. DocumentLimits bounds how many these are."""
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node.name.value
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(fragments[node.name.value].selection_set, fragments)
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments)
