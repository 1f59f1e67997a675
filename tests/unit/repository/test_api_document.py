"""docs/API.md: its tables are those of the code. tests/flow/test_api_examples.py runs its examples."""

import os
import re
from pathlib import Path

import pytest

from accounts.errors import CODES, REQUEST_CODES, Code
from tests.support.api_tables import tables

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "API.md"


@pytest.mark.parametrize("name", tables())
def test_tables_are_current(name: str) -> None:
    """To write them: UPDATE_API=1 .venv/bin/python -m pytest tests/unit/repository/test_api_document.py."""
    pattern = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end of {name} -->)", re.DOTALL)
    if os.environ.get("UPDATE_API"):
        DOCUMENT.write_text(pattern.sub(lambda _: tables()[name], DOCUMENT.read_text()))
    assert pattern.findall(DOCUMENT.read_text()) == [tables()[name]]


def test_each_code_has_a_meaning() -> None:
    assert list(CODES) == list(Code)
    used = set()
    for folder in ("api", "schema", "stores"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text()
            used |= set(
                re.findall(r'(?:RequestError|LogStreamError|_error_response|error_response)\([^"]*"([A-Z_]+)"', text)
            )
            used |= set(re.findall(r'"code": "([A-Z_]+)"', text))
    assert used - set(REQUEST_CODES) == set()
