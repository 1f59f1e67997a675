"""The programs that can build images: Docker, Podman or Buildah. The first that works is used."""

import resource
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.data_folder import SandboxError
from sandbox.images.workspace import Workspace

LABEL = "storefleet.dev/made-of"
"""Label of a built image: the cache key of its definition."""


@dataclass(frozen=True)
class Builder:
    """A program with the command `build`, and the options that are always passed to it."""

    name: str
    options: Sequence[str] = ()

    @property
    def has_image_store(self) -> bool:
        """Whether built images stay in the builder's own store. Buildah gets a temporary store for each build."""
        return self.name != "buildah"

    def run(self, name: str, workspace: Workspace, *arguments: str) -> None:
        """Run the program with these arguments. `name`: of the log file. Raises SandboxError."""
        workspace.run(name, [self.name, *self.options, *arguments], isolated=not self.has_image_store)

    def has_image(self, image: str, key: str) -> bool:
        """Whether the image is in the builder's store and its label is `key`."""
        label = f'{{{{index .Config.Labels "{LABEL}"}}}}'
        argv = [self.name, *self.options, "image", "inspect", "--format", label, image]
        if not self.has_image_store:
            return False
        result = subprocess.run(argv, capture_output=True, text=True, check=False)
        return result.returncode == 0 and result.stdout.strip() == key

    def build(
        self,
        image: str,
        key: str,
        context: Path,
        arguments: Mapping[str, str],
        name: str,
        workspace: Workspace,
        certificates: str | None = None,
    ) -> None:
        """Build the folder `context` with these build arguments as `image`. Raises SandboxError.

        `certificates`: a file that the build gets as the secret `ca`; for a network whose proxy has its own.
        """
        options = [] if self.has_image_store else ["--isolation", "chroot", "--ulimit", f"nofile={_open_files()}"]
        if certificates is not None:
            options += ["--secret", f"id=ca,src={certificates}"]
        for argument, value in sorted(arguments.items()):
            options += ["--build-arg", f"{argument}={value}"]
        self.run(name, workspace, "build", *options, "--label", f"{LABEL}={key}", "--tag", image, str(context))

    def export(self, image: str, archive: Path, name: str, workspace: Workspace) -> None:
        """Write the image as an archive that containerd can import. Raises SandboxError."""
        if self.name == "docker":
            self.run(name, workspace, "save", "--output", archive.name, image)
        else:
            self.run(name, workspace, "push", image, f"oci-archive:{archive.name}:{image}")
        workspace.move_to_cache(workspace.folder / archive.name, archive)


def detect_builder(workspace: Workspace) -> Builder:
    """The first builder whose command `info` succeeds. Raises SandboxError when none does.

    Being installed isn't enough: a docker command without a daemon is common.
    """
    storage = (
        "--root",
        str(workspace.folder / "storage"),
        "--runroot",
        str(workspace.folder / "run"),
        "--storage-driver",
    )
    problems = []
    for builder in (
        Builder("docker"),
        Builder("podman"),
        Builder("buildah", (*storage, "overlay")),
        Builder("buildah", (*storage, "vfs")),
    ):
        if shutil.which(builder.name) is None:
            continue
        try:
            builder.run(f"{builder.name}-info", workspace, "info")
            return builder
        except SandboxError as error:
            problems.append(str(error))
    problems = list(dict.fromkeys(problems))
    if shutil.which("buildah") is None:
        problems.append("`make setup-node` installs buildah")
    raise SandboxError(f"images are built with docker, podman or buildah, and none works here: {'; '.join(problems)}")


def _open_files() -> int:
    """The most files that a process of this machine may have open. Buildah would allow 1024: too few for `npm ci`."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 2**20 if limit == resource.RLIM_INFINITY else limit
