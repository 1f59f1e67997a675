"""What an image is made of: a folder with a Dockerfile, and `bases.toml` that says what stands where.

bases.toml begins with the image's full name. Each table after it is a build argument of the Dockerfile that names a
base image, and says of which Debian packages one can be made:

    image = "docker.io/storefleet/sample:1"
    [BASE]
    suite = "trixie"
    packages = ["python3-minimal", "python3-pymysql"]
    run = ["shell commands, inside the new root"]
"""

import hashlib
import json
import platform
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sandbox.folder import SandboxError

FOLDER = Path(__file__).resolve().parents[2] / "images"


@dataclass(frozen=True)
class Base:
    """A root file system of Debian packages."""

    suite: str
    packages: Sequence[str] = ()
    run: Sequence[str] = ()
    """Shell commands that root runs inside, with the packages there."""

    def key(self, *more: str) -> str:
        """Other packages, another machine or whatever else is given make another one."""
        return _digest(json.dumps([asdict(self), platform.machine(), more], sort_keys=True).encode())


@dataclass(frozen=True)
class Recipe:
    """An image to build."""

    folder: Path
    image: str
    """Its full name, such as `docker.io/storefleet/sample:1`."""
    bases: Mapping[str, Base]
    """By the build argument that names the base image."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """By the build argument that gets the name of each: what isn't in the folder, but in the build context."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Other values of build arguments than the Dockerfile's own."""

    @property
    def name(self) -> str:
        return self.folder.name

    def key(self, *more: str) -> str:
        """Another file, name, content or right to run it makes another image. Raises SandboxError."""
        parts = [platform.machine().encode(), *(word.encode() for word in more)]
        for path in context(self.folder):
            parts += [str(path.relative_to(self.folder)).encode(), oct(mode(path)).encode(), path.read_bytes()]
        for argument, path in sorted(self.files.items()):
            try:
                with path.open("rb") as file:
                    content = hashlib.file_digest(file, "sha256").digest()
            except OSError as error:
                raise SandboxError(f"{argument}={path} can't be read: {error.strerror}") from None
            parts += [argument.encode(), path.name.encode(), content]
        for argument, value in sorted(self.arguments.items()):
            parts += [argument.encode(), value.encode()]
        return _digest(*parts)


def context(folder: Path) -> list[Path]:
    """The files of a build context, in one order."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def mode(path: Path) -> int:
    """Of a file in an image: what git keeps, whatever the umask was."""
    return 0o755 if path.stat().st_mode & 0o100 else 0o644


def names() -> list[str]:
    """Of all images that there are."""
    return sorted(path.parent.name for path in FOLDER.glob("*/Dockerfile"))


def read(name: str, files: Mapping[str, Path] | None = None, arguments: Mapping[str, str] | None = None) -> Recipe:
    """The image of that name, with those files and values that its Dockerfile asks for. Raises SandboxError."""
    here = FOLDER / name
    if name not in names():
        raise SandboxError(f"there is no image {name!r}; there are: {', '.join(names()) or 'none'}")
    asked = set(re.findall(r"^ARG\s+(\w+)", (here / "Dockerfile").read_text(), re.MULTILINE))
    try:
        told = tomllib.loads((here / "bases.toml").read_text())
        image = told.pop("image", None)
        if not isinstance(image, str) or not re.fullmatch(r"(localhost|[^/]*[.:][^/]*)/[a-z0-9._/-]+:[\w.-]+", image):
            raise ValueError('image must be the full name, such as "docker.io/storefleet/sample:1"')
        bases = {argument: _base(argument, table) for argument, table in told.items()}
        if unknown := bases.keys() - asked:
            raise ValueError(f"the Dockerfile has no `ARG {min(unknown)}`")
    except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise SandboxError(f"images/{name}/bases.toml: {getattr(error, 'strerror', error)}") from None
    given = {argument: path for argument, path in (files or {}).items() if argument in asked}
    for argument, path in given.items():
        if not re.fullmatch(r"[\w.+-]+", path.name) or (here / path.name).exists():
            raise SandboxError(f"{argument}={path}: the image's folder gets a copy, so it needs another, plain name")
    values = {argument: value for argument, value in (arguments or {}).items() if argument in asked}
    return Recipe(here, image, bases, given, values)


def _base(argument: str, table: Any) -> Base:
    """Raises ValueError."""
    if not isinstance(table, dict) or table.keys() - {"suite", "packages", "run"}:
        raise ValueError(f"[{argument}] takes suite, packages and run")
    suite, packages, run = table.get("suite"), table.get("packages", []), table.get("run", [])
    if not isinstance(suite, str) or not re.fullmatch(r"[a-z]+", suite):
        raise ValueError(f'[{argument}] needs a suite, such as "trixie"')
    for key, words, wanted in (("packages", packages, r"[a-z0-9.+-]+"), ("run", run, r"(?s).+")):
        if not isinstance(words, list) or not all(
            isinstance(word, str) and re.fullmatch(wanted, word) for word in words
        ):
            raise ValueError(f"[{argument}] {key} must be a list of {'names' if key == 'packages' else 'commands'}")
    return Base(suite, tuple(packages), tuple(run))


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]
