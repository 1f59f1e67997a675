"""Compiles a selection set to functions that turn resolved objects into JSON values.

A field without a resolver is an attribute. A field with one is resolved by the function that the executor would call:
so its arguments, extensions and rights are the same. Anything else is not compiled, and the executor answers.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
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
"""From a resolved value to its JSON value, which may have gaps that are pending. Raises NotCompilable, or an error of
the value."""


@dataclass(frozen=True)
class Selections:
    """Compiles the selections of one document."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]

    def of_object(self, parent: GraphQLObjectType, selection_sets: list[SelectionSetNode]) -> Write:
        """Raises NotCompilable."""
        fields: dict[str, list[FieldNode]] = {}
        for selections in selection_sets:
            for node in self._collect(parent, selections):
                fields.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
        compiled = [self._field(key, parent, nodes) for key, nodes in fields.items()]
        if any(isinstance(get, Resolved) for _, get, _ in compiled):
            return _with_resolvers(compiled)

        def write(source: Any, pending: Pending) -> dict[str, Any]:
            return {key: write_value(get(source), pending) for key, get, write_value in compiled}

        return write

    def _field(self, key: str, parent: GraphQLObjectType, nodes: list[FieldNode]) -> tuple[str, Any, Write]:
        """The response name; how the source gives the value (Resolved: by a resolver); and how it is written."""
        name = nodes[0].name.value
        if name == "__typename":
            return key, lambda _source: parent.name, lambda value, _pending: value
        definition = parent.fields.get(name)
        if definition is None:
            raise NotCompilable
        write = self._value(definition.type, [node.selection_set for node in nodes if node.selection_set])
        if not getattr(definition.resolve, "_is_default", False):
            return key, Resolved(key, parent, definition, nodes, write), write
        attribute = definition.extensions[STRAWBERRY].python_name
        values = getattr(parent.extensions[STRAWBERRY].origin, "VALUES", {})
        return key, values.get(attribute) or _attribute(attribute), write

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

    def _value(self, type_: GraphQLOutputType, selection_sets: list[SelectionSetNode]) -> Write:
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type, selection_sets, required=True)
        return self._present(type_, selection_sets, required=False)

    def _present(self, type_: Any, selection_sets: list[SelectionSetNode], *, required: bool) -> Write:
        if isinstance(type_, GraphQLList):
            write_item = self._value(type_.of_type, selection_sets)
            return _list(write_item, required=required)
        if isinstance(type_, GraphQLObjectType):
            return _optional(self.of_object(type_, selection_sets), required=required)
        if isinstance(type_, GraphQLLeafType):
            return _leaf(type_, required=required)
        raise NotCompilable  # an interface or union: which type it is, is known only when it is resolved


def _attribute(name: str) -> Callable[[Any], Any]:
    return lambda source: getattr(source, name)


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
    def write(value: Any, pending: Pending) -> Any:
        if value is None:
            return _null(required=required)
        return write_present(value, pending)

    return write


def _list(write_item: Write, *, required: bool) -> Write:
    def write(value: Any, pending: Pending) -> Any:
        if type(value) is not list:
            if value is None:
                return _null(required=required)
            raise NotCompilable
        return [write_item(item, pending) for item in value]

    return write


def _leaf(type_: Any, *, required: bool) -> Write:
    if type_ in (GraphQLString, GraphQLID):
        own: type = str
    elif type_ is GraphQLBoolean:
        own = bool
    else:
        own = type(None)  # no value is written as it is
    serialize = type_.serialize
    if isinstance(type_, GraphQLEnumType):
        serialize = cache(serialize)  # it looks through all members; there are few values

    def write(value: Any, _pending: Pending) -> Any:
        if type(value) is own and value is not None:
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
