"""Each action of the audit log has a text in the dashboard."""

import ast
import re
from collections.abc import Iterator

from stores.texts import TEXTS as TEXTS_FOR_OWNERS
from tests.support.harness import ROOT

PACKAGES = ("accounts", "api", "cli", "schema", "stores", "workers")
ACTION = re.compile(r"[a-z_]+\.([a-z_]*ed|left|signed_[a-z_]+)")
"""A noun and a verb in the past tense, such as store.plan_changed."""
LOG_METHODS = ("debug", "info", "warning", "error", "exception", "critical")
TEXTS = ROOT / "frontend/src/shared/i18n/texts/audit.en.ts"
"""The type check of the dashboard requires the same keys in the other languages."""


def actions() -> Iterator[str]:
    """The texts in the code that are actions. What a log line calls itself has the same form."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield from _actions(ast.parse(path.read_text()))


def _actions(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOG_METHODS:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and ACTION.fullmatch(node.value):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from _actions(child)


def test_each_action_has_a_text_in_the_dashboard() -> None:
    found = set(actions()) - TEXTS_FOR_OWNERS.keys()
    assert {"store.created", "member.left", "user.signed_in_with_link", "webhook.secret_rotated"} <= found
    assert found - set(re.findall(r"'action\.([\w.]+)':", TEXTS.read_text())) == set()
