"""Starts a real node in an enclosure and opens its ports on loopback. Stays outside; what is inside dies with it."""

import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.folder import SandboxError, hold
from sandbox.kubernetes.binaries import Say, build_node
from sandbox.kubernetes.control_plane import GRACE_SECONDS, HOST, is_free, port_of
from sandbox.kubernetes.node.enclosure import control_group, enclose, first_process, remove_control_group
from sandbox.kubernetes.node.ingress import HTTPS_PORT, INGRESS_PORT, PLATFORM_PORT, fetch_envoy
from sandbox.kubernetes.node.ports import Ports, opened
from sandbox.kubernetes.node.services import ADDRESS, API_PORT, missing
from sandbox.processes import Child, evict

START_SECONDS = 180.0
STOP_SECONDS = 20.0
RESIDENTS = {"etcd": "etcd", "apiserver": "kube-apiserver", "containerd": "containerd", "kubelet": "kubelet"}
"""Folders inside the state, and whose they are: they outlive a killed launcher by moments."""


@dataclass(frozen=True)
class Options:
    """What a real node is started with."""

    images: tuple[Path, ...] = ()
    """OCI archives; an archive's name must change with what is in it."""
    ingress_port: int = 0
    """Of loopback outside; 0: a free one, the same again at the next start if it is still free."""
    platform_port: int | None = None
    """Of loopback outside: where requests for hosts under the base domain lead that no store has."""
    base_domain: str = "localhost"


@dataclass(frozen=True)
class Running:
    """A cluster that runs, as seen from outside."""

    kubeconfig: Path
    """Of the administrator."""
    server: str
    check: Callable[[], None]
    """Raises SandboxError when it has ended."""
    ingress_port: int | None = None
    https_port: int | None = None


def prepare(options: Options, say: Say) -> tuple[dict[str, Path], Path]:
    """Programs and Envoy, built and fetched where they aren't there yet. Raises SandboxError."""
    if problem := missing():
        raise SandboxError(problem)
    for image in options.images:
        if not image.exists():
            raise SandboxError(f"there is no image {image}; make images")
    return build_node(say), fetch_envoy(say)


@contextmanager
def node(folder: Path, options: Options, say: Say) -> Iterator[Running]:
    """A real node until the end of the block; comes back with all its data on the same folder. Raises SandboxError."""
    programs, envoy = prepare(options, say)
    folder = hold(folder)
    wait_until_gone(folder)
    state, name = folder / "node", group_of(folder)
    work = {
        "folder": str(state),
        "programs": {program: str(path) for program, path in programs.items()},
        "envoy": str(envoy),
        "cgroup": name,
        "images": [str(image) for image in options.images],
        "base_domain": options.base_domain if options.platform_port is not None else None,
    }
    argv = [sys.executable, "-m", "sandbox.kubernetes.node.inside", json.dumps(work)]
    with control_group(name):
        child = enclose("node", argv, folder / "logs" / "node.log")
        try:
            _wait(child)
            with opened(first_process(child)) as ports:
                api = ports.publish(port_of(folder / "kubeconfig") or 0, (ADDRESS, API_PORT))
                http = _publish(ports, folder / "ingress-port", INGRESS_PORT, options.ingress_port)
                https = _publish(ports, folder / "https-port", HTTPS_PORT)
                if options.platform_port is not None:
                    ports.expose((ADDRESS, PLATFORM_PORT), options.platform_port)
                server = f"https://{HOST}:{api}"
                _publish_kubeconfig(state / "kubeconfig", folder / "kubeconfig", server)
                yield Running(folder / "kubeconfig", server, lambda: _check(child), http, https)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # what was started is now ended in order
            _end(child)


def wait_until_gone(folder: Path) -> None:
    """What a killed launcher left ends within moments; then its control group is removed. Raises SandboxError."""
    for name, program in RESIDENTS.items():
        evict(folder / "node" / name, program, GRACE_SECONDS)
    try:
        remove_control_group(group_of(folder))
    except TimeoutError as error:
        raise SandboxError(f"an earlier node can't be removed: {error}") from None


def group_of(folder: Path) -> str:
    """The name of the control group of a node on that folder."""
    return f"storefleet-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


def _wait(child: Child) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not any(line.startswith('{"server"') for line in child.last_words()):
        _check(child)
        if time.monotonic() > deadline:
            raise SandboxError(f"the node isn't ready after {START_SECONDS:g} s (log: {child.log})")
        time.sleep(0.02)


def _check(child: Child) -> None:
    if child.returncode is not None:
        said = child.last_words(1) or ["it said nothing"]
        raise SandboxError(f"the node ended: {said[0][:300]} (log: {child.log})")


def _end(child: Child) -> None:
    """In order if it still runs: etcd writes everything down. Killing what is then left takes all with it."""
    if child.returncode is None:
        with suppress(SandboxError, ProcessLookupError):  # it is ending by itself
            os.kill(first_process(child), signal.SIGTERM)
        child.wait(STOP_SECONDS)
    child.kill()


def _publish(ports: Ports, kept: Path, inside: int, wanted: int = 0) -> int:
    """The port outside: the wanted one, or that of the last time if it is free, so that stores keep their addresses."""
    port = ports.publish(wanted or _kept_port(kept), (ADDRESS, inside))
    kept.write_text(str(port))
    return port


def _kept_port(kept: Path) -> int:
    """0 if there is none, or it is taken."""
    try:
        port = int(kept.read_text())
    except (OSError, ValueError):
        return 0
    return port if is_free(port) else 0


def _publish_kubeconfig(inner: Path, outer: Path, server: str) -> None:
    config = json.loads(inner.read_text())
    config["clusters"][0]["cluster"]["server"] = server
    unfinished = outer.with_name(outer.name + ".new")
    with open(unfinished, "w", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
        json.dump(config, file, indent=2)
    unfinished.replace(outer)
