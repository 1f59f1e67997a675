"""The house's own rules, over every file there is. What linters and import contracts can say is said there instead."""

import ast
import importlib
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST = 320
CODE = {".py", ".js", ".jsx", ".ts", ".tsx", ".sh"}
LOCKS = {"package-lock.json", "dev.txt", "runtime.txt"}

Rule = Callable[[Path, str], Iterator[str]]
"""From a file's path and text, what is wrong with it."""


def every_file() -> Iterator[Path]:
    """All that .gitignore doesn't name, found without git: there is none where only the files are unpacked."""
    ignored = [".git", *(line.strip("/") for line in (ROOT / ".gitignore").read_text().split())]

    def kept(name: str, relative: str) -> bool:
        return not any(fnmatch(name, pattern) or relative == pattern for pattern in ignored)

    for folder, folders, names in os.walk(ROOT):
        here = os.path.relpath(folder, ROOT)
        folders[:] = [name for name in folders if kept(name, os.path.normpath(f"{here}/{name}"))]
        yield from (Path(folder, name) for name in names if kept(name, os.path.normpath(f"{here}/{name}")))


def of_one_noun(path: Path, text: str) -> Iterator[str]:
    lines = text.count("\n")
    if path.suffix in CODE and lines > LONGEST:
        yield f"has {lines} lines; files of more than one noun are split"


def says_why_it_exists(path: Path, text: str) -> Iterator[str]:
    if path.suffix == ".py" and text and not ast.get_docstring(ast.parse(text)):
        yield "has no docstring that says why it exists"


def works_anywhere(path: Path, text: str) -> Iterator[str]:
    """No path of somebody's machine; images have homes of their own."""
    if path.is_relative_to(ROOT / "images"):
        return
    for found in re.findall(r"(?<![\w.$}~*-])/(?:work|root|home/\w+|Users/\w+)/[\w.]\S*", text):
        yield f"names a path of somebody's machine: {found}"


def names_no_registry(path: Path, text: str) -> Iterator[str]:
    """Where packages come from is for whoever installs them to say."""
    hosts = r"pythonhosted\.org|pypi\.org|registry\.(?:npmjs\.org|yarnpkg\.com)|npmjs\.com/|proxy\.golang\.org"
    for found in re.findall(hosts, text):
        yield f"names the registry {found}"
    for found in re.findall(r"^\s*(?:-i|--index-url|--extra-index-url|--find-links|--trusted-host)\b.*", text, re.M):
        yield f"says where packages come from: {found.strip()}"


def is_finished(path: Path, text: str) -> Iterator[str]:
    for found in re.findall(r"\b(?:TO[D]O|FIX[M]E|HAC[K])\b.*", text):
        yield f"is unfinished: {found}"


def excuses_itself(path: Path, text: str) -> Iterator[str]:
    """What silences a tool names the rule and has the reason beside it."""
    if path.suffix == ".py":
        for number, line in enumerate(text.splitlines(), 1):
            silenced = re.search(r"#\s*(?:no[q]a|type: ignor[e]|pragma: no cove[r])(.*)", line)
            if silenced and not re.match(r"(: [A-Z]+\d+(, [A-Z]+\d+)*|\[[a-z, -]+\]|)  # \w", silenced[1]):
                yield f"silences a tool without a reason beside it, line {number}"


def leaves_status_alone(path: Path, text: str) -> Iterator[str]:
    """A store's status is set when it is requested, and then moves along the table: stores/progress.py does that."""
    requests = path in (ROOT / "stores/commands.py", ROOT / "stores/adoption.py")
    requests = requests or path.is_relative_to(ROOT / "schema")  # which has another Store
    if path.suffix != ".py" or path == ROOT / "stores/progress.py" or path.is_relative_to(ROOT / "tests"):
        return
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Attribute(value=ast.Name("self" | "step"), attr="status"):
                continue
            case ast.Attribute(attr="status", ctx=ast.Store()):
                yield f"sets a status, line {node.lineno}"
            case ast.Call(func=ast.Attribute(attr="values") | ast.Name("Store"), keywords=given):
                if not requests and "status" in {keyword.arg for keyword in given}:
                    yield f"sets a status, line {node.lineno}"


