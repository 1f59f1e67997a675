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
    "Blocked": (0,), "EventDraft": (1,), "JobOutcome": (1,), "Problem": (0, 1), "_failed": (3,),
    "begin_suspension": (1,), "begin_update": (2,), "fail_step": (2,), "mark_failed": (3,), "record_problem": (1,),
    "set_health": (3,), "start_step": (3,), "transition": (2,),
}  # fmt: skip
"""The positions of arguments that owners read."""
TEXT_KEYWORDS = {"cause", "message", "problem", "remedy"}
"""The names of these arguments."""
TEXT_ATTRIBUTES = {"cause", "message", "trouble"}
"""The columns that owners read."""


def english_texts() -> dict[str, str]:
    """The table, and the titles of the engines' steps."""
    engines = load_engines(tuple(f"workers.engines.{name}" for name in ENGINES))
    titles = {f"title.{name}.{step.name}": step.title for name, engine in engines.items() for step in engine.steps}
    return {**TEXTS, **titles}


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def owner_texts(scope: ast.AST) -> Iterator[ast.expr]:
    """What makes the texts that owners read: arguments, and what is assigned to attributes or to such arguments."""
    arguments = [argument for call in ast.walk(scope) if isinstance(call, ast.Call) for argument in _arguments(call)]
    variables = {argument.id for argument in arguments if isinstance(argument, ast.Name)}
    yield from arguments
    for target, value in _assignments(scope):
        if isinstance(target, ast.Attribute) and target.attr in TEXT_ATTRIBUTES:
            yield value
        if isinstance(target, ast.Name) and target.id in variables:
            yield value


def literals(node: ast.AST) -> Iterator[int]:
    """The lines of the strings that aren't empty, aren't in a call of text(), and aren't keys."""
    children = list(ast.iter_child_nodes(node))
    match node:
        case ast.JoinedStr():
            yield node.lineno
        case ast.Constant(value=str(value)) if value:
            yield node.lineno
        case ast.Call() if _name(node.func) == "text":
            return
        case ast.Call() if _name(node.func) == "get":
            children = [node.func, *node.args[1:]]
        case ast.Subscript():
            children = [node.value]
    for child in children:
        yield from literals(child)


def literal_texts(source: str) -> set[int]:
    """Lines. A variable counts in its function only: another function may use its name for something else."""
    tree = ast.parse(source)
    functions: list[ast.AST] = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {line for scope in functions or [tree] for value in owner_texts(scope) for line in literals(value)}


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
    """A literal text would reach German owners in English. The dashboard doesn't show webhooks."""
    paths = [path for package in ("stores", "workers") for path in sorted((ROOT / package).rglob("*.py"))]
    literal = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in paths
        if path.parent.name != "webhooks"
        for line in sorted(literal_texts(path.read_text()))
    ]
    assert literal == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('Blocked("x", retryable=True)', True),
        ('Blocked(text("c"), retryable=False, remedy="do it")', True),
        ('EventDraft("NOTICE", message="x")', True),
        ('EventDraft("NOTICE", "a" + b)', True),
        ('EventDraft("NOTICE", cause or "all is well")', True),
        ('Problem(cause=f"x {y}")', True),
        ('store.cause = "x"', True),
        ('store.seen_at, store.cause = now, "x"', True),
        ('message = "x"\nEventDraft("NOTICE", message)', True),
        ('EventDraft("NOTICE", text(f"{code}_with", name="x"))', False),
        ('Problem(store.trouble or "", remedy=text("remedy.see_logs"))', False),
        ('message = "x"\nraise CallerError("CODE", message)', False),
    ],
)
def test_a_literal_text_is_found(source: str, found: bool) -> None:
    assert bool(literal_texts(source)) is found


def test_each_text_is_used() -> None:
    sources = "".join(path.read_text() for package in ("stores", "workers") for path in (ROOT / package).rglob("*.py"))
    unused = [
        code
        for code in TEXTS
        if sources.count(f'"{code}"') < 2 and not code.startswith("title.") and not code.endswith("_with")
    ]
    assert unused == []
    assert all(made in sources for made in ("title.{name}", "{ended}_with"))


def test_a_text_needs_its_code_and_its_values() -> None:
    assert text("cause.disk_full", component="web") == "The disk of web is full."
    with pytest.raises(KeyError):
        text("cause.disk_full")
    with pytest.raises(KeyError):
        text("cause.unknown")


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _arguments(call: ast.Call) -> Iterator[ast.expr]:
    positions = TEXT_ARGUMENTS.get(_name(call.func))
    if positions is not None:
        yield from (call.args[position] for position in positions if position < len(call.args))
        yield from (keyword.value for keyword in call.keywords if keyword.arg in TEXT_KEYWORDS)


def _assignments(scope: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Targets and values; those of a tuple one by one."""
    for node in ast.walk(scope):
        if isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            yield node.target, node.value
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    yield from zip(target.elts, node.value.elts, strict=True)
                else:
                    yield target, node.value
