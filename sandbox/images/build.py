"""From recipes to images: what is there stays, what isn't is made, and one that fails doesn't stop the others."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sandbox.folder import SandboxError
from sandbox.images import bases as debian
from sandbox.images.builders import Builder, choose
from sandbox.images.recipe import Base, Recipe, context, mode, read
from sandbox.images.workshop import Say, Workshop, cache, workshop

Bases = Literal["registry", "debian"]
"""Where base images come from: the Dockerfile's own are pulled, or they are made of Debian packages."""


def build_images(
    names: Sequence[str],
    say: Say,
    bases: Bases = "debian",
    *,
    files: Mapping[str, Path] | None = None,
    arguments: Mapping[str, str] | None = None,
    archives: bool = True,
) -> list[Path]:
    """Build the images of those folders. Returns their archives in the same order; `say` is told how it goes.

    `files`: what isn't in a folder, by the build argument that gets the name of each in the build context.
    `arguments`: build arguments. Without `archives`, images stay in the store of a builder that has one, and nothing is
    returned.
    Raises SandboxError, with one line for each image that failed, when all have been tried.
    """
    recipes = [read(name, files, arguments) for name in names]
    for argument, value in {**(files or {}), **(arguments or {})}.items():
        if not any(argument in {**recipe.files, **recipe.arguments} for recipe in recipes):
            raise SandboxError(f"{argument}={value}: none of these images has `ARG {argument}`")
    failures, made = [], []
    with workshop(say) as shop:
        builder = choose(shop)
        say(f"Building with {builder.name}.")
        work = _Work(shop, builder, say, bases == "debian", archives or not builder.keeps)
        for recipe in recipes:
            try:
                made += work.image(recipe)
            except SandboxError as error:
                failures.append(str(error))
            except OSError as error:
                failures.append(f"{recipe.name}: {error}")
    if failures:
        raise SandboxError("\n".join(failures))
    return made


@dataclass(frozen=True)
class _Work:
    """How the images of one build are made."""

    shop: Workshop
    builder: Builder
    say: Say
    debian: bool
    archives: bool
    imported: set[str] = field(default_factory=set)
    """Base images that the builder's store has."""

    def image(self, recipe: Recipe) -> list[Path]:
        """Its archive, if one is wanted. Raises SandboxError."""
        began = time.monotonic()
        bases = dict(recipe.bases) if self.debian else {}
        key = recipe.key(*(debian.archive(base).name for base in bases.values()))
        archive = cache() / f"{recipe.name}-{key}.tar"
        built = self.builder.has(recipe.image, key)
        there = archive.exists() if self.archives else built
        if not there:
            if not built:
                arguments = {argument: self._base(recipe.name, argument, base) for argument, base in bases.items()}
                self._tell(recipe.name, "building it")
                folder = self._context(recipe)
                arguments |= recipe.arguments
                arguments |= {argument: path.name for argument, path in recipe.files.items()}
                self.builder.build(recipe.image, key, folder, arguments, recipe.name, self.shop)
            if self.archives:
                self.builder.export(recipe.image, archive, f"{recipe.name}-export", self.shop)
        how = "unchanged" if there else f"{time.monotonic() - began:.1f} s"
        size = f", {archive.stat().st_size / 1e6:.1f} MB" if self.archives else ""
        self._tell(recipe.name, f"{recipe.image}: {how}{size}")
        return [archive] if self.archives else []

    def _base(self, name: str, argument: str, base: Base) -> str:
        """What a base image made of Debian packages is called in the builder's store. Raises SandboxError."""
        archive = debian.archive(base)
        image = f"localhost/storefleet-base:{archive.stem.removeprefix('base-')}"
        log = f"{name}-{argument}"
        if not archive.exists():
            self._tell(name, f"making {argument} of Debian packages")
            debian.make(base, log, self.shop)
        if image not in self.imported and not self.builder.has(image, archive.stem):
            folder = self.shop.folder / archive.stem
            folder.mkdir(exist_ok=True)
            (folder / "Dockerfile").write_text("FROM scratch\nADD root.tar /\n")
            (folder / "root.tar").unlink(missing_ok=True)
            (folder / "root.tar").hardlink_to(archive)
            self.builder.build(image, archive.stem, folder, {}, f"{log}-import", self.shop)
        self.imported.add(image)
        return image

    def _context(self, recipe: Recipe) -> Path:
        """A copy of the folder, together with the files that come from elsewhere."""
        folder = self.shop.folder / f"{recipe.name}-context"
        for path in context(recipe.folder):
            copy = folder / path.relative_to(recipe.folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            copy.chmod(mode(path))
            copy.parent.chmod(0o755)
        for path in recipe.files.values():
            shutil.copyfile(path, folder / path.name)
        return folder

    def _tell(self, name: str, what: str) -> None:
        self.say(f"{name:<12} {what}")
