"""Kubernetes' programs, built from Go modules once and kept in the user's cache folder.

Neither images nor downloads are needed: only Go, its modules, and some minutes the first time.
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

from sandbox.folder import SandboxError

MODULE = Path(__file__).resolve().parent
"""Where go.mod and go.sum are."""
FAMILIES = MODULE / "node" / "modules"
"""What can't share Kubernetes' own versions of its dependencies has a module of its own there."""
VERSIONED = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
"""Packages that would call themselves v0.0.0-master."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """A program and the Go package that it is built from."""

    name: str
    package: str


CONTROL_PLANE = (
    Program("etcd", "go.etcd.io/etcd/server/v3"),
    Program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    Program("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    Program("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    Program("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
)
KUBECTL = Program("kubectl", "k8s.io/kubernetes/cmd/kubectl")
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


def build(programs: Sequence[Program], say: Say, module: Path = MODULE) -> Path:
    """The folder that has the programs; those that aren't there yet are built, and `say` is told of each.

    Raises SandboxError: without Go, when a build fails, or when the cache folder can't be written.
    """
    go = _find_go()
    flags = _flags(module)
    folder = cache_folder("go") / _key(module, flags, _go(go, module, "version"))
    try:
        with _alone(folder):
            missing = [program for program in programs if not (folder / program.name).exists()]
            if missing:
                say(f"Building {len(missing)} programs from Go modules, once; this takes some minutes.")
            for number, program in enumerate(missing, 1):
                began = time.monotonic()
                unfinished = folder / f".{program.name}.new"
                _go(go, module, "build", "-trimpath", "-ldflags", flags, "-o", str(unfinished), program.package)
                unfinished.replace(folder / program.name)  # whole or not at all
                say(f"{number} of {len(missing)}  {program.name}  {time.monotonic() - began:.0f} s")
    except OSError as error:
        raise SandboxError(f"{folder} can't be used: {error.strerror}; choose another with XDG_CACHE_HOME") from error
    return folder


def build_node(say: Say) -> dict[str, Path]:
    """Each program of a real node, by its name. Raises SandboxError."""
    families: tuple[tuple[Sequence[Program], Path], ...] = (
        (NODE, MODULE),
        (RUNTIME, FAMILIES / "containerd"),
        ([CONTOUR], FAMILIES / "contour"),
        ([COREDNS], FAMILIES / "coredns"),
    )
    return {
        program.name: build(programs, say, module) / program.name
        for programs, module in families
        for program in programs
    }


def folder_of(package: str, module: Path) -> Path:
    """Where Go keeps a required module's files, such as manifests. Raises SandboxError."""
    return Path(_go(_find_go(), module, "list", "-m", "-f", "{{.Dir}}", package))


def version(package: str, module: Path = MODULE) -> str:
    """Of a required module, such as `v1.36.3`. Raises SandboxError."""
    found = re.search(rf"^\s*(?:require )?{re.escape(package)} (v\S+)", (module / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise SandboxError(f"{module / 'go.mod'} doesn't require {package}")
    return found[1]


def _find_go() -> str:
    go = shutil.which("go")
    if go is None:
        raise SandboxError("building Kubernetes needs Go: install it (Debian: golang-go; see go.mod for the version)")
    return go


def _flags(module: Path) -> str:
    """Smaller programs that know their version."""
    words = ["-s", "-w"]
    if "k8s.io/kubernetes " in (module / "go.mod").read_text():
        whole = version("k8s.io/kubernetes", module)
        major, minor, _ = whole.removeprefix("v").split(".", 2)
        for package in VERSIONED:
            for name, value in (("gitVersion", whole), ("gitMajor", major), ("gitMinor", minor)):
                words += ["-X", f"{package}.{name}={value}"]
    return " ".join(words)


def _go(go: str, module: Path, *words: str) -> str:
    """What a go command prints. Raises SandboxError with the end of what it said."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    done = subprocess.run([go, *words], cwd=module, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[-500:]
        raise SandboxError(f"`go {words[0]}` for {words[-1]} failed: {said}")
    return done.stdout.strip()


def cache_folder(what: str) -> Path:
    """Where the user's cache keeps what was built or fetched once."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "storefleet" / what


def _key(module: Path, *more: str) -> str:
    """Other sources, another compiler or other flags are other programs."""
    digest = hashlib.sha256()
    for part in ((module / "go.mod").read_text(), (module / "go.sum").read_text(), platform.machine(), *more):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Whoever comes second waits, and finds everything built."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
