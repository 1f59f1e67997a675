"""A real node as a test holds it: started as `make cluster-up LEVEL=node` starts it, and killed as it may be."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from sandbox.kubernetes.node.enclosure import CGROUPS
from sandbox.kubernetes.node.launcher import group_of

ROOT = Path(__file__).resolve().parents[2]
JSON = dict[str, Any]


@dataclass
class RealNode:
    """One on a folder of its own."""

    state: Path
    images: tuple[Path, ...]
    platform_port: int | None = None
    process: subprocess.Popen[str] | None = None
    found: JSON = field(default_factory=dict)

    def start(self) -> None:
        """Returns when it is ready."""
        argv = [sys.executable, "-m", "sandbox.kubernetes", "up", "--foreground", "--level", "node"]
        argv += ["--state", str(self.state), *(word for image in self.images for word in ("--image", str(image)))]
        if self.platform_port is not None:
            argv += ["--platform-port", str(self.platform_port)]
        self.process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("{"), f"the node didn't start; see {self.state / 'logs'}"
        self.found = json.loads(line)

    @property
    def kubeconfig(self) -> Path:
        return Path(self.found["kubeconfig"])

    @property
    def ingress_port(self) -> int:
        port: int = self.found["stores"]
        return port

    @property
    def https_port(self) -> int:
        port: int = self.found["https"]
        return port

    @property
    def authority(self) -> Path:
        """The certificate of who signed the stores'."""
        return self.state / "node" / "pki" / "ca.crt"

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Until it has ended: its exit code."""
        assert self.process is not None
        with self.process:
            return self.process.wait(60)

    def reboot(self) -> None:
        """As after a power cut: every process is killed, and what was written is kept."""
        self.end(signal.SIGKILL)
        self.start()

    def ctr(self, *words: str) -> str:
        """containerd's own client, inside."""
        inside = next(process for process in self.processes("containerd") if process.is_running())
        program = Path(inside.exe()).with_name("ctr")
        argv = ["nsenter", "-t", str(inside.pid), "-m", "--", str(program), "-a", "/run/storefleet/containerd.sock"]
        done = subprocess.run([*argv, "-n", "k8s.io", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said: str = done.stdout
        return said

    def processes(self, name: str) -> list[psutil.Process]:
        """Those of that name inside, as seen from outside."""
        assert self.process is not None
        return [child for child in psutil.Process(self.process.pid).children(recursive=True) if _name(child) == name]


def _name(process: psutil.Process) -> str:
    try:
        name: str = process.name()
    except psutil.NoSuchProcess:
        return ""
    return name


def traces(folder: Path) -> dict[str, set[str]]:
    """What a node on that folder, or within, could leave on this machine, whatever other nodes are up."""
    names = {group_of(folder), group_of(folder / "kubernetes")}
    mounts = {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    return {
        "interfaces": set(os.listdir("/sys/class/net")),
        "mounts": mounts,
        "loops": {
            file
            for file in _said("losetup", "--noheadings", "--output", "BACK-FILE").split()
            if file.startswith(str(folder))
        },
        "groups": {
            str(path) for name in names for path in (CGROUPS / name, *CGROUPS.glob(f"*/{name}")) if path.exists()
        },
        "firewall": {re.sub(r"\[.*", "", line) for line in _said("iptables-save").splitlines() if line[:1] != "#"},
        "tables": set(_said("nft", "list", "tables").splitlines()),
        "settings": {
            f"{name}={Path('/proc/sys', name).read_text().strip()}"
            for name in ("net/ipv4/ip_forward", "vm/overcommit_memory", "kernel/panic", "kernel/keys/root_maxkeys")
        },
        "folders": {
            path
            for path in ("/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/run/containerd", "/run/storefleet")
            if os.path.exists(path)
        },
    }


def _said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def residents(folder: Path) -> list[str]:
    """Names of the processes that work in the folder."""
    found = []
    for process in psutil.process_iter(["name", "cwd", "cmdline"]):
        if str(folder) in f"{process.info['cwd']} {process.info['cmdline']}":
            found.append(process.info["name"])
    return found


def eventually(true: Callable[[], object], seconds: float = 30) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.1)
