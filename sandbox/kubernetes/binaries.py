"""Builds the programs of Kubernetes from Go modules, once, into the user's cache folder.

It needs neither images nor release downloads: only Go, the modules, and some minutes the first time.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.data_folder import SandboxError
from sandbox.files import cache_folder

MODULE = Path(__file__).resolve().parent
"""The folder of go.mod and go.sum."""
HELM_MODULE = MODULE / "helm"
NODE_MODULES = MODULE / "node" / "modules"
"""Programs whose dependencies conflict with Kubernetes' versions have separate modules here."""
VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
"""Packages whose version variables are set at link time; without that the version is v0.0.0-master."""

Report = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """A program, and the Go package of its main function."""

    name: str
    package: str


CONTROL_PLANE = (
    Program("etcd", "go.etcd.io/etcd/server/v3"),
    Program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    Program("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    Program("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    Program("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
)

NODE = (
    *(program for program in CONTROL_PLANE if program.name != "kwok"),
    Program("kubelet", "k8s.io/kubernetes/cmd/kubelet"),
    Program("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy"),
)
RUNTIME = tuple(
    Program(name, f"github.com/containerd/containerd/v2/cmd/{name}")
    for name in ("containerd", "containerd-shim-runc-v2", "ctr")
)
CONTOUR = Program("contour", "github.com/projectcontour/contour/cmd/contour")
COREDNS = Program("coredns", "github.com/coredns/coredns")
HELM = Program("helm", "helm.sh/helm/v3/cmd/helm")


def build(programs: Sequence[Program], report: Report, module: Path = MODULE) -> Path:
    """Build the programs that aren't in the cache yet. Returns the folder of the programs.

    `report`: called with each line of progress.
    Raises SandboxError: without Go, when a build fails, or when the cache folder can't be written.
    """
    go = _find_go()
    flags = _flags(module)
    folder = cache_folder("go") / _cache_key(module, flags, _go(go, module, "version"))
    try:
        with _exclusive_lock(folder):
            missing = [program for program in programs if not (folder / program.name).exists()]
            if missing:
                report(f"Building {len(missing)} programs from Go modules, once; this takes some minutes.")
            for number, program in enumerate(missing, 1):
                started = time.monotonic()
                unfinished = folder / f".{program.name}.new"
                _go(go, module, "build", "-trimpath", "-ldflags", flags, "-o", str(unfinished), program.package)
                unfinished.replace(folder / program.name)  # atomic
                report(f"{number} of {len(missing)}  {program.name}  {time.monotonic() - started:.0f} s")
    except OSError as error:
        raise SandboxError(f"{folder} can't be used: {error.strerror}; choose another with XDG_CACHE_HOME") from error
    return folder


def build_helm(report: Report) -> Path:
    """Build Helm if it isn't in the cache yet. Returns its path. Raises SandboxError."""
    return build([HELM], report, HELM_MODULE) / HELM.name


def build_node(report: Report) -> dict[str, Path]:
    """Build the programs of a real node. Returns their paths by name. Raises SandboxError."""
    modules: tuple[tuple[Sequence[Program], Path], ...] = (
        (NODE, MODULE),
        (RUNTIME, NODE_MODULES / "containerd"),
        ([CONTOUR], NODE_MODULES / "contour"),
        ([COREDNS], NODE_MODULES / "coredns"),
    )
    return {
        program.name: build(programs, report, module) / program.name
        for programs, module in modules
        for program in programs
    }


def module_dir(package: str, module: Path) -> Path:
    """The folder of a required module in Go's module cache; it has files such as manifests. Raises SandboxError."""
    return Path(_go(_find_go(), module, "list", "-m", "-f", "{{.Dir}}", package))


def module_version(package: str, module: Path = MODULE) -> str:
    """The version of a required module, such as `v1.36.3`. Raises SandboxError."""
    match = re.search(rf"^\s*(?:require )?{re.escape(package)} (v\S+)", (module / "go.mod").read_text(), re.MULTILINE)
    if match is None:
        raise SandboxError(f"{module / 'go.mod'} doesn't require {package}")
    return match[1]


def _find_go() -> str:
    go = shutil.which("go")
    if go is None:
        raise SandboxError("building Kubernetes needs Go: install it (Debian: golang-go; see go.mod for the version)")
    return go


def _flags(module: Path) -> str:
    """Linker flags: no debugging symbols, and the version."""
    flags = ["-s", "-w"]
    if "k8s.io/kubernetes " in (module / "go.mod").read_text():
        full = module_version("k8s.io/kubernetes", module)
        major, minor, _ = full.removeprefix("v").split(".", 2)
        for package in VERSION_PACKAGES:
            for name, value in (("gitVersion", full), ("gitMajor", major), ("gitMinor", minor)):
                flags += ["-X", f"{package}.{name}={value}"]
    return " ".join(flags)


def _go(go: str, module: Path, *arguments: str) -> str:
    """Run a go command in the module's folder. Returns its output. Raises SandboxError with the error's end."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    result = subprocess.run([go, *arguments], cwd=module, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        error = " ".join(result.stderr.split())[-500:]
        raise SandboxError(f"`go {arguments[0]}` for {arguments[-1]} failed: {error}")
    return result.stdout.strip()


def _cache_key(module: Path, *more: str) -> str:
    """16 hexadecimal digits of a hash of everything that programs are built from."""
    digest = hashlib.sha256()
    for part in ((module / "go.mod").read_text(), (module / "go.sum").read_text(), platform.machine(), *more):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


@contextmanager
def _exclusive_lock(folder: Path) -> Iterator[None]:
    """Only one process builds; a second one waits, and then finds the programs built."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
