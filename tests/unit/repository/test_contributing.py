"""The recipes in CONTRIBUTING.md are true: each lists exactly the product files that mention its example."""

import dataclasses
import re
from pathlib import Path

import pytest

from schema.mutations.stores import CreateStoreInput
from schema.types import stores as types
from stores.creation import NewStore
from stores.engines import StoreSpec
from stores.insertion import COLUMNS
from stores.models import Store
from workers.engines.description import VALUES

ROOT = Path(__file__).resolve().parents[3]
PRODUCT = ("accounts", "api", "cli", "runtime", "schema", "stores", "workers", "migrations", "charts")
"""Folders; the files SCHEMA, SETTINGS and CATALOGUES belong to the product too."""
SCHEMA, SETTINGS = "schema.graphql", ".env.example"
CATALOGUES = [f"frontend/src/shared/i18n/{name}.ts" for name in ("texts/audit.en", "texts/audit.de", "apiTexts.de")]
MENTIONS = {
    "language": r"\blanguage\b",
    "retryStore": r"(?i)retry_?store\b|store\.retried\b",
    "large": r"[\"'-]large[\"'.]|\bLARGE\b",
    "ISOLATION": r"[\"'.]isolation[\"']|\bISOLATION\b",
    "cause.disk_full": r"\bcause\.disk_full\b|problems\.disk_full\(\"web",
    "medusa": r"(?i)medusa",
    "provisioning_at_once": r"(?i)provisioning_at_once",
    "SLUG_RESERVED": r"\bSLUG_RESERVED\b",
}
"""By example: the pattern of its names in paths and text."""


def recipes() -> dict[str, list[str]]:
    """By example: the paths in the recipe's list."""
    sections = (ROOT / "CONTRIBUTING.md").read_text().partition("## Recipes")[2].split("\n### ")[1:]
    return {
        section.partition("`")[2].partition("`")[0]: re.findall(r"`((?:\w+/)*[\w.-]+\.\w+)`:", section)
        for section in sections
    }


def files_that_mention(pattern: str) -> set[str]:
    files = [path for folder in PRODUCT for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".yaml")]
    files += [ROOT / SCHEMA, ROOT / SETTINGS, *(ROOT / name for name in CATALOGUES)]
    return {name for path in files if mentions(name := str(path.relative_to(ROOT)), pattern)}


def mentions(path: str, pattern: str) -> bool:
    return re.search(pattern, f"{path}\n{(ROOT / path).read_text()}") is not None


def test_every_recipe_has_an_example() -> None:
    assert recipes().keys() == MENTIONS.keys()


@pytest.mark.parametrize("example", MENTIONS)
def test_a_recipe_lists_the_files_that_mention_its_example(example: str) -> None:
    listed = recipes()[example]
    product = [path for path in listed if not path.startswith("tests/")]
    assert len(product) == len(set(product))
    assert files_that_mention(MENTIONS[example]) == set(product)


@pytest.mark.parametrize("example", MENTIONS)
def test_a_recipe_names_tests_of_its_example(example: str) -> None:
    tests = [path for path in recipes()[example] if path.startswith("tests/")]
    assert tests
    assert [path for path in tests if not mentions(path, MENTIONS[example])] == []


def test_the_fields_of_a_store_agree() -> None:
    """What a caller gives becomes a column, is shown by the API, reaches the manifests and can be adopted."""
    columns = set(Store.__table__.columns.keys())
    given = {field.name for field in dataclasses.fields(NewStore)}
    assert given | {"idempotency_key"} == {field.name for field in dataclasses.fields(CreateStoreInput)}
    shown = {field.name for field in dataclasses.fields(types.Store)}
    rendered = {field.name for field in dataclasses.fields(StoreSpec)} - {"store_id"}
    adopted = {re.sub(r"(?=[A-Z])", "_", name).lower() for name in VALUES}
    assert given <= set(COLUMNS) <= columns
    assert given <= shown
    assert given <= rendered | {"engine"}
    assert rendered | {"engine"} == adopted | {"account_id"}
