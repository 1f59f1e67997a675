"""Child processes that never outlive their parent, however it ends, and what is left of them if they do."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal

from sandbox.folder import SandboxError

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
CLONE_NEWUSER = 0x10000000
NOBODY = 65534
UNPRIVILEGED_UID = 1000
"""What root is called inside its user namespace; any number but 0 would do."""

Identity = Literal["own", "mapped", "nobody"]
"""Whom a child runs as: us; root under another number, in a user namespace; or nobody, who may go where root may."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]


@dataclass
class Child:
    """A running child process. It leads a session of its own, so a terminal's Ctrl-C reaches only us."""

    name: str
    log: Path
    stop_signal: signal.Signals
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs, `-n` after signal n."""
        return self.process.poll()

    def wait(self, seconds: float) -> int | None:
        """The return code, or None when it still runs after that many seconds."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, seconds: float = 10) -> None:
        """Ask it to end, and after that many seconds make it."""
        self.process.send_signal(self.stop_signal)
        if self.wait(seconds) is None:
            self.kill()

    def kill(self) -> None:
        """SIGKILL it and its process group; returns when it is gone."""
        if self.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()

    def last_words(self, lines: int = 20) -> list[str]:
        """The end of its log, without empty lines."""
        text = self.log.read_text(errors="replace")
        return [line.strip() for line in text.splitlines() if line.strip()][-lines:]


def start(
    name: str,
    argv: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    identity: Identity = "own",
    stop_signal: signal.Signals = signal.SIGTERM,
    death_signal: signal.Signals | None = None,
) -> Child:
    """Start a child that gets `death_signal` (default: `stop_signal`) when we die, even by SIGKILL.

    Its output goes to `log`; the log of the time before is kept as `<log>.1`. `env` is the whole environment, None is
    ours. Only the main thread may call this: the kernel sends the signal when the *thread* that forked ends.
    Raises SandboxError when the program can't be run.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(f"{name} must be started by the main thread: it would die with the thread that starts it")
    if sys.platform != "linux":
        raise SandboxError("the sandbox runs on Linux only; on other systems run it in a container or virtual machine")
    log.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_name(log.name + ".1"))
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                [os.fspath(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=env,
                start_new_session=True,
                preexec_fn=partial(_become, identity, death_signal or stop_signal, os.getpid()),
            )
    except (OSError, subprocess.SubprocessError) as error:
        hint = "" if identity == "own" else " (as root it has to give up rights: run this as an ordinary user)"
        raise SandboxError(f"{name} can't be run: {error}{hint}") from error
    return Child(name, log, stop_signal, process)


def _become(identity: Identity, death_signal: int, parent: int) -> None:  # pragma: no cover  # runs in the forked child
    """Between fork and exec. A change of user clears the death signal, so that one comes last."""
    if identity == "mapped":
        gid = os.getegid()
        if _libc.unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{UNPRIVILEGED_UID} 0 1")
        Path("/proc/self/gid_map").write_text(f"{UNPRIVILEGED_UID} {gid} 1")
    elif identity == "nobody":
        _become_nobody()
    _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before it could be watched
        os._exit(1)


def _become_nobody() -> None:  # pragma: no cover  # runs in the forked child
    """Keeping one right of root's, if it has that: to pass its folders, where the programs and the data may be."""
    _libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(*[1 << CAP_DAC_OVERRIDE] * 3)
    if _libc.capset(header, effective_permitted_inheritable) == 0:
        _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)  # or exec would drop it


@cache
def unprivileged() -> Identity:
    """The identity for programs that refuse to run as root: ours, unless we are root."""
    if os.geteuid() != 0:
        return "own"
    try:
        subprocess.run(["/bin/sh", "-c", ":"], check=True, preexec_fn=partial(_become, "mapped", 0, os.getpid()))
    except (OSError, subprocess.SubprocessError):
        return "nobody"  # many containers refuse user namespaces
    return "mapped"


def give(folder: Path, identity: Identity) -> None:
    """Make the folder and all in it belong to whom a child of that identity is; only root ever has to."""
    if identity == "own":
        return
    owner = NOBODY if identity == "nobody" else 0
    if folder.stat().st_uid != owner:
        for path in [*folder.rglob("*"), folder]:  # the folder last: if this is cut short, it is done again
            os.chown(path, owner, owner, follow_symlinks=False)


def residents(folder: Path, program: str) -> list[int]:
    """The ids of the processes of that program whose working directory is the folder; servers keep theirs."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            here = (entry / "cwd").readlink() == folder
            if here and (entry / "exe").readlink().name.removesuffix(" (deleted)") == program:
                found.append(int(entry.name))
        except OSError:
            continue  # gone meanwhile, a zombie, or another user's
    return found


def evict(folder: Path, program: str, seconds: float) -> None:
    """Wait until no process of the program lives in the folder; what is still there after `seconds` gets SIGKILL.

    For what a killed parent left behind, which has had its death signal, and for the children of a killed server.
    Raises SandboxError when even SIGKILL leaves one.
    """
    folder = folder.resolve()  # as the kernel names it
    patience = time.monotonic() + seconds
    while left := residents(folder, program):
        if time.monotonic() > patience + 5:
            raise SandboxError(f"{program} of an earlier run can't be ended; try: kill -9 {' '.join(map(str, left))}")
        if time.monotonic() >= patience:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
