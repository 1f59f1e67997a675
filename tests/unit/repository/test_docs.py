"""The documents are correct: their queries fit the schema, their files exist, and their settings are complete."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from runtime.settings import ClusterProfile, Settings
from schema.build import schema

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = "accounts|api|bench|cli|runtime|schema|stores|tests|workers"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/*.md")])


def test_env_example_names_every_setting_with_its_default() -> None:
    shown = dict(re.findall(r"^(STOREFLEET_\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    known = {}
    for model in (Settings, ClusterProfile):
        for name, field in model.model_fields.items():
            default = "" if field.is_required() or field.default is None else field.default
            text = ",".join(default) if isinstance(default, tuple) else str(default)
            known[f"STOREFLEET_{name.upper()}"] = text.removesuffix(".0")
    assert shown == known


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_documented_queries_fit_the_schema() -> None:
    text = (ROOT / "docs" / "API.md").read_text()
    served = build_schema(schema.as_str())
    queries = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    queries += [found.replace('\\"', '"') for found in re.findall(r'"query":\s+"((?:[^"\\]|\\.)*)"', text)]
    queries += re.findall(r'(?:"""|`)\n?((?:query|mutation|subscription) .*?)(?:"""|`)', text, re.DOTALL)
    assert len(queries) == 8
    for query in queries:
        assert validate(served, parse(query)) == []


def test_every_file_that_a_document_names_is_there() -> None:
    tree = (ROOT / "docs" / "ARCHITECTURE.md").read_text().partition("## The tree")[2].partition("## The life")[0]
    for name in re.findall(r"^(\w+)/ ", tree, re.MULTILINE):
        assert (ROOT / name).is_dir(), name
    for name in re.findall(r"\b(\w+\.py)\b", tree):
        assert (ROOT / "workers" / name).exists(), name
    for document in DOCUMENTS:
        for path in re.findall(rf"\b(?:{PACKAGES})/[\w/]+\.py\b", document.read_text()):
            assert (ROOT / path).exists(), f"{document.name}: {path}"
