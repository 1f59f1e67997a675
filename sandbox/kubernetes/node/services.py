"""A real node: containerd, kubelet, kube-proxy and CoreDNS, in isolated namespaces. It runs real containers.

All state is in one folder: the next start continues with its volumes, images and pods, as after a reboot.
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

from sandbox.data_folder import SandboxError
from sandbox.kubernetes.control_plane import SERVICE_CIDR, SYSTEM_PATH, ControlPlane, start_control_plane
from sandbox.kubernetes.node.ingress import route_unmatched_hosts, start_ingress
from sandbox.kubernetes.node.isolation import create_pod_network, mount_private_dirs
from sandbox.kubernetes.node.network_policies import PolicyEnforcer
from sandbox.kubernetes.node.reflector import Reflector
from sandbox.kubernetes.node.tools import find_tool, run_tool
from sandbox.kubernetes.node.volumes import CLAIMS, CLASSES, VOLUMES, Volumes, create_storage_class
from sandbox.processes import Child

NODE_NAME = "node-1"
NODE_IP = "10.88.0.1"
POD_NETWORK_BITS = 16
POD_NETWORK = f"10.88.0.0/{POD_NETWORK_BITS}"
API_PORT = 6443
RUN_DIR = Path("/run/storefleet")
"""On the private /run of the namespace; the paths of sockets must be short."""
CONFIG = Path(__file__).with_name("config")
CNI_DIRS = ("/usr/lib/cni", "/opt/cni/bin")
PODS, NAMESPACES = "/api/v1/pods", "/api/v1/namespaces"
POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
PACKAGES = {
    "runc": "runc", "iptables": "iptables", "nft": "nftables", "conntrack": "conntrack", "ip": "iproute2",
    "unshare": "util-linux", "mkfs.ext4": "e2fsprogs",
}  # fmt: skip
"""By program: the Debian package that contains it."""
MAX_RESTARTS = 20
POLL_SECONDS = 0.5
DEBOUNCE_SECONDS = 0.01


def missing_requirements() -> str | None:
    """Why this machine can't run a node and what to do, or None when it can."""
    if os.geteuid() != 0:
        return "a real node needs root"
    packages = [package for program, package in PACKAGES.items() if find_tool(program) is None]
    if _cni_dir() is None:
        packages.append("containernetworking-plugins")
    return f"a real node needs {' '.join(packages)}: make setup-node" if packages else None


def _cni_dir() -> str | None:
    return next((folder for folder in CNI_DIRS if Path(folder, "bridge").exists()), None)


@dataclass(frozen=True)
class NodeConfig:
    """The node's options; the launcher passes them as JSON."""

    folder: Path
    programs: Mapping[str, Path]
    envoy: Path
    cgroup: str
    images: Sequence[Path]
    base_domain: str | None
    """Requests for hosts below it that no store has go to the platform; None: they get 404."""


@dataclass
class Node:
    """The node's processes. A service that ends is started again, as by an init system."""

    plane: ControlPlane
    programs: Mapping[str, Path]
    cgroup: str
    services: dict[str, Callable[[], Child]] = field(default_factory=dict)
    running: dict[str, Child] = field(default_factory=dict)
    restarts: int = 0

    def start_service(self, name: str, start: Callable[[], Child]) -> None:
        """Start a service; `restart_ended` starts it again when it ends."""
        self.services[name] = start
        self.running[name] = start()
        self.plane.children.remove(self.running[name])  # else `check` would raise when it ends

    def restart_ended(self) -> None:
        """Start services again that have ended.

        Raises SandboxError when the control plane has ended, or after MAX_RESTARTS.
        """
        self.plane.check()
        for name, child in self.running.items():
            if child.returncode is not None:
                self.restarts += 1
                if self.restarts > MAX_RESTARTS:
                    raise SandboxError(f"{name} ended {MAX_RESTARTS + 1} times: {child.log_tail(1)} (log: {child.log})")
                self.running[name] = self.services[name]()
                self.plane.children.remove(self.running[name])

    def stop(self) -> None:
        """Kill all services, as a power failure would; only etcd gets SIGTERM."""
        for child in self.running.values():
            child.kill()
        self.plane.stop()


def run_node(config: NodeConfig) -> NoReturn:
    """Run the node until it is interrupted. Prints one line of JSON when it is ready. Raises SandboxError."""
    started = time.monotonic()
    mount_private_dirs()
    create_pod_network(NODE_IP, POD_NETWORK_BITS, SERVICE_CIDR)
    RUN_DIR.mkdir()
    plane = start_control_plane(config.folder, config.programs["kube-apiserver"].parent, f"{NODE_IP}:{API_PORT}")
    node = Node(plane, config.programs, config.cgroup)
    try:
        volumes = Volumes(plane, config.folder / "volumes", NODE_NAME)
        volumes.mount_all()
        _start_containerd(node, config.images)
        _start_services(node)
        create_storage_class(plane)
        start_ingress(node, config.envoy, NODE_IP)
        if config.base_domain is not None:
            route_unmatched_hosts(plane, NODE_IP, config.base_domain)
        plane.wait("ready node", lambda: _is_ready(plane))
        print(json.dumps({"server": f"https://{plane.address}", "seconds": time.monotonic() - started}), flush=True)
        _run_controllers(node, volumes)
    finally:
        node.stop()


