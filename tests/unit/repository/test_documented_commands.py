"""Commands in the documents: their syntax, and that their targets, options and values exist.

tests/cluster renders the chart with them.
"""

import argparse
import itertools
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.commands import _parser
from tests.support.chart import paths, values_schema
from tests.support.documented_commands import DOCUMENTS, ROOT, blocks, commands, manifests

NAMES = [str(document.relative_to(ROOT)) for document in DOCUMENTS]
EVERY_DOCUMENT = pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)


@EVERY_DOCUMENT
def test_scripts_are_whole(document: Path) -> None:
    for script in blocks(document, "bash"):
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), script


@EVERY_DOCUMENT
def test_manifests_can_be_parsed(document: Path) -> None:
    for text in manifests(document):
        assert list(yaml.safe_load_all(text)), text


@EVERY_DOCUMENT
def test_the_targets_and_variables_of_make_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    for words in commands(document, "make"):
        plain = [word for word in words if not word.startswith("-")]
        assert {word for word in plain if "=" not in word} <= targets, words
        for variable in (word.partition("=")[0] for word in plain if "=" in word):
            assert f"$({variable})" in makefile, words


def parses(words: list[str]) -> bool:
    """Whether `storefleet` accepts these words, up to the first one that stands for something: `…` or a capital."""
    parser: Any = _parser()
    given = [word for word in words if not word.startswith("-")]
    while given:
        actions = next((action for action in parser._actions if isinstance(action, argparse._SubParsersAction)), None)
        if actions is None:
            break
        if given[0] not in actions.choices:
            return given[0] == "…"
        parser = actions.choices[given.pop(0)]
    known = {option for action in parser._actions for option in action.option_strings}
    return {word.partition("=")[0] for word in words if word.startswith("--")} <= known


@EVERY_DOCUMENT
def test_the_commands_of_storefleet_exist(document: Path) -> None:
    for words in commands(document, "storefleet"):
        assert parses(words), words
    for script in blocks(document, "bash"):
        for words in re.findall(r" -- storefleet ([^\n|)]*)", script):
            assert parses(words.split()), words


@EVERY_DOCUMENT
def test_the_values_of_the_chart_exist(document: Path) -> None:
    known = {path for path, _ in paths()}
    known |= {f"settings.{name}" for name in values_schema()["properties"]["settings"]["properties"]}
    for words in commands(document, "helm"):
        if "charts/storefleet" in words:
            for option, value in itertools.pairwise(words):
                if option in ("--set", "--set-json", "--set-string"):
                    assert value.partition("=")[0] in known, value
                if option in ("--values", "-f"):
                    assert (ROOT / value).exists(), value


def test_commands_are_found() -> None:
    """So that none of these tests is empty."""
    setup = ROOT / "docs" / "SETUP.md"
    assert len(blocks(setup, "bash")) > 15
    assert sum("charts/storefleet" in words for words in commands(setup, "helm")) >= 3
    assert ["kind"] in list(commands(setup, "make"))
    assert len(manifests(setup)) > 6
    assert ["doctor"] in list(commands(ROOT / "docs" / "OPERATIONS.md", "storefleet"))
    assert not parses(["user", "add"])
    assert not parses(["users", "add", "--forever"])
