"""Fake image builders: real processes, on a PATH that has only them."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.images import build_images, definition

TOML = 'image = "docker.io/storefleet/{name}:1"\n[BASE]\nsuite = "trixie"\npackages = ["php", "apache2"]\n'
Build = Callable[..., list[Path]]

PROGRAM = """\
#!{python} -IS
import json, os, re, sys, time
from pathlib import Path

bin = Path(sys.argv[0]).parent
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
line = " ".join([name, *words])
with (bin / "calls").open("a") as file:
    print(line, file=file)
for pattern, message in json.loads((bin / "failures").read_text()):
    if re.search(pattern, line):
        print(message)
        sys.exit(125)
store = json.loads((bin / "store").read_text())
if name == "unshare":
    words = words[words.index("--") + 1 :]
    os.execvp(words[0], words)
if name == "apt-get":
    print((bin / "sources").read_text())
if name == "mmdebstrap":
    next(Path(word) for word in words if word.endswith(".tar")).write_text("a root file system")
if "build" in words:
    if (bin / "pause").exists():
        (bin / "builds").write_text(str(os.getpid()))
        while (bin / "pause").exists():
            time.sleep(0.01)
    context = Path(words[-1])
    files = {{
        str(path.relative_to(context)): [oct(path.stat().st_mode & 0o777), path.read_text()]
        for path in context.rglob("*")
        if path.is_file()
    }}
    (bin / "contexts").open("a").write(json.dumps(files) + "\\n")
    store[words[words.index("--tag") + 1]] = words[words.index("--label") + 1].partition("=")[2]
    (bin / "store").write_text(json.dumps(store))
if "inspect" in words:
    print(store.get(words[-1], ""))
if "push" in words:
    Path(words[-1].split(":")[1]).write_text("archive of " + words[-2])
if "save" in words:
    Path(words[words.index("--output") + 1]).write_text("archive of " + words[-1])
"""


class Builders:
    """The fake builders that are installed; their commands are recorded."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.cache = folder / "cache" / "storefleet" / "images"
        self.environment = {"PATH": str(self.bin), "XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)}
        (self.bin / "store").write_text("{}")
        self.refuse()

    def add(self, *programs: str) -> None:
        for program in programs:
            (self.bin / program).write_text(PROGRAM.format(python=os.path.realpath(sys.executable)))
            (self.bin / program).chmod(0o755)

    def refuse(self, *failures: tuple[str, str]) -> None:
        """From now on, commands that match a pattern fail. `failures`: pairs of pattern and last output."""
        (self.bin / "failures").write_text(json.dumps(failures))

    @property
    def calls(self) -> list[str]:
        """The commands since the last call of `calls`; the workspace's folder is replaced with THERE."""
        path = self.bin / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [" ".join(_shortened(word) for word in line.split(" ")) for line in lines]

    @property
    def contexts(self) -> list[dict[str, list[str]]]:
        """For each build: mode and text of the files in its context, by name."""
        path = self.bin / "contexts"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def left(self) -> list[str]:
        """The names in the cache folder, except logs and the lock."""
        return sorted(path.name for path in self.cache.iterdir() if path.name not in ("logs", "lock"))

    @property
    def pause_file(self) -> Path:
        """While this file exists, builds don't end."""
        return self.bin / "pause"

    def process(self) -> int | None:
        """The process id of the paused build, once it has started."""
        path = self.bin / "builds"
        return int(path.read_text() or 0) or None if path.exists() else None


def _shortened(word: str) -> str:
    _, found, tail = word.partition("/unfinished-")
    return f"THERE/{tail.partition('/')[2]}".rstrip("/") if found else word


@pytest.fixture
def builders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builders:
    """No builder is installed yet; the code believes that root runs it."""
    builders = Builders(tmp_path)
    for name, value in builders.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return builders


@pytest.fixture(autouse=True)
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Definitions of two images, `front` and `shop`, with the same base."""
    folder = tmp_path / "images"
    for name in ("front", "shop"):
        (folder / name / "lib").mkdir(parents=True)
        (folder / name / "Dockerfile").write_text("ARG BASE=debian:trixie\nFROM ${BASE}\n")
        (folder / name / "bases.toml").write_text(TOML.format(name=name))
        (folder / name / "lib" / "start").write_text(f"start {name}")
        (folder / name / "lib" / "start").chmod(0o700)
    monkeypatch.setattr(definition, "IMAGES_DIR", folder)
    return folder


@pytest.fixture
def progress() -> list[str]:
    return []


@pytest.fixture
def build(builders: Builders, progress: list[str]) -> Build:
    def run(*names: str, **options: Any) -> list[Path]:
        progress.clear()
        return build_images(names or ["shop"], progress.append, **options)

    return run
