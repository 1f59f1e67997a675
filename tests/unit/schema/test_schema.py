"""The API's contract: schema.graphql is what is served, and no change to it breaks who relies on it."""

import os
import subprocess
from pathlib import Path

import pytest
from graphql import GraphQLScalarType, build_schema, find_breaking_changes

from accounts.models import ROLES, SCOPES
from schema import enums
from schema.build import schema
from stores.events import EVENT_TYPES
from stores.plans import PLANS

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "schema.graphql"


def test_the_committed_file_is_the_schema() -> None:
    """After a change: UPDATE_SCHEMA=1 pytest tests/unit/schema/test_schema.py"""
    if os.environ.get("UPDATE_SCHEMA"):
        FILE.write_text(schema.as_str() + "\n")
    assert FILE.read_text() == schema.as_str() + "\n"


@pytest.mark.parametrize("revision", ["HEAD", "HEAD~1"])
def test_nothing_that_somebody_may_rely_on_is_taken_away(revision: str) -> None:
    """What is to go is deprecated first, and goes once nobody uses it: with a decision record that says so."""
    shown = subprocess.run(
        ["git", "show", f"{revision}:schema.graphql"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if shown.returncode != 0:
        pytest.skip(f"git has no schema.graphql at {revision}: it takes a clone with history")
    breaking = find_breaking_changes(build_schema(shown.stdout), build_schema(schema.as_str()))
    deprecated = {line.split(":")[0].strip() for line in shown.stdout.splitlines() if "@deprecated" in line}
    assert [
        change.description for change in breaking if not any(name in change.description for name in deprecated)
    ] == []


def test_a_breaking_change_would_be_noticed() -> None:
    old = build_schema(schema.as_str())
    new = build_schema(schema.as_str().replace("  adminEmail: String!\n", "  ownerEmail: String!\n", 1))
    assert find_breaking_changes(old, new)


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
    described = build_schema(schema.as_str())
    missing = []
    for name, kind in described.type_map.items():
        if name.startswith("__") or isinstance(kind, GraphQLScalarType):
            continue
        if not kind.description and name not in ("Query", "Mutation", "Subscription"):
            missing.append(name)
        fields = getattr(kind, "fields", {})
        missing += [f"{name}.{field}" for field, definition in fields.items() if not definition.description]
    assert missing == []
