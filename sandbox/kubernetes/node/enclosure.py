"""What keeps a real node to itself: its own network, mounts and processes, and a control group that is always removed.

The launcher starts it and stays outside. Whatever is inside ends with its first process, and that one with the
launcher, however it ends. Only the control group could stay behind: a janitor outside waits for the launcher's end.
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

from sandbox.folder import SandboxError
from sandbox.kubernetes.node.tools import run_tool
from sandbox.processes import Child, start

CGROUPS = Path("/sys/fs/cgroup")
JANITOR_SECONDS = 30.0
ROOT = Path(__file__).resolve().parents[3]
PRIVATE_SYSCTLS = (
    "vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
)  # fmt: skip
"""What a kubelet sets for the whole machine: inside it writes to decoys."""


def enclose(name: str, argv: Sequence[str | Path], log: Path) -> Child:
    """Start a program as the second process of new namespaces; it dies with us. Raises SandboxError.

    SIGTERM for it has to go to `first_process`: unshare passes none on.
    """
    words = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc", "--", *argv]
    return start(name, words, log=log, cwd=ROOT, stop_signal=signal.SIGKILL)


def first_process(enclosed: Child) -> int:
    """The process id, as seen from outside, of process 1 inside. Raises SandboxError when it has ended."""
    try:
        children = Path(f"/proc/{enclosed.pid}/task/{enclosed.pid}/children").read_text().split()
        return int(children[0])
    except (OSError, IndexError):
        raise SandboxError(f"{enclosed.name} has ended (log: {enclosed.log})") from None


def become_first(work: Callable[[], int]) -> None:
    """As process 1: do the work in a child, reap what loses its parents, and end with the child's exit code."""
    worker = os.fork()
    if worker == 0:
        os._exit(_exit_code(work))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda sent, _frame: os.kill(worker, sent))
    while True:
        ended, status = os.wait()
        if ended == worker:
            os._exit(os.waitstatus_to_exitcode(status) & 255)


def _exit_code(work: Callable[[], int]) -> int:
    try:
        code = work()
    except SandboxError as error:
        print(error, flush=True)
        code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    return code


def shield() -> None:
    """Inside: /run, /var/lib and /var/log of our own, and decoys for the machine's settings."""
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
        decoy = Path("/run/sysctl", name.replace("/", "."))
        decoy.write_text(real.read_text())
        run_tool("mount", "--bind", decoy, real)


def connect_inside(address: str, pods_bits: int, services: str) -> None:
    """Inside: loopback and a bridge for the pods with that address, and no way out."""
    for words in (
        "link set lo up",
        "link add cni0 type bridge",
        f"addr add {address}/{pods_bits} dev cni0",
        "link set cni0 up",
        f"route add {services} dev lo src {address}",
    ):
        run_tool("ip", *words.split())
    for name in ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"):
        setting = Path("/proc/sys", name)
        if not setting.exists():
            raise SandboxError(f"the kernel has no {name}: load the module br_netfilter (modprobe br_netfilter)")
        setting.write_text("1")


@contextmanager
def control_group(name: str) -> Iterator[None]:
    """One of that name in every hierarchy; gone at the end, also when this process is killed."""
    janitor = subprocess.Popen(
        [sys.executable, "-m", "sandbox.kubernetes.node.enclosure", name],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _make_control_group(name)
        yield
    finally:
        janitor.communicate()  # closes its input
        if janitor.returncode:
            raise SandboxError(f"the control group {name} can't be removed; see {CGROUPS}")


def _hierarchies() -> list[Path]:
    """The one of version 2, or those of version 1."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return [found for found in CGROUPS.iterdir() if (found / "cgroup.procs").exists()]


def _make_control_group(name: str) -> None:
    for hierarchy in _hierarchies():
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):  # version 1 leaves them empty, and then takes no process
            if (hierarchy / file).exists() and not (CGROUPS / "cgroup.controllers").exists():
                (group / file).write_text((hierarchy / file).read_text())


def remove_control_group(name: str) -> None:
    """End what is in it and remove it. Raises TimeoutError."""
    deadline = time.monotonic() + JANITOR_SECONDS
    while tops := [found for found in (CGROUPS / name, *CGROUPS.glob(f"*/{name}")) if found.exists()]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{tops[0]} is still there")
        for top in tops:
            for folder, _, _ in os.walk(top, topdown=False):
                _empty(Path(folder))
        time.sleep(0.02)


def _empty(group: Path) -> None:
    """Everybody in our own control group is ours. What can't be removed yet is tried again."""
    with suppress(OSError):
        for pid in (group / "cgroup.procs").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        group.rmdir()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdin.buffer.read()  # until the launcher has ended
    remove_control_group(sys.argv[1])
