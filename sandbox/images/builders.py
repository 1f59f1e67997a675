"""Docker, Podman or Buildah: the first that works builds the images."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.folder import SandboxError
from sandbox.images.workshop import Workshop

LABEL = "storefleet.dev/made-of"
"""Of an image in a builder's own store: the hash of what it was made of."""


@dataclass(frozen=True)
class Builder:
    """A program that takes `build`, and the words that always come first."""

    name: str
    options: Sequence[str] = ()

    @property
    def keeps(self) -> bool:
        """Whether images stay in a store of its own. Buildah, run apart, is given one that ends with the build."""
        return self.name != "buildah"

    def run(self, name: str, shop: Workshop, *words: str) -> None:
        """Raises SandboxError."""
        shop.run(name, [self.name, *self.options, *words], apart=not self.keeps)

    def has(self, image: str, key: str) -> bool:
        """Whether the image in its store was made of exactly this."""
        label = f'{{{{index .Config.Labels "{LABEL}"}}}}'
        argv = [self.name, *self.options, "image", "inspect", "--format", label, image]
        found = subprocess.run(argv, capture_output=True, text=True, check=False) if self.keeps else None
        return found is not None and found.returncode == 0 and found.stdout.strip() == key

    def build(
        self, image: str, key: str, context: Path, arguments: Mapping[str, str], name: str, shop: Workshop
    ) -> None:
        """Raises SandboxError."""
        words = [] if self.keeps else ["--isolation", "chroot"]
        for argument, value in sorted(arguments.items()):
            words += ["--build-arg", f"{argument}={value}"]
        self.run(name, shop, "build", *words, "--label", f"{LABEL}={key}", "--tag", image, str(context))

    def export(self, image: str, archive: Path, name: str, shop: Workshop) -> None:
        """The image as an archive that containerd imports under its full name. Raises SandboxError."""
        if self.name == "docker":
            self.run(name, shop, "save", "--output", archive.name, image)
        else:
            self.run(name, shop, "push", image, f"oci-archive:{archive.name}:{image}")
        shop.keep(shop.folder / archive.name, archive)


def choose(shop: Workshop) -> Builder:
    """The first whose `info` succeeds: a docker command without a daemon is common. Raises SandboxError."""
    own = ("--root", str(shop.folder / "storage"), "--runroot", str(shop.folder / "run"), "--storage-driver")
    problems = []
    for builder in (
        Builder("docker"),
        Builder("podman"),
        Builder("buildah", (*own, "overlay")),
        Builder("buildah", (*own, "vfs")),
    ):
        if shutil.which(builder.name) is None:
            continue
        try:
            builder.run(f"{builder.name}-info", shop, "info")
            return builder
        except SandboxError as error:
            problems.append(str(error))
    problems = list(dict.fromkeys(problems))
    if shutil.which("buildah") is None:
        problems.append("`make setup-node` installs buildah")
    raise SandboxError(f"images are built with docker, podman or buildah, and none works here: {'; '.join(problems)}")
