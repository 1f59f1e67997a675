"""The workspace of a build: a temporary folder in the user's cache. Only one build runs at a time.

Programs that mount file systems run in their own mount and PID namespaces: when they end, the kernel removes their
mounts and kills their processes. The next build removes the folder of a build that was killed.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.data_folder import SandboxError
from sandbox.files import cache_folder
from sandbox.processes import Child, start

PREFIX = "unfinished-"
ROOTLESS_HINT = (
    "it takes root, or subordinate ids for this user"
    " (apt-get install uidmap; usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER)"
)

Report = Callable[[str], None]


def cache_dir() -> Path:
    """The folder for archives and logs."""
    return cache_folder("images")


def _unshare_command() -> list[str]:
    """The command prefix that runs a program in new namespaces, and as root in a user namespace if needed."""
    root = [] if os.geteuid() == 0 else ["--user", "--map-root-user", "--map-auto"]
    return ["unshare", *root, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]


@dataclass(frozen=True)
class Workspace:
    """The workspace of one build."""

    folder: Path
    """For temporary files; empty when the build starts, removed when it ends."""

    def run(self, name: str, argv: Sequence[str], *, isolated: bool) -> None:
        """Run a program in the folder and wait for its end. `isolated`: as root in new namespaces.

        Raises SandboxError with the first error in the program's log, and the log's path.
        """
        child = start(
            argv[0],
            [*(_unshare_command() if isolated else ()), *argv],
            log=cache_dir() / "logs" / f"{name}.log",
            cwd=self.folder,
            env={**os.environ, "TMPDIR": str(self.folder), "LC_ALL": "C.UTF-8"},
            stop_signal=signal.SIGKILL if isolated else signal.SIGTERM,  # SIGTERM: docker and podman clean up
        )
        try:
            code = child.process.wait()
        finally:
            child.stop()
        if code != 0:
            hint = f"; {ROOTLESS_HINT}" if isolated and not _can_unshare() else ""
            raise SandboxError(f"{name}: {argv[0]} failed: {_error_line(child)}; the log is {child.log}{hint}")

    def move_to_cache(self, temporary: Path, target: Path) -> None:
        """Move a file out of the workspace. `target` never has part of the content, even after a power failure."""
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)


@contextmanager
def open_workspace(report: Report) -> Iterator[Workspace]:
    """A workspace until the end of the block. Waits while another build runs.

    Raises SandboxError when the cache folder can't be used.
    """
    try:
        cache_dir().mkdir(parents=True, exist_ok=True)
        lock = os.open(cache_dir() / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SandboxError(
            f"{cache_dir()} can't be used: {error.strerror}; choose another with XDG_CACHE_HOME"
        ) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Another build is running; waiting for its end.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for folder in cache_dir().glob(f"{PREFIX}*"):
            _remove(folder)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=cache_dir()))
        try:
            yield Workspace(folder)
        finally:
            _remove(folder)
    finally:
        os.close(lock)


def _error_line(child: Child) -> str:
    """The first line of the log that reports an error, or else the last line; at most 300 characters."""
    lines = child.log_tail(1000) or [f"it ended with {child.returncode} and printed nothing"]
    return next((line for line in lines if re.match(r"(?i)E:|error|.*\berror:", line)), lines[-1])[:300]


def _can_unshare() -> bool:
    if os.geteuid() == 0:
        return True
    return subprocess.run([*_unshare_command(), "true"], capture_output=True, check=False).returncode == 0


def _remove(folder: Path) -> None:
    """Remove a workspace's folder. Killed programs may still write for a moment, so it is retried for 10 s.

    In a user namespace, programs created files of other users there: only root of such a namespace can remove them.
    """
    deadline = time.monotonic() + 10
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError as error:
            if isinstance(error, PermissionError):
                subprocess.run([*_unshare_command(), "rm", "-rf", "--", folder], capture_output=True, check=False)
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
