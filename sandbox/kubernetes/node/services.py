"""A real node: containerd, kubelet, kube-proxy and CoreDNS, inside an enclosure. Containers run, for real.

All state is in the folder: after any end the node comes back with its volumes, images and pods, as after a reboot.
"""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import NoReturn

from sandbox.folder import SandboxError
from sandbox.kubernetes.control_plane import PLACES, SERVICES, ControlPlane, start_control_plane
from sandbox.kubernetes.node.enclosure import connect_inside, shield
from sandbox.kubernetes.node.following import Following
from sandbox.kubernetes.node.ingress import lead_to_platform, start_ingress
from sandbox.kubernetes.node.policies import Enforcer
from sandbox.kubernetes.node.tools import find_tool, run_tool
from sandbox.kubernetes.node.volumes import CLAIMS, CLASSES, VOLUMES, Volumes, make_class
from sandbox.processes import Child

NAME = "node-1"
ADDRESS = "10.88.0.1"
BITS = 16
POD_NETWORK = f"10.88.0.0/{BITS}"
API_PORT = 6443
RUN = Path("/run/storefleet")
"""Inside, where it is nobody else's: a socket's path must be short."""
CONFIG = Path(__file__).with_name("config")
CNI_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin")
PODS, NAMESPACES = "/api/v1/pods", "/api/v1/namespaces"
POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
PACKAGES = {
    "runc": "runc", "iptables": "iptables", "nft": "nftables", "conntrack": "conntrack", "ip": "iproute2",
    "unshare": "util-linux", "mkfs.ext4": "e2fsprogs",
}  # fmt: skip
"""Debian's, by the program that is looked for."""
RESTARTS = 20
TICK_SECONDS = 0.5
GATHER_SECONDS = 0.01


def missing() -> str | None:
    """Why this machine can't run a node and what would help, or None."""
    if os.geteuid() != 0:
        return "a real node needs root"
    packages = [package for program, package in PACKAGES.items() if find_tool(program) is None]
    if _cni() is None:
        packages.append("containernetworking-plugins")
    return f"a real node needs {' '.join(packages)}: make setup-node" if packages else None


def _cni() -> str | None:
    return next((folder for folder in CNI_FOLDERS if Path(folder, "bridge").exists()), None)


@dataclass(frozen=True)
class Work:
    """What the launcher asks for."""

    folder: Path
    programs: Mapping[str, Path]
    envoy: Path
    cgroup: str
    images: Sequence[Path]
    base_domain: str | None
    """Its hosts that no store has lead to the platform; None: nowhere."""


@dataclass
class Node:
    """What runs inside. A process of the node's own that ends is started again, as an init system would."""

    plane: ControlPlane
    programs: Mapping[str, Path]
    cgroup: str
    services: dict[str, Callable[[], Child]] = field(default_factory=dict)
    running: dict[str, Child] = field(default_factory=dict)
    restarts: int = 0

    def serve(self, name: str, begin: Callable[[], Child]) -> None:
        """Start it now, and again whenever it ends."""
        self.services[name] = begin
        self.running[name] = begin()
        self.plane.children.remove(self.running[name])  # `check` would take its end for the cluster's

    def keep_running(self) -> None:
        """Raises SandboxError when the control plane has ended, or a service ends again and again."""
        self.plane.check()
        for name, child in self.running.items():
            if child.returncode is not None:
                self.restarts += 1
                if self.restarts > RESTARTS:
                    raise SandboxError(f"{name} ends again and again: {child.last_words(1)} (log: {child.log})")
                self.running[name] = self.services[name]()
                self.plane.children.remove(self.running[name])

    def stop(self) -> None:
        """Kill all: the data is kept as a power cut would leave it, but for etcd, which ends in order."""
        for child in self.running.values():
            child.kill()
        self.plane.stop()


def work_inside(work: Work) -> NoReturn:
    """The second process inside: everything until it is interrupted. Prints a line of JSON when ready."""
    began = time.monotonic()
    shield()
    connect_inside(ADDRESS, BITS, SERVICES)
    RUN.mkdir()
    plane = start_control_plane(work.folder, work.programs["kube-apiserver"].parent, f"{ADDRESS}:{API_PORT}")
    node = Node(plane, work.programs, work.cgroup)
    try:
        volumes = Volumes(plane, work.folder / "volumes", NAME)
        volumes.mount_all()
        _start_containerd(node, work.images)
        _start_services(node)
        make_class(plane)
        start_ingress(node, work.envoy, ADDRESS)
        if work.base_domain is not None:
            lead_to_platform(plane, ADDRESS, work.base_domain)
        plane.wait("ready node", lambda: _is_ready(plane))
        print(json.dumps({"server": f"https://{plane.address}", "seconds": time.monotonic() - began}), flush=True)
        _help(node, volumes)
    finally:
        node.stop()


