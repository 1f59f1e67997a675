"""The API's contract: schema.graphql is what is served, and no change to it breaks who relies on it."""

import os
import subprocess

import pytest
from graphql import build_schema, is_enum_type, is_object_type, is_specified_scalar_type

from accounts.models import ROLES, SCOPES
from schema import enums
from schema.build import schema
from schema.nodes import FINDERS
from stores.events import EVENT_TYPES
from stores.plans import PLANS
from tests.support.schema_changes import CURRENT, ROOT, breaking_changes, changelog, releases

CHANGELOG = ROOT / "docs" / "SCHEMA_CHANGELOG.md"


def test_the_committed_files_are_of_the_schema() -> None:
    """After a change: UPDATE_SCHEMA=1 pytest tests/unit/schema/test_schema.py"""
    if os.environ.get("UPDATE_SCHEMA"):
        CURRENT.write_text(schema.as_str() + "\n")
        CHANGELOG.write_text(changelog())
    assert CURRENT.read_text() == schema.as_str() + "\n"
    assert CHANGELOG.read_text() == changelog()


def test_the_schema_breaks_no_client_of_the_latest_release() -> None:
    """A field is deprecated in one release, and may be removed in a later one, when no client uses it."""
    assert breaking_changes(releases()[-1].read_text(), schema.as_str()) == []


@pytest.mark.parametrize("revision", ["HEAD", "HEAD~1"])
def test_the_schema_breaks_no_client_of_an_earlier_commit(revision: str) -> None:
    shown = subprocess.run(
        ["git", "show", f"{revision}:schema.graphql"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if shown.returncode != 0:
        pytest.skip(f"git has no schema.graphql at {revision}: it takes a clone with history")
    assert breaking_changes(shown.stdout, schema.as_str()) == []


BEFORE = """
type Query { old: Old @deprecated(reason: "Use kept.") kept(a: Int): Kept! list: [Kept!] mode: Mode }
type Old { id: ID } type Kept { id: ID } enum Mode { A B @deprecated }
"""
BREAKING = {
    "kept(a: Int): Kept!": "kept(a: Int!): Kept!",
    "id: ID } enum": "name: ID } enum",
    "Mode { A": "Mode {",
    "list: [Kept!]": "list: Kept",
}
FINE = {'old: Old @deprecated(reason: "Use kept.")': "", "kept(a: Int)": "kept(a: Int, b: Int)", "B @deprecated": ""}


@pytest.mark.parametrize("change", BREAKING)
def test_a_breaking_change_is_noticed(change: str) -> None:
    assert breaking_changes(BEFORE, BEFORE.replace(change, BREAKING[change]))


def test_what_is_deprecated_may_be_removed() -> None:
    after = BEFORE.replace("type Old { id: ID }", "")
    for change, replacement in FINE.items():
        after = after.replace(change, replacement)
    assert breaking_changes(BEFORE, after) == []


def test_enums_name_what_the_domain_has() -> None:
    for enum, values in (
        (enums.PlanName, PLANS),
        (enums.EventType, EVENT_TYPES),
        (enums.Role, ROLES),
        (enums.Scope, SCOPES),
        (enums.EngineName, ("woocommerce", "medusa", enums.UNKNOWN)),
    ):
        assert [member.value for member in enum] == list(values)


def test_everything_has_a_description() -> None:
    """Each type, field, argument, input field and enum value."""
    described = build_schema(schema.as_str())
    missing = []
    for name, kind in described.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(kind):
            continue
        members = kind.values if is_enum_type(kind) else getattr(kind, "fields", {})
        missing += [name] if not kind.description else []
        missing += [f"{name}.{member}" for member, definition in members.items() if not definition.description]
        for member, definition in members.items():
            arguments = getattr(definition, "args", {})
            missing += [f"{name}.{member}({each})" for each, given in arguments.items() if not given.description]
    assert missing == []


def test_a_deprecation_says_what_to_use() -> None:
    for kind in build_schema(schema.as_str()).type_map.values():
        for definition in getattr(kind, "fields", {}).values():
            assert definition.deprecation_reason is None or definition.deprecation_reason.startswith("Use ")


def test_each_type_with_a_global_id_is_found_by_it() -> None:
    built = build_schema(schema.as_str())
    with_id = {name for name, kind in built.type_map.items() if is_object_type(kind) and "id" in kind.fields}
    nodes = {kind.name for kind in built.get_implementations(built.type_map["Node"]).objects}  # type: ignore[arg-type]  # it is an interface
    assert with_id - {"AuditReference"} == nodes == set(FINDERS)