def _run_controllers(node: Node, volumes: Volumes) -> NoReturn:
    """The controllers for volumes and network policies: reconcile after each change, and every POLL_SECONDS."""
    changed = threading.Event()
    claims, bound, classes, pods, namespaces, policies = (
        Reflector(node.plane, path, changed) for path in (CLAIMS, VOLUMES, CLASSES, PODS, NAMESPACES, POLICIES)
    )
    enforcer = PolicyEnforcer(NODE_IP)
    while True:
        changed.wait(POLL_SECONDS)
        time.sleep(DEBOUNCE_SECONDS)
        changed.clear()
        enforcer.enforce(policies.items(), pods.items(), namespaces.items())
        volumes.reconcile(claims.items(), bound.items(), classes.items())
        node.restart_ended()


def _render_config(node: Node, name: str, **more: str | Path) -> Path:
    """Write a configuration file from config/, with its `$NAMES` replaced. Returns its path."""
    values = {
        "STATE": node.plane.folder, "RUN": RUN_DIR, "PKI": node.plane.pki.folder, "CNI": _cni_dir() or CNI_DIRS[0],
        "ADDRESS": NODE_IP, "PODS": POD_NETWORK, "CGROUP": node.cgroup, **more,
    }  # fmt: skip
    path = node.plane.folder / "config" / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(Template((CONFIG / name).read_text()).substitute(values))
    return path


def _start_containerd(node: Node, images: Sequence[Path]) -> None:
    """Start containerd, and import the images that it doesn't have yet."""
    _render_config(node, "10-bridge.conflist")
    config = _render_config(node, "containerd.toml")
    path = f"{node.programs['containerd'].parent}:{SYSTEM_PATH}"
    node.start_service(
        "containerd",
        lambda: node.plane.run("containerd", [node.programs["containerd"], "--config", config], env={"PATH": path}),
    )
    ctr = [str(node.programs["ctr"]), "--address", f"{RUN_DIR}/containerd.sock", "--namespace", "k8s.io"]
    node.plane.wait(
        "containerd", lambda: subprocess.run([*ctr, "version"], capture_output=True, check=False).returncode == 0
    )
    marks = node.plane.folder / "containerd" / "imported"
    marks.mkdir(exist_ok=True)
    for image in images:
        mark = marks / image.name  # the name contains a hash of the content
        if not mark.exists():
            done = subprocess.run([*ctr, "images", "import", image], capture_output=True, text=True, check=False)
            if done.returncode:
                raise SandboxError(f"containerd can't import {image.name}: {' '.join(done.stderr.split())[-300:]}")
            mark.touch()


def _start_services(node: Node) -> None:
    plane, programs = node.plane, node.programs
    plane.pki.issue("kubelet", NODE_NAME, hosts=[NODE_IP, NODE_NAME])
    kubelet = plane.write_kubeconfig(
        plane.pki.path("kubelet.kubeconfig"), "node", f"system:node:{NODE_NAME}", "system:nodes"
    )
    plane.write_kubeconfig(plane.pki.path("kube-proxy.kubeconfig"), "kube-proxy", "system:kube-proxy")
    plane.write_kubeconfig(plane.pki.path("coredns.kubeconfig"), "coredns", "coredns", "system:masters")
    kubelet_command: list[str | Path] = [
        programs["kubelet"],
        f"--config={_render_config(node, 'kubelet.yaml')}",
        f"--kubeconfig={kubelet}",
        f"--root-dir={_kubelet_root(plane.folder)}",
        f"--cert-dir={plane.pki.folder}",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={NODE_IP}",
    ]
    node.start_service(
        "kubelet", lambda: plane.run("kubelet", kubelet_command, env={"AWS_EC2_METADATA_DISABLED": "true"})
    )
    proxy: list[str | Path] = [
        programs["kube-proxy"],
        f"--config={_render_config(node, 'kube-proxy.yaml')}",
        f"--hostname-override={NODE_NAME}",
    ]
    node.start_service("kube-proxy", lambda: plane.run("kube-proxy", proxy))
    dns: list[str | Path] = [programs["coredns"], "-conf", _render_config(node, "Corefile")]
    node.start_service("coredns", lambda: plane.run("coredns", dns))


def _kubelet_root(folder: Path) -> Path:
    """The kubelet's data folder, mounted at a short path: the paths of the sockets in it must be short."""
    data, mount_point = folder / "kubelet" / "root", RUN_DIR / "kubelet"
    for path in (data, mount_point):
        path.mkdir(mode=0o711, parents=True, exist_ok=True)
    run_tool("mount", "--bind", data, mount_point)
    return mount_point


def _is_ready(plane: ControlPlane) -> bool:
    status, node = plane.call("GET", f"/api/v1/nodes/{NODE_NAME}")
    conditions = node.get("status", {}).get("conditions", []) if status == 200 else []
    return any(row["type"] == "Ready" and row["status"] == "True" for row in conditions)
