"""Rules of this repository, checked on every file, for which linters and import contracts have no rule."""

import ast
import importlib
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAX_LINES = 320
CODE = {".py", ".js", ".jsx", ".ts", ".tsx", ".sh"}
LOCKS = {"package-lock.json", "dev.txt", "platform.txt", "runtime.txt", "sbom.txt"}

Rule = Callable[[Path, str], Iterator[str]]
"""Yields the violations of a file, from its path and text."""


def every_file() -> Iterator[Path]:
    """All files that .gitignore doesn't exclude; without git, so that it works in an unpacked archive."""
    ignored = [".git", *(line.strip("/") for line in (ROOT / ".gitignore").read_text().split())]

    def is_included(name: str, relative: str) -> bool:
        return not any(fnmatch(name, pattern) or relative == pattern for pattern in ignored)

    for folder, folders, names in os.walk(ROOT):
        relative_folder = os.path.relpath(folder, ROOT)
        folders[:] = [name for name in folders if is_included(name, os.path.normpath(f"{relative_folder}/{name}"))]
        yield from (
            Path(folder, name) for name in names if is_included(name, os.path.normpath(f"{relative_folder}/{name}"))
        )


def is_short(path: Path, text: str) -> Iterator[str]:
    lines = text.count("\n")
    if path.suffix in CODE and lines > MAX_LINES:
        yield f"has {lines} lines; split it"


def has_docstring(path: Path, text: str) -> Iterator[str]:
    if path.suffix == ".py" and text and not text.startswith('"""') and not ast.get_docstring(ast.parse(text)):
        yield "has no docstring"


def has_no_local_path(path: Path, text: str) -> Iterator[str]:
    """No path of a developer's machine. Images may have such paths."""
    if path.is_relative_to(ROOT / "images"):
        return
    for found in re.findall(r"(?<![\w.$}~*-])/(?:work|root|home/\w+|Users/\w+)/[\w.]\S*", text):
        yield f"names a path of a developer's machine: {found}"


def names_no_registry(path: Path, text: str) -> Iterator[str]:
    """The index of packages is configured by the person who installs them."""
    hosts = r"pythonhosted\.org|pypi\.org|registry\.(?:npmjs\.org|yarnpkg\.com)|npmjs\.com/|proxy\.golang\.org"
    for found in re.findall(hosts, text):
        yield f"names the registry {found}"
    for found in re.findall(r"^\s*(?:-i|--index-url|--extra-index-url|--find-links|--trusted-host)\b.*", text, re.M):
        yield f"configures a package index: {found.strip()}"


def has_no_todo(path: Path, text: str) -> Iterator[str]:
    for found in re.findall(r"\b(?:TO[D]O|FIX[M]E|HAC[K])\b.*", text):
        yield f"is unfinished: {found}"


def gives_reason_for_suppression(path: Path, text: str) -> Iterator[str]:
    """A suppression comment names the rule, and the reason follows in the same line."""
    if path.suffix == ".py":
        for number, line in enumerate(text.splitlines(), 1):
            suppression = re.search(r"#\s*(?:no[q]a|type: ignor[e]|pragma: no cove[r])(.*)", line)
            if suppression and not re.match(r"(: [A-Z]+\d+(, [A-Z]+\d+)*|\[[a-z, -]+\]|)  # \w", suppression[1]):
                yield f"has a suppression without a reason, line {number}"


def does_not_set_status(path: Path, text: str) -> Iterator[str]:
    """Only stores/transitions.py changes a store's status; the code that creates rows sets the first one."""
    creates_rows = path in (ROOT / "stores/creation.py", ROOT / "stores/adoption.py")
    creates_rows = creates_rows or path.is_relative_to(ROOT / "schema")  # its Store is the GraphQL type
    if path.suffix != ".py" or path == ROOT / "stores/transitions.py" or path.is_relative_to(ROOT / "tests"):
        return
    if "status" not in text:
        return
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Attribute(value=ast.Name("self" | "step"), attr="status"):
                continue
            case ast.Attribute(attr="status", ctx=ast.Store()):
                yield f"sets a status, line {node.lineno}"
            case ast.Call(func=ast.Attribute(attr="values") | ast.Name("Store"), keywords=given):
                if not creates_rows and "status" in {keyword.arg for keyword in given}:
                    yield f"sets a status, line {node.lineno}"


