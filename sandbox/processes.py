"""Child processes that end with their parent, and finding and ending processes of an earlier run."""

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

from sandbox.data_folder import SandboxError

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
CLONE_NEWUSER = 0x10000000
NOBODY_UID = 65534
UNPRIVILEGED_UID = 1000
"""The uid of root inside its user namespace; any uid except 0 works."""

Identity = Literal["own", "mapped", "nobody"]
"""The user of a child: ours; root mapped to UNPRIVILEGED_UID in a user namespace; or the user nobody."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]


@dataclass
class Child:
    """A child process. It leads its own session, so Ctrl-C in a terminal reaches only the parent."""

    name: str
    log: Path
    stop_signal: signal.Signals
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; `-n` after signal n."""
        return self.process.poll()

    def wait(self, seconds: float) -> int | None:
        """The return code, or None if it still runs after that many seconds."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, seconds: float = 10) -> None:
        """Send the stop signal, and SIGKILL after that many seconds."""
        self.process.send_signal(self.stop_signal)
        if self.wait(seconds) is None:
            self.kill()

    def kill(self) -> None:
        """SIGKILL its process group and wait for its end."""
        if self.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()

    def log_tail(self, lines: int = 20) -> list[str]:
        """The last lines of its log, without empty lines."""
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
    """Start a child that gets `death_signal` (default: `stop_signal`) when this process ends, even by SIGKILL.

    Its output goes to `log`; the previous log is kept as `<log>.1`. `env` is the whole environment; None means ours.
    Only the main thread may call this: the kernel sends the signal when the *thread* that forked ends.
    Raises SandboxError when the program can't be started.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            f"{name} must be started by the main thread: the child would end with the thread that starts it"
        )
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
                preexec_fn=partial(_preexec, identity, death_signal or stop_signal, os.getpid()),
            )
    except (OSError, subprocess.SubprocessError) as error:
        hint = "" if identity == "own" else " (root must drop privileges first: run this as an ordinary user)"
        raise SandboxError(f"{name} can't be run: {error}{hint}") from error
    return Child(name, log, stop_signal, process)


def _preexec(identity: Identity, death_signal: int, parent: int) -> None:  # pragma: no cover  # runs in the child
    """Runs between fork and exec. Sets the death signal last, because a change of user clears it."""
    if identity == "mapped":
        gid = os.getegid()
        if _libc.unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{UNPRIVILEGED_UID} 0 1")
        Path("/proc/self/gid_map").write_text(f"{UNPRIVILEGED_UID} {gid} 1")
    elif identity == "nobody":
        _become_user_nobody()
    _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # the parent ended before the death signal was set
        os._exit(1)


def _become_user_nobody() -> None:  # pragma: no cover  # runs in the child
    """Become nobody, and keep CAP_DAC_OVERRIDE if possible: programs and data may be in folders of root."""
    _libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY_UID, NOBODY_UID, NOBODY_UID)
    os.setresuid(NOBODY_UID, NOBODY_UID, NOBODY_UID)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(*[1 << CAP_DAC_OVERRIDE] * 3)
    if _libc.capset(header, effective_permitted_inheritable) == 0:
        _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)  # otherwise exec would drop it


@cache
def unprivileged_identity() -> Identity:
    """The identity for programs that refuse to run as root: `own` unless we are root."""
    if os.geteuid() != 0:
        return "own"
    try:
        subprocess.run(["/bin/sh", "-c", ":"], check=True, preexec_fn=partial(_preexec, "mapped", 0, os.getpid()))
    except (OSError, subprocess.SubprocessError):
        return "nobody"  # many containers don't allow user namespaces
    return "mapped"


def change_owner(folder: Path, identity: Identity) -> None:
    """Make the user of that identity the owner of the folder and its contents; only needed as root."""
    if identity == "own":
        return
    owner = NOBODY_UID if identity == "nobody" else 0
    if folder.stat().st_uid != owner:
        for path in [*folder.rglob("*"), folder]:  # the folder last: an interrupted change is repeated
            os.chown(path, owner, owner, follow_symlinks=False)


def processes_in(folder: Path, program: str) -> list[int]:
    """The ids of the program's processes whose working directory is the folder."""
    pids = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            here = (entry / "cwd").readlink() == folder
            if here and (entry / "exe").readlink().name.removesuffix(" (deleted)") == program:
                pids.append(int(entry.name))
        except OSError:
            continue  # ended meanwhile, a zombie, or of another user
    return pids


def end_processes(folder: Path, program: str, seconds: float) -> None:
    """Wait until no process of the program works in the folder; after `seconds` the remaining ones get SIGKILL.

    For processes of a killed parent, which got their death signal, and for the children of a killed server.
    Raises SandboxError when a process survives SIGKILL.
    """
    folder = folder.resolve()  # the kernel's name of it
    deadline = time.monotonic() + seconds
    while remaining := processes_in(folder, program):
        if time.monotonic() > deadline + 5:
            raise SandboxError(
                f"{program} of an earlier run can't be ended; try: kill -9 {' '.join(map(str, remaining))}"
            )
        if time.monotonic() >= deadline:
            for pid in remaining:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
