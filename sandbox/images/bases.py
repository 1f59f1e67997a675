"""Base images from Debian packages, where no registry can be reached: mmdebstrap makes them, apt knows from where."""

import shlex
import shutil
import subprocess
from pathlib import Path

from sandbox.folder import SandboxError
from sandbox.images.recipe import Base
from sandbox.images.workshop import Workshop, cache

UNNEEDED = ("doc/*", "man/*", "info/*", "locale/*", "lintian/*")
OPTIONS = (
    "--variant=minbase",
    '--aptopt=APT::Install-Recommends "false"',
    *(f"--dpkgopt=path-exclude=/usr/share/{path}" for path in UNNEEDED),
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
)
TIDY = (
    'rm -rf "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/apt/sources.list* "$1"/var/log/* "$1"/var/cache/ldconfig/*'
)
"""What mmdebstrap takes from this machine, and what differs from run to run."""


def archive(base: Base) -> Path:
    """Where its root file system is as a tar archive, or will be."""
    return cache() / f"base-{base.key(*OPTIONS, TIDY)}.tar"


def make(base: Base, name: str, shop: Workshop) -> None:
    """Raises SandboxError."""
    if shutil.which("mmdebstrap") is None:
        raise SandboxError(f"{name}: base images of Debian packages need mmdebstrap; `make setup-node` installs it")
    made = archive(base)
    commands = [f'chroot "$1" sh -euc {shlex.quote(command)}' for command in base.run]
    hooks = [f"--customize-hook={command}" for command in (*commands, TIDY)]
    include = [f"--include={','.join(base.packages)}"] if base.packages else []
    shop.run(name, ["mmdebstrap", *OPTIONS, *include, *hooks, base.suite, made.name, *mirrors(base.suite)], apart=True)
    shop.keep(shop.folder / made.name, made)


def mirrors(suite: str) -> list[str]:
    """Lines for apt's sources: this machine's own mirror with the suite in it. Empty where it isn't a Debian."""
    argv = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)", "Created-By: Packages"]
    try:
        listed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    found: dict[str, str] = {}
    for line in listed.splitlines():
        origin, _, rest = line.partition(" ")
        label, _, uri = rest.rpartition(" ")
        if origin == "Debian":
            found.setdefault(label, uri)
    lines = []
    if "Debian" in found:
        lines += [f"deb {found['Debian']} {suite} main", f"deb {found['Debian']} {suite}-updates main"]
        if "Debian-Security" in found:
            lines.append(f"deb {found['Debian-Security']} {suite}-security main")
    return lines
