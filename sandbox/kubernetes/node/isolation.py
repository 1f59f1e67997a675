"""Isolates a real node from this machine: Linux namespaces for network, mounts and processes, and a cgroup.

The launcher stays outside the namespaces. When the launcher ends, also by SIGKILL, the kernel kills process 1 of the
PID namespace, and with it all processes inside. The kernel keeps the cgroup, so a cleanup process outside removes it.
"""

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sandbox.data_folder import SandboxError
from sandbox.kubernetes.node.tools import run_tool
from sandbox.processes import Child, start

CGROUP_ROOT = Path("/sys/fs/cgroup")
CLEANUP_SECONDS = 30.0
ROOT = Path(__file__).resolve().parents[3]
PRIVATE_SYSCTLS = (
    "vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
)  # fmt: skip
"""Settings of the whole machine that a kubelet writes. In the namespace, files are mounted over them."""


def start_isolated(name: str, argv: Sequence[str | Path], log: Path) -> Child:
    """Start a program as process 1 of new namespaces. The kernel kills it when this process ends. Raises SandboxError.

    Send SIGTERM to `init_pid`: unshare doesn't forward signals.
    """
    argv = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc", "--", *argv]
    return start(name, argv, log=log, cwd=ROOT, stop_signal=signal.SIGKILL)


def init_pid(child: Child) -> int:
    """The process id, outside the namespace, of process 1 of the namespace. Raises SandboxError when it has ended."""
    try:
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        return int(children[0])
    except (OSError, IndexError):
        raise SandboxError(f"{child.name} has ended (log: {child.log})") from None


def run_as_init(main: Callable[[], int]) -> None:
    """Act as process 1: run `main` in a child process, forward signals, reap orphans, exit with main's exit code."""
    worker = os.fork()
    if worker == 0:
        os._exit(_exit_code(main))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda sent, _frame: os.kill(worker, sent))
    while True:
        ended, status = os.wait()
        if ended == worker:
            os._exit(os.waitstatus_to_exitcode(status) & 255)


def _exit_code(main: Callable[[], int]) -> int:
    try:
        code = main()
    except SandboxError as error:
        print(error, flush=True)
        code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    return code


def mount_private_dirs() -> None:
    """In the namespace: mount private /run, /var/lib and /var/log, and copies over PRIVATE_SYSCTLS."""
    run_tool("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name in ("lib", "log"):
        upper, work = Path("/run/over", name, "upper"), Path("/run/over", name, "work")
        upper.mkdir(parents=True)
        work.mkdir()
        options = f"lowerdir=/var/{name},upperdir={upper},workdir={work}"
        run_tool("mount", "-t", "overlay", "-o", options, "overlay", f"/var/{name}")
    Path("/run/sysctl").mkdir()
    for name in PRIVATE_SYSCTLS:
        real = Path("/proc/sys", name)
        copy = Path("/run/sysctl", name.replace("/", "."))
        copy.write_text(real.read_text())
        run_tool("mount", "--bind", copy, real)


def create_pod_network(address: str, pods_bits: int, services: str) -> None:
    """In the namespace: create loopback and a bridge with that IP address for the pods. There is no route out."""
    for command in (
        "link set lo up",
        "link add cni0 type bridge",
        f"addr add {address}/{pods_bits} dev cni0",
        "link set cni0 up",
        f"route add {services} dev lo src {address}",
    ):
        run_tool("ip", *command.split())
    for name in ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"):
        setting = Path("/proc/sys", name)
        if not setting.exists():
            raise SandboxError(f"the kernel has no {name}: load the module br_netfilter (modprobe br_netfilter)")
        setting.write_text("1")


@contextmanager
def cgroup(name: str) -> Iterator[None]:
    """A cgroup of that name in every hierarchy until the end of the block.

    It is removed also when this process is killed. Raises SandboxError when it can't be removed.
    """
    cleaner = subprocess.Popen(
        [sys.executable, "-m", "sandbox.kubernetes.node.isolation", name],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _create_cgroup(name)
        yield
    finally:
        cleaner.communicate()  # closes its standard input, so it begins
        if cleaner.returncode:
            raise SandboxError(f"the cgroup {name} can't be removed; see {CGROUP_ROOT}")


def _hierarchies() -> list[Path]:
    """The root folders: one of cgroup v2, or several of v1."""
    if (CGROUP_ROOT / "cgroup.controllers").exists():
        return [CGROUP_ROOT]
    return [root for root in CGROUP_ROOT.iterdir() if (root / "cgroup.procs").exists()]


def _create_cgroup(name: str) -> None:
    for hierarchy in _hierarchies():
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):  # v1 leaves them empty, and then accepts no process
            if (hierarchy / file).exists() and not (CGROUP_ROOT / "cgroup.controllers").exists():
                (group / file).write_text((hierarchy / file).read_text())


def remove_cgroup(name: str) -> None:
    """Kill the processes in the cgroup and remove it. Raises TimeoutError."""
    deadline = time.monotonic() + CLEANUP_SECONDS
    while tops := [root for root in (CGROUP_ROOT / name, *CGROUP_ROOT.glob(f"*/{name}")) if root.exists()]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{tops[0]} is still there")
        for top in tops:
            for folder, _, _ in os.walk(top, topdown=False):
                _kill_and_remove(Path(folder))
        time.sleep(0.02)


def _kill_and_remove(group: Path) -> None:
    """All processes in this cgroup are the node's. The caller tries again when the cgroup is still busy."""
    with suppress(OSError):
        for pid in (group / "cgroup.procs").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        group.rmdir()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdin.buffer.read()  # waits until the launcher has ended
    remove_cgroup(sys.argv[1])