def _help(node: Node, volumes: Volumes) -> NoReturn:
    """What other clusters have drivers and controllers for: volumes and network policies. Never returns."""
    changed = threading.Event()
    claims, bound, classes, pods, namespaces, policies = (
        Following(node.plane, path, changed) for path in (CLAIMS, VOLUMES, CLASSES, PODS, NAMESPACES, POLICIES)
    )
    enforcer = Enforcer(ADDRESS)
    while True:
        changed.wait(TICK_SECONDS)
        time.sleep(GATHER_SECONDS)
        changed.clear()
        enforcer.enforce(policies.items(), pods.items(), namespaces.items())
        volumes.bring(claims.items(), bound.items(), classes.items())
        node.keep_running()


def _render(node: Node, name: str, **more: str | Path) -> Path:
    """A configuration file with its `$NAMES` replaced, in the folder of the node."""
    values = {
        "STATE": node.plane.folder, "RUN": RUN, "PKI": node.plane.pki.folder, "CNI": _cni() or CNI_FOLDERS[0],
        "ADDRESS": ADDRESS, "PODS": POD_NETWORK, "CGROUP": node.cgroup, **more,
    }  # fmt: skip
    path = node.plane.folder / "config" / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(Template((CONFIG / name).read_text()).substitute(values))
    return path


def _start_containerd(node: Node, images: Sequence[Path]) -> None:
    """And give it the images that it doesn't have."""
    _render(node, "10-bridge.conflist")
    config = _render(node, "containerd.toml")
    path = f"{node.programs['containerd'].parent}:{PLACES}"
    node.serve(
        "containerd",
        lambda: node.plane.run("containerd", [node.programs["containerd"], "--config", config], env={"PATH": path}),
    )
    ctr = [str(node.programs["ctr"]), "--address", f"{RUN}/containerd.sock", "--namespace", "k8s.io"]
    node.plane.wait(
        "containerd", lambda: subprocess.run([*ctr, "version"], capture_output=True, check=False).returncode == 0
    )
    known = node.plane.folder / "containerd" / "imported"
    known.mkdir(exist_ok=True)
    for image in images:
        mark = known / image.name  # an archive's name has the hash of what is in it
        if not mark.exists():
            done = subprocess.run([*ctr, "images", "import", image], capture_output=True, text=True, check=False)
            if done.returncode:
                raise SandboxError(f"containerd can't import {image.name}: {' '.join(done.stderr.split())[-300:]}")
            mark.touch()


def _start_services(node: Node) -> None:
    plane, programs = node.plane, node.programs
    plane.pki.issue("kubelet", NAME, hosts=[ADDRESS, NAME])
    kubelet = plane.write_kubeconfig(
        plane.pki.path("kubelet.kubeconfig"), "node", f"system:node:{NAME}", "system:nodes"
    )
    plane.write_kubeconfig(plane.pki.path("kube-proxy.kubeconfig"), "kube-proxy", "system:kube-proxy")
    plane.write_kubeconfig(plane.pki.path("coredns.kubeconfig"), "coredns", "coredns", "system:masters")
    words: list[str | Path] = [
        programs["kubelet"],
        f"--config={_render(node, 'kubelet.yaml')}",
        f"--kubeconfig={kubelet}",
        f"--root-dir={_kubelet_root(plane.folder)}",
        f"--cert-dir={plane.pki.folder}",
        f"--hostname-override={NAME}",
        f"--node-ip={ADDRESS}",
    ]
    node.serve("kubelet", lambda: plane.run("kubelet", words, env={"AWS_EC2_METADATA_DISABLED": "true"}))
    proxy: list[str | Path] = [
        programs["kube-proxy"],
        f"--config={_render(node, 'kube-proxy.yaml')}",
        f"--hostname-override={NAME}",
    ]
    node.serve("kube-proxy", lambda: plane.run("kube-proxy", proxy))
    names: list[str | Path] = [programs["coredns"], "-conf", _render(node, "Corefile")]
    node.serve("coredns", lambda: plane.run("coredns", names))


def _kubelet_root(folder: Path) -> Path:
    """Its data under a short name: sockets are in it, whose paths may not be long."""
    kept, short = folder / "kubelet" / "root", RUN / "kubelet"
    for path in (kept, short):
        path.mkdir(mode=0o711, parents=True, exist_ok=True)
    run_tool("mount", "--bind", kept, short)
    return short


def _is_ready(plane: ControlPlane) -> bool:
    status, node = plane.call("GET", f"/api/v1/nodes/{NAME}")
    conditions = node.get("status", {}).get("conditions", []) if status == 200 else []
    return any(row["type"] == "Ready" and row["status"] == "True" for row in conditions)
