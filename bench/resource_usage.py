"""Resource usage on a real node: memory by program, and memory and CPU of a store's pods."""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.system import System
from sandbox.kubernetes.node.isolation import CGROUP_ROOT
from sandbox.kubernetes.node.launcher import cgroup_name

MIB = 2**20
PROGRAMS = {
    "etcd": "etcd",
    "kube-apiserver": "API server",
    "kube-controller-manager": "controller-manager",
    "kube-scheduler": "scheduler",
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd's shims, one a pod",
    "kubelet": "kubelet",
    "kube-proxy": "kube-proxy",
    "coredns": "CoreDNS",
    "contour": "Contour",
    "envoy": "Envoy",
}
OTHER = "the sandbox (launcher, port forwarding, volumes, network policies)"


@dataclass(frozen=True)
class Usage:
    """A pod's working set in MiB, as a kubelet counts it, and its CPU seconds so far."""

    memory: float
    cpu: float


def memory_by_program(launcher: int, instance: System) -> dict[str, float]:
    """Memory in MiB by program (proportional set size: shared pages count once)."""
    usage: dict[str, float] = defaultdict(float)
    for process in [psutil.Process(launcher), *psutil.Process(launcher).children(recursive=True)]:
        try:
            usage[_program(process)] += process.memory_full_info().pss / MIB
        except psutil.NoSuchProcess:
            continue  # short-lived: a probe, or a CNI plugin
    usage["Storefleet API"] = _tree([instance.api.pid])
    usage["Storefleet worker"] = _tree([child.pid for child in instance.workers])
    usage["PostgreSQL"] = _tree([instance.servers["postgres"]])
    usage["Valkey"] = _tree([instance.servers["valkey"]])
    return dict(usage)


def _program(process: psutil.Process) -> str:
    name = process.name()
    if "/kubepods" in Path(f"/proc/{process.pid}/cgroup").read_text() and name not in PROGRAMS:
        return "stores' containers"
    return PROGRAMS.get(name, OTHER)


def _tree(roots: Iterable[int]) -> float:
    """Memory in MiB of these processes and their descendants."""
    total = 0.0
    for root in roots:
        for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
            try:
                total += process.memory_full_info().pss / MIB
            except psutil.NoSuchProcess:
                continue
    return total


def usage(state: Path, uid: str) -> Usage:
    """The usage of the pod with that UID on the node of that folder, from its cgroup. Raises LookupError."""
    group = cgroup_name(state)
    for top in (CGROUP_ROOT / group, *CGROUP_ROOT.glob(f"*/{group}")):
        for pod in top.glob(f"kubepods/*/pod{uid}"):
            if (pod / "memory.current").exists():
                return _usage_v2(pod)
            if (pod / "memory.usage_in_bytes").exists():
                cpu = int((CGROUP_ROOT / "cpuacct" / pod.relative_to(top.parent) / "cpuacct.usage").read_text()) / 1e9
                used = int((pod / "memory.usage_in_bytes").read_text())
                return Usage((used - _counter(pod / "memory.stat", "total_inactive_file")) / MIB, cpu)
    raise LookupError(f"the pod {uid} has no cgroup in {group}")


def _usage_v2(pod: Path) -> Usage:
    used = int((pod / "memory.current").read_text()) - _counter(pod / "memory.stat", "inactive_file")
    return Usage(used / MIB, _counter(pod / "cpu.stat", "usage_usec") / 1e6)


def _counter(file: Path, name: str) -> int:
    rows = dict(line.split()[:2] for line in file.read_text().splitlines())
    return int(rows[name])


def usage_since(state: Path, uid: str, before: Usage, since: float) -> tuple[float, float]:
    """Memory in MiB now, and CPU in thousandths of a core since `before`, taken at `since` of the monotonic clock."""
    now = usage(state, uid)
    return now.memory, (now.cpu - before.cpu) / (time.monotonic() - since) * 1000
