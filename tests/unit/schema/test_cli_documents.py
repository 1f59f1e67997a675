"""The CLI's documents: with `--url` it uses other installations, which may have the release before this one."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from tests.support.schema_changes import CURRENT, ROOT, releases

NEWER: set[str] = set()
"""Documents that use on purpose what the latest release doesn't have, such as "logs.LOGS"."""


def documents() -> Iterator[tuple[str, str]]:
    """The name, such as "logs.LOGS", and the text."""
    for path in sorted((ROOT / "cli").glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in ("client.execute", "client.subscribe"):
                match call.args[0]:
                    case ast.Name(id=name):
                        yield f"{path.stem}.{name}", getattr(import_module(f"cli.{path.stem}"), name)
                    case document:
                        yield f"{path.stem}.{ast.unparse(document)}", ast.literal_eval(document)


@pytest.mark.parametrize(("file", "newer"), [(CURRENT, set()), (releases()[-1], NEWER)])
def test_each_document_is_valid(file: Path, newer: set[str]) -> None:
    schema = build_schema(file.read_text())
    found = dict(documents())
    assert {"logs.LOGS", "watch.EVENTS"} <= set(found)
    refused = {name: errors for name, text in found.items() if (errors := validate(schema, parse(text)))}
    assert set(refused) == newer, refused
