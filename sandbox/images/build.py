"""Builds images from their definitions. Unchanged images aren't built again; a failed build doesn't stop the others."""

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sandbox.data_folder import SandboxError
from sandbox.images import bases as debian
from sandbox.images.builders import Builder, detect_builder
from sandbox.images.definition import Base, ImageDefinition, file_mode, load_definition
from sandbox.images.workspace import Report, Workspace, cache_dir, open_workspace

Bases = Literal["registry", "debian"]
"""Where base images come from: pulled from a registry, as the Dockerfile says, or built from Debian packages."""


def build_images(
    names: Sequence[str],
    report: Report,
    bases: Bases = "debian",
    *,
    files: Mapping[str, Path] | None = None,
    arguments: Mapping[str, str] | None = None,
    archives: bool = True,
) -> list[Path]:
    """Build the images of these names. Returns the paths of their archives in the same order.

    `report`: called with each line of progress.
    `files`: by build argument, files for the build context; the argument gets the file's name.
    `arguments`: by build argument, its value.
    `archives`: False: images stay in the builder's image store if it has one, and the result is empty.
    Raises SandboxError after all builds were tried, with one line for each failed image.
    """
    definitions = [load_definition(name, files, arguments) for name in names]
    for argument, value in {**(files or {}), **(arguments or {})}.items():
        if not any(argument in {**definition.files, **definition.arguments} for definition in definitions):
            raise SandboxError(f"{argument}={value}: none of these images has `ARG {argument}`")
    failures, built = [], []
    with open_workspace(report) as workspace:
        builder = detect_builder(workspace)
        report(f"Building with {builder.name}.")
        builds = _ImageBuilds(workspace, builder, report, bases == "debian", archives or not builder.has_image_store)
        for definition in definitions:
            try:
                built += builds.build(definition)
            except SandboxError as error:
                failures.append(str(error))
            except OSError as error:
                failures.append(f"{definition.name}: {error}")
    if failures:
        raise SandboxError("\n".join(failures))
    return built


@dataclass(frozen=True)
class _ImageBuilds:
    """The images of one call of build_images."""

    workspace: Workspace
    builder: Builder
    report: Report
    debian: bool
    archives: bool
    imported: set[str] = field(default_factory=set)
    """Base images that are already in the builder's image store."""

    def build(self, definition: ImageDefinition) -> list[Path]:
        """Build one image. Returns its archive, or nothing without `archives`. Raises SandboxError."""
        started = time.monotonic()
        bases = dict(definition.bases) if self.debian else {}
        key = definition.key(*(debian.base_archive(base).name for base in bases.values()))
        archive = cache_dir() / f"{definition.name}-{key}.tar"
        built = self.builder.has_image(definition.image, key)
        unchanged = archive.exists() if self.archives else built
        if not unchanged:
            if not built:
                arguments = {argument: self._base(definition.name, argument, base) for argument, base in bases.items()}
                self._report(definition.name, "building the image")
                folder = self._context(definition)
                arguments |= definition.arguments
                arguments |= {argument: path.name for argument, path in definition.files.items()}
                certificates = os.environ.get("SSL_CERT_FILE") if definition.uses_ca else None
                self.builder.build(
                    definition.image, key, folder, arguments, definition.name, self.workspace, certificates
                )
            if self.archives:
                self.builder.export(definition.image, archive, f"{definition.name}-export", self.workspace)
        how = "unchanged" if unchanged else f"{time.monotonic() - started:.1f} s"
        size = f", {archive.stat().st_size / 1e6:.1f} MB" if self.archives else ""
        self._report(definition.name, f"{definition.image}: {how}{size}")
        return [archive] if self.archives else []

    def _base(self, name: str, argument: str, base: Base) -> str:
        """Build a base image from Debian packages if it doesn't exist. Returns its name in the builder's image store.

        Raises SandboxError.
        """
        archive = debian.base_archive(base)
        image = f"localhost/storefleet-base:{archive.stem.removeprefix('base-')}"
        log = f"{name}-{argument}"
        if not archive.exists():
            self._report(name, f"building {argument} from Debian packages")
            debian.build_base(base, log, self.workspace)
        if image not in self.imported and not self.builder.has_image(image, archive.stem):
            folder = self.workspace.folder / archive.stem
            folder.mkdir(exist_ok=True)
            (folder / "Dockerfile").write_text("FROM scratch\nADD root.tar /\n")
            (folder / "root.tar").unlink(missing_ok=True)
            (folder / "root.tar").hardlink_to(archive)
            self.builder.build(image, archive.stem, folder, {}, f"{log}-import", self.workspace)
        self.imported.add(image)
        return image

    def _context(self, definition: ImageDefinition) -> Path:
        """Create the build context: copies of the image's sources, and the additional files."""
        folder = self.workspace.folder / f"{definition.name}-context"
        for name, path in definition.sources().items():
            copy = folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            copy.chmod(file_mode(path))
            copy.parent.chmod(0o755)
        for path in definition.files.values():
            shutil.copyfile(path, folder / path.name)
        return folder

    def _report(self, name: str, what: str) -> None:
        self.report(f"{name:<12} {what}")
