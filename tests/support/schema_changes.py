"""What has changed in the API's schema since a release, made from the schemas of the releases in docs/schema/."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from graphql import (
    REMOVE,
    BreakingChange,
    DangerousChange,
    GraphQLSchema,
    Node,
    SafeChange,
    SafeChangeType,
    Visitor,
    build_ast_schema,
    build_schema,
    find_breaking_changes,
    find_schema_changes,
    is_enum_type,
    is_object_type,
    is_type_sub_type_of,
    parse,
    parse_type,
    type_from_ast,
    visit,
)

ROOT = Path(__file__).resolve().parents[2]
RELEASES = ROOT / "docs" / "schema"
CURRENT = ROOT / "schema.graphql"
ACCEPTED: Mapping[str, str] = {"UserError changed from an Object type to an Interface type.": "Decision 45."}
"""Breaking changes of what isn't deprecated, and the decision that accepts them."""


def releases() -> list[Path]:
    """The schemas of all releases, the oldest first."""
    return sorted(RELEASES.glob("*.graphql"), key=lambda file: tuple(map(int, file.stem.split("."))))


def breaking_changes(old: str, new: str) -> list[str]:
    """The changes that break clients of the old schema which use nothing deprecated; without the accepted ones."""
    before, after = _reachable(_without_deprecated(old)), build_schema(new)
    found = [change.description for change in find_breaking_changes(before, after)]
    narrowed = _narrowed(before, after)
    return [text for text in found if text not in ACCEPTED and text not in narrowed]


def _narrowed(before: GraphQLSchema, after: GraphQLSchema) -> set[str]:
    """Changes of a field's type to one that implements the type before: the same documents ask for it."""
    found = set()
    for name, kind in before.type_map.items():
        other = after.type_map.get(name)
        if not is_object_type(kind) or not is_object_type(other):
            continue
        for field in kind.fields.keys() & other.fields.keys():
            old, new = kind.fields[field].type, other.fields[field].type
            known: Any = type_from_ast(after, parse_type(str(old)))
            if known is not None and is_type_sub_type_of(after, new, known):
                found.add(f"Field {name}.{field} changed type from {old} to {new}.")
    return found


def changelog() -> str:
    """docs/SCHEMA_CHANGELOG.md."""
    versions = [(file.stem, file.read_text()) for file in releases()]
    parts = [
        "# Changelog of the schema\n\nMade from the schemas of the releases in [schema/](schema/), and from "
        "schema.graphql, by\n`UPDATE_SCHEMA=1 .venv/bin/python -m pytest tests/unit/schema/test_schema.py`.\n"
    ]
    for (_, old), (version, new) in reversed(list(pairwise([*versions, ("Unreleased", CURRENT.read_text())]))):
        sections = _sections(build_schema(old), build_schema(new))
        parts.append(f"\n## {version}\n")
        parts += [f"\n### {title}\n\n{_listed(lines)}" for title, lines in sections.items() if lines]
    return "".join([*parts, f"\n## {versions[0][0]}\n\nThe first release.\n"])


def _listed(lines: list[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)


def _sections(before: GraphQLSchema, after: GraphQLSchema) -> dict[str, list[str]]:
    changes = find_schema_changes(before, after)
    breaking = [change.description for change in changes if isinstance(change, BreakingChange)]
    known, narrowed = deprecations(before), _narrowed(before, after)
    return {
        "Breaking": [f"{text} {ACCEPTED[text]}" for text in breaking if text in ACCEPTED],
        "Removed after a deprecation": [text for text in breaking if text not in ACCEPTED and text not in narrowed],
        "Deprecated": [f"{name}: {reason}" for name, reason in deprecations(after).items() if name not in known],
        "Added": [
            change.description
            for change in changes
            if isinstance(change, SafeChange) and change.type != SafeChangeType.DESCRIPTION_CHANGED
        ],
        "May matter to a client": [
            *(change.description for change in changes if isinstance(change, DangerousChange)),
            *(text for text in breaking if text in narrowed),
        ],
    }


def deprecations(schema: GraphQLSchema) -> dict[str, str]:
    """The reasons, by field, enum value or argument. What an interface deprecates isn't repeated for its types."""
    found: dict[str, str] = {}
    for kind in schema.type_map.values():
        members = kind.values if is_enum_type(kind) else getattr(kind, "fields", {})
        inherited = {name for interface in getattr(kind, "interfaces", ()) for name in interface.fields}
        for name, definition in members.items():
            if name in inherited:
                continue
            given = getattr(definition, "args", {}).items()
            each = {f"{kind.name}.{name}": definition} | {f"{kind.name}.{name}({arg}:)": item for arg, item in given}
            found |= {path: item.deprecation_reason for path, item in each.items() if item.deprecation_reason}
    return {path: reason for path, reason in found.items() if not path.startswith("__")}


class _RemoveDeprecated(Visitor):
    def enter(self, node: Node, *_: object) -> object:
        directives = getattr(node, "directives", None) or ()
        return REMOVE if any(item.name.value == "deprecated" for item in directives) else None


def _without_deprecated(text: str) -> GraphQLSchema:
    return build_ast_schema(visit(parse(text), _RemoveDeprecated()))


def _reachable(schema: GraphQLSchema) -> GraphQLSchema:
    """Without the types that nothing but a deprecated field had."""
    return GraphQLSchema(query=schema.query_type, mutation=schema.mutation_type, subscription=schema.subscription_type)
