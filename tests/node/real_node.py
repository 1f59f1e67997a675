"""A real node for tests, started as by `make cluster-up LEVEL=node`."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from sandbox.images.workspace import cache_dir
from sandbox.kubernetes.node.isolation import CGROUP_ROOT
from sandbox.kubernetes.node.launcher import cgroup_name

ROOT = Path(__file__).resolve().parents[2]
JSON = dict[str, Any]


@dataclass
class RealNode:
    """A real node with its data in `state`."""

    state: Path
    images: tuple[Path, ...]
    platform_port: int | None = None
    process: subprocess.Popen[str] | None = None
    found: JSON = field(default_factory=dict)

    def start(self) -> None:
        """Starts it, and returns when it is ready."""
        argv = [sys.executable, "-m", "sandbox.kubernetes", "up", "--foreground", "--level", "node"]
        argv += ["--state", str(self.state), *(word for image in self.images for word in ("--image", str(image)))]
        if self.platform_port is not None:
            argv += ["--platform-port", str(self.platform_port)]
        self.process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("{"), f"the node didn't start; see {self.state / 'logs'}"
        self.status = json.loads(line)

    @property
    def kubeconfig(self) -> Path:
        return Path(self.status["kubeconfig"])

    @property
    def ingress_port(self) -> int:
        port: int = self.status["stores"]
        return port

    @property
    def https_port(self) -> int:
        port: int = self.status["https"]
        return port

    @property
    def authority(self) -> Path:
        """The CA certificate of the stores' certificates."""
        return self.state / "node" / "pki" / "ca.crt"

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal. Returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Waits until it has ended. Returns its exit code."""
        assert self.process is not None
        with self.process:
            return self.process.wait(60)

    def reboot(self) -> None:
        """Kills every process and starts it again with its data, as after a power failure."""
        self.stop(signal.SIGKILL)
        self.start()

    def ctr(self, *words: str) -> str:
        """Runs containerd's client in the node. Returns its output."""
        inside = next(process for process in self.processes("containerd") if process.is_running())
        program = Path(inside.exe()).with_name("ctr")
        argv = ["nsenter", "-t", str(inside.pid), "-m", "-p", "--", str(program)]
        options = ["-a", "/run/storefleet/containerd.sock", "-n", "k8s.io"]
        done = subprocess.run([*argv, *options, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        output: str = done.stdout
        return output

    def processes(self, name: str) -> list[psutil.Process]:
        """The node's processes with that name."""
        assert self.process is not None
        return [child for child in psutil.Process(self.process.pid).children(recursive=True) if _name(child) == name]


def _name(process: psutil.Process) -> str:
    try:
        name: str = process.name()
    except psutil.NoSuchProcess:
        return ""
    return name


def machine_state(folder: Path) -> dict[str, set[str]]:
    """All state of this machine that a node in that folder changes; other nodes don't affect it."""
    names = {cgroup_name(folder), cgroup_name(folder / "kubernetes")}
    mounts = {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    others = tempfile.gettempdir(), str(cache_dir())  # containers of other tests, and builds
    return {
        "interfaces": set(os.listdir("/sys/class/net")),
        "mounts": {path for path in mounts if path.startswith(str(folder)) or not path.startswith(others)},
        "loops": {
            file
            for file in _output("losetup", "--noheadings", "--output", "BACK-FILE").split()
            if file.startswith(str(folder))
        },
        "groups": {
            str(path)
            for name in names
            for path in (CGROUP_ROOT / name, *CGROUP_ROOT.glob(f"*/{name}"))
            if path.exists()
        },
        "firewall": {re.sub(r"\[.*", "", line) for line in _output("iptables-save").splitlines() if line[:1] != "#"},
        "tables": set(_output("nft", "list", "tables").splitlines()),
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


def _output(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def processes_in(folder: Path) -> list[str]:
    """Names of the processes with the folder in their command line, or as working directory."""
    found = []
    for process in psutil.process_iter(["name", "cwd", "cmdline"]):
        if str(folder) in f"{process.info['cwd']} {process.info['cmdline']}":
            found.append(process.info["name"])
    return found


def eventually(true: Callable[[], object], seconds: float = 30) -> None:
    """Polls until the condition is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.1)
