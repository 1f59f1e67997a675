"""Compiles a selection set to functions that turn resolved objects into JSON values.

A field without a resolver is an attribute. A field with one is resolved by the function that the executor would call:
so its arguments, extensions and rights are the same. Anything else is not compiled, and the executor answers.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
)

STRAWBERRY = "strawberry-definition"
"""The extension of a field or type of graphql-core that has Strawberry's definition."""


class NotCompilable(Exception):
    """The executor has to answer: the document has something that isn't compiled, or a value isn't as its type says."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A field with a resolver."""

    key: str
    parent: GraphQLObjectType
    definition: GraphQLField
    nodes: list[FieldNode]
    write: "Write"


Pending = list[tuple[dict[str, Any], Any, Resolved]]
"""Fields that wait for their resolvers: the object that gets the value, the source, and the field."""
Write = Callable[[Any, Pending], Any]
"""From a resolved value to its JSON value, which may have pending gaps. Raises NotCompilable, or the value's error."""


@dataclass(frozen=True)
class Selections:
    """Compiles the selections of one document."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    resolvers: list[Resolved] = field(default_factory=list)
    """The fields with resolvers that were found."""

    def of_object(self, parent: GraphQLObjectType, selection_sets: list[SelectionSetNode]) -> Write:
        """Raises NotCompilable."""
        fields = self.collect(parent, selection_sets)
        compiled = [self._field(key, parent, nodes) for key, nodes in fields.items()]
        if any(isinstance(get, Resolved) for _, get, _ in compiled):
            return _with_resolvers(compiled)

        def write(source: Any, pending: Pending) -> dict[str, Any]:
            return {key: write_value(get(source), pending) for key, get, write_value in compiled}

        return write

    def collect(self, parent: GraphQLObjectType, selection_sets: list[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """The fields by response name. Raises NotCompilable."""
        fields: dict[str, list[FieldNode]] = {}
        for selections in selection_sets:
            for node in self._collect(parent, selections):
                fields.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
        return fields

    def _field(self, key: str, parent: GraphQLObjectType, nodes: list[FieldNode]) -> tuple[str, Any, Write]:
        """The response name; how the source gives the value (Resolved: by a resolver); and how it is written."""
        name = nodes[0].name.value
        if name == "__typename":
            return key, lambda _source: parent.name, lambda value, _pending: value
        definition = parent.fields.get(name)
        if definition is None:
            raise NotCompilable
        write = self.of_value(definition.type, [node.selection_set for node in nodes if node.selection_set])
        get = attribute_of(parent, definition)
        if get is None:
            get = Resolved(key, parent, definition, nodes, write)
            self.resolvers.append(get)
        return key, get, write

    def _collect(
        self, parent: GraphQLObjectType, selections: SelectionSetNode, spreading: tuple[str, ...] = ()
    ) -> Iterator[FieldNode]:
        """The fields, also those of fragments, in the order of the executor."""
        for node in selections.selections:
            if node.directives:
                raise NotCompilable
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is not None and node.type_condition.name.value != parent.name:
                    raise NotCompilable
                yield from self._collect(parent, node.selection_set, spreading)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
                if fragment.directives or fragment.type_condition.name.value != parent.name:
                    raise NotCompilable
                yield from self._collect(parent, fragment.selection_set, (*spreading, node.name.value))

    def of_value(self, type_: GraphQLOutputType, selection_sets: list[SelectionSetNode]) -> Write:
        """Raises NotCompilable."""
        required = isinstance(type_, GraphQLNonNull)
        kind: Any = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(kind, GraphQLList):
            return _list(self.of_value(kind.of_type, selection_sets), required=required)
        if isinstance(kind, GraphQLObjectType):
            return _optional(self.of_object(kind, selection_sets), required=required)
        if isinstance(kind, GraphQLLeafType):
            return write_leaf(kind, required=required)
        raise NotCompilable  # an interface or union: which type it is, is known only when it is resolved


def attribute_of(parent: GraphQLObjectType, definition: GraphQLField) -> Any:
    """How an object gives the value of a field; None: by a resolver."""
    if not getattr(definition.resolve, "_is_default", False):
        return None
    attribute = definition.extensions[STRAWBERRY].python_name
    values = getattr(parent.extensions[STRAWBERRY].origin, "VALUES", {})
    return values.get(attribute) or attrgetter(attribute)


def _with_resolvers(fields: list[tuple[str, Any, Write]]) -> Write:
    def write(source: Any, pending: Pending) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for key, get, write_value in fields:
            if isinstance(get, Resolved):
                written[key] = None  # its place
                pending.append((written, source, get))
            else:
                written[key] = write_value(get(source), pending)
        return written

    return write


def _optional(write_present: Write, *, required: bool) -> Write:
    return lambda value, pending: _null(required=required) if value is None else write_present(value, pending)


def _list(write_item: Write, *, required: bool) -> Write:
    def write(value: Any, pending: Pending) -> Any:
        if type(value) is not list:
            if value is None:
                return _null(required=required)
            raise NotCompilable
        return [write_item(item, pending) for item in value]

    return write


def write_leaf(type_: Any, *, required: bool) -> Write:
    """How a scalar or an enum is written."""
    own = {"String": str, "ID": str, "Boolean": bool}.get(type_.name)
    serialize = type_.serialize
    if isinstance(type_, GraphQLEnumType):
        serialize = cache(serialize)  # it looks through all members; there are few values

    def write(value: Any, _pending: Pending) -> Any:
        if type(value) is own:
            return value
        if value is None:
            return _null(required=required)
        serialized = serialize(value)
        if serialized is None:
            raise NotCompilable
        return serialized

    return write


def _null(*, required: bool) -> None:
    if required:
        raise NotCompilable  # the executor says which field it was