def knows_no_kubernetes(path: Path, text: str) -> Iterator[str]:
    """Import contracts see imports; this sees any mention."""
    ours = path.parent.is_relative_to(ROOT / "workers/cluster") or path.is_relative_to(ROOT / "tests")
    if path.suffix == ".py" and not ours and "kubernetes_asyncio" in text:
        yield "mentions kubernetes_asyncio; only workers/cluster speaks to Kubernetes"


RULES: list[Rule] = [
    of_one_noun,
    says_why_it_exists,
    works_anywhere,
    names_no_registry,
    is_finished,
    excuses_itself,
    leaves_status_alone,
    knows_no_kubernetes,
]


@pytest.mark.parametrize("rule", RULES)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    read = 0
    complaints = []
    for path in every_file():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # an image, a font
        read += 1
        if path.name not in LOCKS or rule is names_no_registry:
            complaints += [f"{path.relative_to(ROOT)} {problem}" for problem in rule(path, text)]
    assert read > 100
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (of_one_noun, "long.py", "pass\n" * (LONGEST + 1)),
        (of_one_noun, "long.tsx", "\n" * (LONGEST + 1)),
        (says_why_it_exists, "silent.py", "import os\n"),
        (works_anywhere, "a.md", "see " + "/work" + "/main/x"),
        (works_anywhere, "a.yaml", "path: " + "/home" + "/mary/.kube/config"),
        (names_no_registry, "a.json", '"https://registry.' + 'npmjs.org/x"'),
        (names_no_registry, "runtime.txt", "--index" + "-url https://example.com/simple\n"),
        (is_finished, "a.py", "# TO" + "DO: later"),
        (excuses_itself, "a.py", "import os  # no" + "qa: F401"),
        (excuses_itself, "a.py", "if x:  # pragma: " + "no cover"),
        (excuses_itself, "a.py", "f(x)  # type: " + "ignore[arg-type]"),
        (leaves_status_alone, "a.py", "row.store.status = 'READY'"),
        (leaves_status_alone, "a.py", "store.cause, store.status = None, 'READY'"),
        (leaves_status_alone, "a.py", "update(Store).values(status='READY')"),
        (leaves_status_alone, "a.py", "Store(status='READY')"),
        (knows_no_kubernetes, "a.py", "importlib.import_module('kubernetes_asyncio')"),
    ],
)
def test_each_rule_can_be_broken(rule: Rule, name: str, text: str) -> None:
    assert len(list(rule(Path(name), text))) == 1


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (of_one_noun, "data.json", "\n" * (LONGEST + 1)),
        (of_one_noun, "long.py", "\n" * LONGEST),
        (says_why_it_exists, "__init__.py", ""),
        (works_anywhere, "a.py", "DATA/homework/x http://a.test/work/x ../root/x $HOME/work/x /usr/share/x"),
        (excuses_itself, "a.py", "f(x)  # type: " + "ignore[arg-type, misc]  # untyped there"),
        (excuses_itself, "a.py", "x = 1  # no" + "qa: S105, E501  # a name"),
        (leaves_status_alone, "a.py", "step.status, self.status = one, two\nif store.status == 'READY': pass"),
    ],
)
def test_no_rule_is_too_strict(rule: Rule, name: str, text: str) -> None:
    assert list(rule(Path(name), text)) == []


def packages() -> set[str]:
    return {path.parent.name for path in ROOT.glob("*/__init__.py")}


def test_our_packages_are_ours() -> None:
    """`schema` is a package on the index too; whoever installs it beside us gets this message."""
    for name in packages():
        assert importlib.import_module(name).__file__ == str(ROOT / name / "__init__.py")


def test_every_tool_looks_at_every_package() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert packages() == set(tools["coverage"]["run"]["source_pkgs"])
    assert packages() == set(tools["importlinter"]["root_packages"])
    assert packages() <= set(tools["mypy"]["files"])
