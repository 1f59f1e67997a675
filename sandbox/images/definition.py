"""The definition of an image: a folder with a Dockerfile and `bases.toml`.

bases.toml begins with the image's full name. Each table in it is named after a build argument of the Dockerfile whose
value is a base image. The table says from which Debian packages this base image can be built instead:

    image = "docker.io/storefleet/sample:1"
    [BASE]
    suite = "trixie"
    packages = ["python3-minimal", "python3-pymysql"]
    run = ["shell commands that run in the new root file system"]

An image that is made of the repository's own files names them, before the tables: then they are in the build context,
at the same paths.

    context = ["requirements/platform.txt", "workers"]
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

from sandbox.data_folder import SandboxError

IMAGES_DIR = Path(__file__).resolve().parents[2] / "images"


@dataclass(frozen=True)
class Base:
    """A base image that is built from Debian packages."""

    suite: str
    packages: Sequence[str] = ()
    run: Sequence[str] = ()
    """Shell commands; root runs them in the new root file system after the packages are installed."""

    def key(self, *more: str) -> str:
        """The cache key: 16 hexadecimal digits of a hash of the fields, the machine's architecture and `more`."""
        return _digest(json.dumps([asdict(self), platform.machine(), more], sort_keys=True).encode())


@dataclass(frozen=True)
class ImageDefinition:
    """One image that can be built."""

    folder: Path
    image: str
    """The full name, such as `docker.io/storefleet/sample:1`."""
    bases: Mapping[str, Base]
    """By build argument: the base image that replaces the Dockerfile's default."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """By build argument: a file that is copied into the build context. The argument's value is the file's name."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Values of build arguments that replace the Dockerfile's defaults."""
    context: Sequence[str] = ()
    """Files and folders of the repository that are in the build context, too."""

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def uses_ca(self) -> bool:
        """Whether the Dockerfile can use the secret `ca`: it downloads something."""
        return "type=secret,id=ca" in (self.folder / "Dockerfile").read_text()

    def sources(self) -> dict[str, Path]:
        """The files of the build context by their path in it, sorted. Without those of `files`."""
        root = self.folder.parents[1]
        found = {str(path.relative_to(self.folder)): path for path in _files(self.folder)}
        for name in self.context:
            found |= {str(path.relative_to(root)): path for path in _files(root / name)}
        return dict(sorted(found.items()))

    def key(self, *more: str) -> str:
        """The cache key: 16 hexadecimal digits of a hash of everything that the image is built from.

        Raises SandboxError when a file can't be read.
        """
        parts = [platform.machine().encode(), *(value.encode() for value in more)]
        for name, path in self.sources().items():
            parts += [name.encode(), oct(file_mode(path)).encode(), path.read_bytes()]
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


def _files(path: Path) -> list[Path]:
    """The file, or all files in the folder."""
    paths = path.rglob("*") if path.is_dir() else [path]
    return [path for path in paths if path.is_file() and "__pycache__" not in path.parts]


def file_mode(path: Path) -> int:
    """The mode that a file gets in the image: 0o755 or 0o644, as in git, independent of the umask."""
    return 0o755 if path.stat().st_mode & 0o100 else 0o644


def image_names() -> list[str]:
    """The names of all folders in images/ that have a Dockerfile, sorted."""
    return sorted(path.parent.name for path in IMAGES_DIR.glob("*/Dockerfile"))


def load_definition(
    name: str, files: Mapping[str, Path] | None = None, arguments: Mapping[str, str] | None = None
) -> ImageDefinition:
    """Read the definition of the image `name`.

    `files` and `arguments`: by build argument; those that the Dockerfile doesn't declare are left out.
    Raises SandboxError when there is no such image, or its definition or the name of a file is invalid.
    """
    folder = IMAGES_DIR / name
    if name not in image_names():
        raise SandboxError(f"there is no image {name!r}; there are: {', '.join(image_names()) or 'none'}")
    declared = set(re.findall(r"^ARG\s+(\w+)", (folder / "Dockerfile").read_text(), re.MULTILINE))
    try:
        config = tomllib.loads((folder / "bases.toml").read_text())
        image = config.pop("image", None)
        if not isinstance(image, str) or not re.fullmatch(r"(localhost|[^/]*[.:][^/]*)/[a-z0-9._/-]+:[\w.-]+", image):
            raise ValueError('image must be the full name, such as "docker.io/storefleet/sample:1"')
        context = _names(config.pop("context", []))
        bases = {argument: _base(argument, table) for argument, table in config.items()}
        if unknown := bases.keys() - declared:
            raise ValueError(f"the Dockerfile has no `ARG {min(unknown)}`")
    except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise SandboxError(f"images/{name}/bases.toml: {getattr(error, 'strerror', error)}") from None
    given = {argument: path for argument, path in (files or {}).items() if argument in declared}
    for argument, path in given.items():
        if not re.fullmatch(r"[\w.+-]+", path.name) or (folder / path.name).exists():
            raise SandboxError(f"{argument}={path}: the image's folder gets a copy, so it needs another, plain name")
    values = {argument: value for argument, value in (arguments or {}).items() if argument in declared}
    return ImageDefinition(folder, image, bases, given, values, context)


def _names(context: Any) -> tuple[str, ...]:
    """Raises ValueError unless it is a list of files and folders of the repository."""
    if not isinstance(context, list) or not all(
        isinstance(name, str) and re.fullmatch(r"\w[\w./-]*", name) and ".." not in name for name in context
    ):
        raise ValueError("context must be a list of files and folders of the repository")
    for name in context:
        if not (IMAGES_DIR.parent / name).exists():
            raise ValueError(f"context: there is no {name}")
    return tuple(context)


def _base(argument: str, table: Any) -> Base:
    """Raises ValueError."""
    if not isinstance(table, dict) or table.keys() - {"suite", "packages", "run"}:
        raise ValueError(f"[{argument}] takes suite, packages and run")
    suite, packages, run = table.get("suite"), table.get("packages", []), table.get("run", [])
    if not isinstance(suite, str) or not re.fullmatch(r"[a-z]+", suite):
        raise ValueError(f'[{argument}] needs a suite, such as "trixie"')
    for key, values, pattern in (("packages", packages, r"[a-z0-9.+-]+"), ("run", run, r"(?s).+")):
        if not isinstance(values, list) or not all(
            isinstance(value, str) and re.fullmatch(pattern, value) for value in values
        ):
            raise ValueError(f"[{argument}] {key} must be a list of {'names' if key == 'packages' else 'commands'}")
    return Base(suite, tuple(packages), tuple(run))


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]
