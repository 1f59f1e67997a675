"""Starts a real node in isolated namespaces and forwards its ports to loopback. The node ends with this process."""

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

from sandbox.data_folder import SandboxError, lock_data_folder
from sandbox.files import write_private
from sandbox.kubernetes.binaries import Report, build_node
from sandbox.kubernetes.control_plane import GRACE_SECONDS, previous_port
from sandbox.kubernetes.node.ingress import HTTPS_PORT, INGRESS_PORT, PLATFORM_PORT, fetch_envoy
from sandbox.kubernetes.node.isolation import cgroup, init_pid, remove_cgroup, start_isolated
from sandbox.kubernetes.node.port_forwarding import PortForwarder, port_forwarder
from sandbox.kubernetes.node.services import API_PORT, NODE_IP, missing_requirements
from sandbox.ports import HOST, is_port_free
from sandbox.processes import Child, end_processes

START_SECONDS = 180.0
STOP_SECONDS = 20.0
STATE_OWNERS = {"etcd": "etcd", "apiserver": "kube-apiserver", "containerd": "containerd", "kubelet": "kubelet"}
"""By folder of the node's state: the program that uses it, and may run for a moment after the launcher was killed."""


@dataclass(frozen=True)
class NodeOptions:
    """Options of a real node."""

    images: tuple[Path, ...] = ()
    """OCI archives to import; the name of an archive must change with its content."""
    ingress_port: int = 0
    """Loopback port for the node's port 80; 0: the port of the last start if it is free, or another free port."""
    platform_port: int | None = None
    """Loopback port that gets requests for hosts below the base domain that no store has; None: they get 404."""
    base_domain: str = "localhost"


@dataclass(frozen=True)
class RunningCluster:
    """How to use a running cluster."""

    kubeconfig: Path
    """The administrator's kubeconfig."""
    server: str
    check: Callable[[], None]
    """Raises SandboxError when the cluster has ended."""
    ingress_port: int | None = None
    https_port: int | None = None


def prepare(options: NodeOptions, report: Report) -> tuple[dict[str, Path], Path]:
    """Build or install what is missing. Returns the programs by name, and Envoy. Raises SandboxError."""
    if problem := missing_requirements():
        raise SandboxError(problem)
    for image in options.images:
        if not image.exists():
            raise SandboxError(f"there is no image {image}; run `make images`")
    return build_node(report), fetch_envoy(report)


@contextmanager
def running_node(folder: Path, options: NodeOptions, report: Report) -> Iterator[RunningCluster]:
    """A real node until the end of the block, with the data of the folder if there is any. Raises SandboxError."""
    programs, envoy = prepare(options, report)
    folder = lock_data_folder(folder)
    remove_leftovers(folder)
    state, name = folder / "node", cgroup_name(folder)
    config = {
        "folder": str(state),
        "programs": {program: str(path) for program, path in programs.items()},
        "envoy": str(envoy),
        "cgroup": name,
        "images": [str(image) for image in options.images],
        "base_domain": options.base_domain if options.platform_port is not None else None,
    }
    argv = [sys.executable, "-m", "sandbox.kubernetes.node.entrypoint", json.dumps(config)]
    with cgroup(name):
        child = start_isolated("node", argv, folder / "logs" / "node.log")
        try:
            _wait(child)
            with port_forwarder(init_pid(child)) as forwarder:
                api = forwarder.publish(previous_port(folder / "kubeconfig") or 0, (NODE_IP, API_PORT))
                http = _publish(forwarder, folder / "ingress-port", INGRESS_PORT, options.ingress_port)
                https = _publish(forwarder, folder / "https-port", HTTPS_PORT)
                if options.platform_port is not None:
                    forwarder.expose((NODE_IP, PLATFORM_PORT), options.platform_port)
                server = f"https://{HOST}:{api}"
                _publish_kubeconfig(state / "kubeconfig", folder / "kubeconfig", server)
                yield RunningCluster(folder / "kubeconfig", server, lambda: _check(child), http, https)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the cleanup
            _stop(child)


def remove_leftovers(folder: Path) -> None:
    """Wait for the end of processes that a killed launcher left, and remove their cgroup. Raises SandboxError."""
    for name, program in STATE_OWNERS.items():
        end_processes(folder / "node" / name, program, GRACE_SECONDS)
    try:
        remove_cgroup(cgroup_name(folder))
    except TimeoutError as error:
        raise SandboxError(f"an earlier node can't be removed: {error}") from None


def cgroup_name(folder: Path) -> str:
    """The name of the cgroup of the node whose state is in this folder."""
    return f"storefleet-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


def _wait(child: Child) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not any(line.startswith('{"server"') for line in child.log_tail()):
        _check(child)
        if time.monotonic() > deadline:
            raise SandboxError(f"the node isn't ready after {START_SECONDS:g} s (log: {child.log})")
        time.sleep(0.02)


def _check(child: Child) -> None:
    if child.returncode is not None:
        lines = child.log_tail(1) or ["no output"]
        raise SandboxError(f"the node ended: {lines[0][:300]} (log: {child.log})")


def _stop(child: Child) -> None:
    """Stop the node: SIGTERM first, so that etcd writes its data; then kill all processes that are left."""
    if child.returncode is None:
        with suppress(SandboxError, ProcessLookupError):  # it has just ended
            os.kill(init_pid(child), signal.SIGTERM)
        child.wait(STOP_SECONDS)
    child.kill()


def _publish(forwarder: PortForwarder, saved: Path, node_port: int, wanted: int = 0) -> int:
    """Forward a loopback port to `node_port`. Returns the port: `wanted`, the one of the last start, or a free one.

    With the port of the last start, the URLs of stores stay valid.
    """
    port = forwarder.publish(wanted or _previous_port(saved), (NODE_IP, node_port))
    saved.write_text(str(port))
    return port


def _previous_port(saved: Path) -> int:
    """The port of the last start; 0 at the first start, or if the port is taken."""
    try:
        port = int(saved.read_text())
    except (OSError, ValueError):
        return 0
    return port if is_port_free(port) else 0


def _publish_kubeconfig(inner: Path, outer: Path, server: str) -> None:
    config = json.loads(inner.read_text())
    config["clusters"][0]["cluster"]["server"] = server
    write_private(outer, json.dumps(config, indent=2))
