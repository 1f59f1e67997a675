"""Commands and manifests in the documents: what a reader copies and pastes."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("charts/**/*.md"), *ROOT.glob(".github/*.md")]
)
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
HEREDOC = re.compile(r"<<-?'?(\w+)'?[^\n]*\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)


def blocks(document: Path, language: str) -> list[str]:
    """The contents of fenced blocks of that language, without the indentation of the fence."""
    found = BLOCK.findall(document.read_text())
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, fenced, text in found if fenced == language]


def manifests(document: Path) -> list[str]:
    """YAML of the document: its own blocks, and what commands read from their standard input."""
    inputs = [text for block in blocks(document, "bash") for _, text in HEREDOC.findall(block)]
    return blocks(document, "yaml") + inputs


def commands(document: Path, program: str) -> Iterator[list[str]]:
    """The words of each command that begins with this program, from fenced and indented blocks and from `code`."""
    text = document.read_text()
    scripts = blocks(document, "bash")
    scripts += re.findall(r"^ {4}([\w./].*)$", text, re.MULTILINE) + re.findall(r"`([\w./][^`\n]*)`", text)
    for script in scripts:
        without_inputs = HEREDOC.sub("", script).replace("\\\n", " ")
        for line in re.split(r"\n|\|\|?|&&|;", without_inputs):
            if re.match(rf"\s*(?:\./)?{program} ", line):
                yield shlex.split(line, comments=True)[1:]