def does_not_mention_kubernetes_client(path: Path, text: str) -> Iterator[str]:
    """Import contracts check imports only; this finds every mention, such as importlib's."""
    allowed = path.parent.is_relative_to(ROOT / "workers/cluster") or path.is_relative_to(ROOT / "tests")
    if path.suffix == ".py" and not allowed and "kubernetes_asyncio" in text:
        yield "mentions kubernetes_asyncio; only workers/cluster may use it"


RULES: list[Rule] = [
    is_short,
    has_docstring,
    has_no_local_path,
    names_no_registry,
    has_no_todo,
    gives_reason_for_suppression,
    does_not_set_status,
    does_not_mention_kubernetes_client,
]


@pytest.mark.parametrize("rule", RULES)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    read = 0
    violations = []
    for path in every_file():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # a binary file, such as an image
        read += 1
        if path.name not in LOCKS or rule is names_no_registry:
            violations += [f"{path.relative_to(ROOT)} {problem}" for problem in rule(path, text)]
    assert read > 100
    assert not violations, "\n".join(violations)


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (is_short, "long.py", "pass\n" * (MAX_LINES + 1)),
        (is_short, "long.tsx", "\n" * (MAX_LINES + 1)),
        (has_docstring, "silent.py", "import os\n"),
        *((has_no_local_path, "a.md", f"see /{folder}/main/x") for folder in ("work", "root")),
        (has_no_local_path, "a.yaml", "path: " + "/home" + "/mary/.kube/config"),
        (names_no_registry, "a.json", '"https://registry.' + 'npmjs.org/x"'),
        (names_no_registry, "runtime.txt", "--index" + "-url https://example.com/simple\n"),
        (has_no_todo, "a.py", "# TO" + "DO: later"),
        (gives_reason_for_suppression, "a.py", "import os  # no" + "qa: F401"),
        (gives_reason_for_suppression, "a.py", "if x:  # pragma: " + "no cover"),
        (gives_reason_for_suppression, "a.py", "f(x)  # type: " + "ignore[arg-type]"),
        (does_not_set_status, "a.py", "row.store.status = 'READY'"),
        (does_not_set_status, "a.py", "store.cause, store.status = None, 'READY'"),
        (does_not_set_status, "a.py", "update(Store).values(status='READY')"),
        (does_not_set_status, "a.py", "Store(status='READY')"),
        (does_not_mention_kubernetes_client, "a.py", "importlib.import_module('kubernetes_asyncio')"),
    ],
)
def test_each_rule_can_be_broken(rule: Rule, name: str, text: str) -> None:
    assert len(list(rule(Path(name), text))) == 1


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (is_short, "data.json", "\n" * (MAX_LINES + 1)),
        (is_short, "long.py", "\n" * MAX_LINES),
        (has_docstring, "__init__.py", ""),
        *(
            (
                has_no_local_path,
                "a.py",
                f"DATA/homework/x http://a.test/{name}/x ../{name}/x $HOME/{name}/x /usr/share/x",
            )
            for name in ("work", "root")
        ),
        (gives_reason_for_suppression, "a.py", "f(x)  # type: " + "ignore[arg-type, misc]  # untyped there"),
        (gives_reason_for_suppression, "a.py", "x = 1  # no" + "qa: S105, E501  # a name"),
        (does_not_set_status, "a.py", "step.status, self.status = one, two\nif store.status == 'READY': pass"),
    ],
)
def test_no_rule_is_too_strict(rule: Rule, name: str, text: str) -> None:
    assert list(rule(Path(name), text)) == []


def packages() -> set[str]:
    return {path.parent.name for path in ROOT.glob("*/__init__.py")}


def test_our_packages_are_ours() -> None:
    """A package of the same name, such as `schema` from a package index, would shadow ours."""
    for name in packages():
        assert importlib.import_module(name).__file__ == str(ROOT / name / "__init__.py")


def test_every_tool_looks_at_every_package() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert packages() == set(tools["slipcover"]["source"])
    assert packages() == set(tools["coverage"]["run"]["source_pkgs"])
    assert packages() == set(tools["importlinter"]["root_packages"])
    assert packages() <= set(tools["mypy"]["files"])
