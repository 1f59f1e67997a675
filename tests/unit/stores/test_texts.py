"""Texts for owners are made from one table, and the dashboard has each of them in German."""

import ast
import json
import os
import re
from collections.abc import Iterator
from string import Formatter

import pytest

from stores.engines import load_engines
from stores.texts import TEXTS, text
from tests.support.harness import ROOT

CATALOGUES = ROOT / "frontend/src/shared/i18n"
ENGINES = ("woocommerce", "medusa", "sample")
TEXT_ARGUMENTS = {
    "Blocked": (0,), "EventDraft": (1,), "Problem": (0, 1), "begin_suspension": (1,), "begin_update": (2,),
    "mark_failed": (3,), "set_health": (3,), "start_step": (3,), "record_problem": (1,), "transition": (2,),
}  # fmt: skip
"""The positions of arguments that owners read."""


def english_texts() -> dict[str, str]:
    """The table, and the titles of the engines' steps."""
    engines = load_engines(tuple(f"workers.engines.{name}" for name in ENGINES))
    titles = {f"title.{name}.{step.name}": step.title for name, engine in engines.items() for step in engine.steps}
    return {**TEXTS, **titles}


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Where it is, and the call."""
    for package in ("stores", "workers"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_the_dashboard_has_the_english_texts() -> None:
    """To write them: UPDATE_TEXTS=1 .venv/bin/python -m pytest tests/unit/stores/test_texts.py."""
    path = CATALOGUES / "apiTexts.json"
    if os.environ.get("UPDATE_TEXTS"):
        path.write_text(json.dumps(english_texts(), indent=2, ensure_ascii=False) + "\n")
    assert json.loads(path.read_text()) == english_texts()


def test_the_dashboard_has_each_text_in_german() -> None:
    entry = re.compile(r"^  '([\w.]+)':\s+(['\"])(.+)\2,$", re.MULTILINE)
    german = {code: template for code, _, template in entry.findall((CATALOGUES / "apiTexts.de.ts").read_text())}
    assert {code: fields(template) for code, template in german.items()} == {
        code: fields(template) for code, template in english_texts().items()
    }


def test_owners_read_only_texts_of_the_table() -> None:
    """A literal text would reach German owners in English."""
    literal = [
        where
        for where, call in calls()
        for position in TEXT_ARGUMENTS.get(_name(call.func), ())
        if position < len(call.args) and isinstance(call.args[position], ast.Constant | ast.JoinedStr)
        if not (isinstance(argument := call.args[position], ast.Constant) and argument.value in (None, ""))
    ]
    assert literal == []


def test_each_text_is_used() -> None:
    sources = "".join(path.read_text() for package in ("stores", "workers") for path in (ROOT / package).rglob("*.py"))
    made = {"title.": "title.{name}", "_with": "{ended}_with"}
    unused = [code for code in TEXTS if sources.count(f'"{code}"') < 2 and not any(part in code for part in made)]
    assert unused == []
    assert all(name in sources for name in made.values())


def test_a_text_needs_its_code_and_its_values() -> None:
    assert text("cause.disk_full", component="web") == "The disk of web is full."
    with pytest.raises(KeyError):
        text("cause.disk_full")
    with pytest.raises(KeyError):
        text("cause.unknown")


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
