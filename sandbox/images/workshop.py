"""Where images are made: a folder in the user's cache that one build has at a time, and that nothing outlives.

Programs that mount run in a mount and a process namespace of their own: whatever they mount and start goes with them,
and they go with us. What a killed build left in the folder is removed by the next one.
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

from sandbox.folder import SandboxError
from sandbox.processes import Child, start

UNFINISHED = "unfinished-"
ROOTLESS = (
    "it takes root, or subordinate ids for this user"
    " (apt-get install uidmap; usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER)"
)

Say = Callable[[str], None]


def cache() -> Path:
    """Where archives and logs are."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "storefleet" / "images"


def _apart() -> list[str]:
    """What to put before a command, so that all it mounts and starts goes with it; who isn't root is root in there."""
    root = [] if os.geteuid() == 0 else ["--user", "--map-root-user", "--map-auto"]
    return ["unshare", *root, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]


@dataclass(frozen=True)
class Workshop:
    """One build's."""

    folder: Path
    """For what is unfinished; empty at first, and gone in the end."""

    def run(self, name: str, argv: Sequence[str], *, apart: bool) -> None:
        """Run a program in the folder to its end. `apart`: as root, in namespaces of its own.

        Raises SandboxError with what it complained of, and where the rest is.
        """
        child = start(
            argv[0],
            [*(_apart() if apart else ()), *argv],
            log=cache() / "logs" / f"{name}.log",
            cwd=self.folder,
            env={**os.environ, "TMPDIR": str(self.folder), "LC_ALL": "C.UTF-8"},
            stop_signal=signal.SIGKILL if apart else signal.SIGTERM,  # so that docker and podman can tidy up
        )
        try:
            code = child.process.wait()
        finally:
            child.stop()
        if code != 0:
            hint = f"; {ROOTLESS}" if apart and not _can_be_root() else ""
            raise SandboxError(f"{name}: {argv[0]} failed: {_complaint(child)}; the log is {child.log}{hint}")

    def keep(self, unfinished: Path, made: Path) -> None:
        """Put a file of the folder where it belongs: whole, even after a power cut, or not at all."""
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(made)


@contextmanager
def workshop(say: Say) -> Iterator[Workshop]:
    """Whoever comes second waits. Raises SandboxError when the cache folder can't be used."""
    try:
        cache().mkdir(parents=True, exist_ok=True)
        lock = os.open(cache() / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SandboxError(f"{cache()} can't be used: {error.strerror}; choose another with XDG_CACHE_HOME") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another build is at work; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for folder in cache().glob(f"{UNFINISHED}*"):
            _remove(folder)
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=cache()))
        try:
            yield Workshop(folder)
        finally:
            _remove(folder)
    finally:
        os.close(lock)


def _complaint(child: Child) -> str:
    """The first line of its log that speaks of an error, or else the last."""
    said = child.last_words(1000) or [f"it ended with {child.returncode} and said nothing"]
    return next((line for line in said if re.match(r"(?i)E:|error|.*\berror:", line)), said[-1])[:300]


def _can_be_root() -> bool:
    return os.geteuid() == 0 or subprocess.run([*_apart(), "true"], capture_output=True, check=False).returncode == 0


def _remove(folder: Path) -> None:
    """Programs that were just killed may still write for a moment; who isn't root has files of other users there."""
    deadline = time.monotonic() + 10
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError as error:
            if isinstance(error, PermissionError):
                subprocess.run([*_apart(), "rm", "-rf", "--", folder], capture_output=True, check=False)
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
