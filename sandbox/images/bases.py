"""Base images from Debian packages, for machines without access to a registry. mmdebstrap builds them."""

import shlex
import shutil
import subprocess
from pathlib import Path

from sandbox.data_folder import SandboxError
from sandbox.images.definition import Base
from sandbox.images.workspace import Workspace, cache_dir

EXCLUDED_PATHS = ("doc/*", "man/*", "info/*", "locale/*", "lintian/*")
MMDEBSTRAP_OPTIONS = (
    "--variant=minbase",
    '--aptopt=APT::Install-Recommends "false"',
    *(f"--dpkgopt=path-exclude=/usr/share/{path}" for path in EXCLUDED_PATHS),
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
)
CLEANUP_SCRIPT = (
    'rm -rf "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/apt/sources.list* "$1"/var/log/* "$1"/var/cache/ldconfig/*'
)
"""Removes files that mmdebstrap copies from this machine, and files that differ from run to run."""


def base_archive(base: Base) -> Path:
    """The path of the base image's root file system as a tar archive. The file may not exist yet."""
    return cache_dir() / f"base-{base.key(*MMDEBSTRAP_OPTIONS, CLEANUP_SCRIPT)}.tar"


def build_base(base: Base, name: str, workspace: Workspace) -> None:
    """Write base_archive(base). `name`: of the log file. Raises SandboxError."""
    if shutil.which("mmdebstrap") is None:
        raise SandboxError(f"{name}: base images of Debian packages need mmdebstrap; `make setup-node` installs it")
    archive = base_archive(base)
    commands = [f'chroot "$1" sh -euc {shlex.quote(command)}' for command in base.run]
    hooks = [f"--customize-hook={command}" for command in (*commands, CLEANUP_SCRIPT)]
    include = [f"--include={','.join(base.packages)}"] if base.packages else []
    command = ["mmdebstrap", *MMDEBSTRAP_OPTIONS, *include, *hooks, base.suite, archive.name, *apt_sources(base.suite)]
    workspace.run(name, command, isolated=True)
    workspace.move_to_cache(workspace.folder / archive.name, archive)


def apt_sources(suite: str) -> list[str]:
    """Lines of a sources.list: this machine's own Debian mirror, with `suite`. Empty if this machine isn't Debian."""
    argv = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)", "Created-By: Packages"]
    try:
        listed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    mirrors: dict[str, str] = {}
    for line in listed.splitlines():
        origin, _, rest = line.partition(" ")
        label, _, uri = rest.rpartition(" ")
        if origin == "Debian":
            mirrors.setdefault(label, uri)
    lines = []
    if "Debian" in mirrors:
        lines += [f"deb {mirrors['Debian']} {suite} main", f"deb {mirrors['Debian']} {suite}-updates main"]
        if "Debian-Security" in mirrors:
            lines.append(f"deb {mirrors['Debian-Security']} {suite}-security main")
    return lines
