"""What everything on a real node takes: memory by kind of process, and memory and CPU of a store's pods."""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.system import System
from sandbox.kubernetes.node.enclosure import CGROUPS
from sandbox.kubernetes.node.launcher import group_of

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
REST = "the sandbox's own (launcher, ports, volumes, network policies)"


@dataclass(frozen=True)
class Usage:
    """Of some pods: working set (what a kubelet would count) in MiB, and CPU seconds so far."""

    memory: float
    cpu: float


def memory_by_group(launcher: int, up: System) -> dict[str, float]:
    """MiB of each kind of process (proportional set size: what is shared counts once)."""
    found: dict[str, float] = defaultdict(float)
    for process in [psutil.Process(launcher), *psutil.Process(launcher).children(recursive=True)]:
        try:
            found[_group(process)] += process.memory_full_info().pss / MIB
        except psutil.NoSuchProcess:
            continue  # a probe, or a hook of the network's
    found["our API"] = _tree([up.api.pid])
    found["our worker"] = _tree([child.pid for child in up.workers])
    found["PostgreSQL"] = _tree([up.servers["postgres"]])
    found["Valkey"] = _tree([up.servers["valkey"]])
    return dict(found)


def _group(process: psutil.Process) -> str:
    name = process.name()
    if "/kubepods" in Path(f"/proc/{process.pid}/cgroup").read_text() and name not in PROGRAMS:
        return "stores' containers"
    return PROGRAMS.get(name, REST)


def _tree(roots: Iterable[int]) -> float:
    """MiB of these processes and their children."""
    total = 0.0
    for root in roots:
        for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
            try:
                total += process.memory_full_info().pss / MIB
            except psutil.NoSuchProcess:
                continue
    return total


def usage(state: Path, uid: str) -> Usage:
    """Of the pod with that UID on the node of that folder, as its control group counts. Raises LookupError."""
    group = group_of(state)
    for top in (CGROUPS / group, *CGROUPS.glob(f"*/{group}")):
        for pod in top.glob(f"kubepods/*/pod{uid}"):
            if (pod / "memory.current").exists():
                return _usage_v2(pod)
            if (pod / "memory.usage_in_bytes").exists():
                cpu = int((CGROUPS / "cpuacct" / pod.relative_to(top.parent) / "cpuacct.usage").read_text()) / 1e9
                used = int((pod / "memory.usage_in_bytes").read_text())
                return Usage((used - _row(pod / "memory.stat", "total_inactive_file")) / MIB, cpu)
    raise LookupError(f"the pod {uid} has no control group in {group}")


def _usage_v2(pod: Path) -> Usage:
    used = int((pod / "memory.current").read_text()) - _row(pod / "memory.stat", "inactive_file")
    return Usage(used / MIB, _row(pod / "cpu.stat", "usage_usec") / 1e6)


def _row(file: Path, name: str) -> int:
    rows = dict(line.split()[:2] for line in file.read_text().splitlines())
    return int(rows[name])


def over(state: Path, uid: str, began: Usage, since: float) -> tuple[float, float]:
    """MiB now, and thousandths of a CPU since `began`, at `since` of the monotonic clock."""
    now = usage(state, uid)
    return now.memory, (now.cpu - began.cpu) / (time.monotonic() - since) * 1000
