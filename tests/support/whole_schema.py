"""Documents made from the schema: each asks for all that a root field can answer with."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_object_type,
    is_required_argument,
)

from schema.build import schema

SCHEMA: GraphQLSchema = build_schema(schema.as_str())
PAGE_SIZES: Mapping[str, int] = {"Store.events": 20, "Account.auditLog": 50, "Viewer.accountsConnection": 1}
"""Of connections below a root field; of the others 5."""


def root_fields(operation: str) -> Mapping[str, GraphQLField]:
    """The fields of `query`, `mutation` or `subscription`, by name."""
    kind = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type, "subscription": SCHEMA.subscription_type}
    root = kind[operation]
    assert root is not None
    fields: Mapping[str, GraphQLField] = root.fields
    return fields


def all_fields() -> set[str]:
    """Each field of each object type, as `Type.field`; without the root types."""
    roots = (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type)
    return {
        f"{name}.{field}"
        for name, kind in SCHEMA.type_map.items()
        if is_object_type(kind) and kind not in roots and not name.startswith("__")
        for field in kind.fields
    }


def document(operation: str, name: str, arguments: Mapping[str, Any]) -> str:
    """The operation with one root field, all fields below it, and its arguments as variables of the same names."""
    field = root_fields(operation)[name]
    declared = ", ".join(f"${argument}: {field.args[argument].type}" for argument in arguments)
    given = ", ".join(f"{argument}: ${argument}" for argument in arguments)
    return (
        f"{operation} {f'({declared})' if declared else ''} {{ {name}{f'({given})' if given else ''} {_all(field)} }}"
    )


def _all(field: GraphQLField, within: tuple[str, ...] = ()) -> str:
    """The selection set of all fields. A type isn't entered again within itself.

    What is read twice is read in full only once: the items of an edge or a deprecated list are also `nodes`.
    """
    kind = get_named_type(field.type)
    if isinstance(kind, GraphQLInterfaceType):
        return "{ __typename id }"
    if not isinstance(kind, GraphQLObjectType):
        return ""
    parts = ["__typename"]
    for name, inner in kind.fields.items():
        if get_named_type(inner.type).name in (*within, kind.name):
            continue
        if any(is_required_argument(argument) for argument in inner.args.values()):
            raise AssertionError(f"{kind.name}.{name} needs arguments")
        arguments = f"(first: {PAGE_SIZES.get(f'{kind.name}.{name}', 5)})" if "first" in inner.args else ""
        is_object = isinstance(get_named_type(inner.type), GraphQLObjectType)
        if is_object and (inner.deprecation_reason or (name == "node" and kind.name.endswith("Edge"))):
            parts.append(f"{name}{arguments} {{ __typename }}")
        else:
            parts.append(f"{name}{arguments} {_all(inner, (*within, kind.name))}")
    return f"{{ {' '.join(parts)} }}"


def fields_in(answer: Any) -> Iterator[str]:
    """The fields of the objects in an answer, as `Type.field`."""
    if isinstance(answer, list):
        for item in answer:
            yield from fields_in(item)
    elif isinstance(answer, dict):
        for name, value in answer.items():
            if "__typename" in answer and name != "__typename":
                yield f"{answer['__typename']}.{name}"
            yield from fields_in(value)


def strings_in(answer: Any) -> Iterator[str]:
    """All texts in an answer."""
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, list | dict):
        for item in answer.values() if isinstance(answer, dict) else answer:
            yield from strings_in(item)
