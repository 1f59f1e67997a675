"""One data folder belongs to one running Storefleet, and its sockets need a shorter path than it may have."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

SHORT = 60
"""Longest parent of a socket folder: AF_UNIX paths end at 107 bytes, and ours add about 40."""

_held: dict[Path, int] = {}


class SandboxError(Exception):
    """The sandbox can't start; the message is one line that says why and what to do."""


def hold(data: Path) -> Path:
    """Make the data folder and keep it for this process until the process ends; again is a no-op.

    Returns its absolute path. Raises SandboxError when another process holds it or it can't be made.
    """
    data = data.absolute()
    if data in _held:
        return data
    try:
        data.mkdir(mode=0o711, parents=True, exist_ok=True)
        lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SandboxError(
            f"the data folder {data} can't be used: {error.strerror}; choose another with DATA=…"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 20, 0).decode(errors="replace").strip()
        os.close(lock)
        raise SandboxError(
            f"another Storefleet (process {holder or 'unknown'}) runs on {data}; stop it or use DATA=…"
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    _held[data] = lock
    return data


def make_socket_folder(link: Path) -> Path:
    """A new short folder only we can enter; `link` is made to point at it, and what it pointed at before is removed."""
    remove_socket_folder(link)
    parent = tempfile.gettempdir()
    if len(parent) > SHORT:
        parent = "/tmp"  # noqa: S108  # mkdtemp makes an unguessable folder with mode 0700 in it
    folder = Path(tempfile.mkdtemp(prefix="storefleet-", dir=parent))
    link.symlink_to(folder)
    return folder


def remove_socket_folder(link: Path) -> None:
    """Remove the folder `link` points at and the link; a target that isn't one of our folders is left alone."""
    if not link.is_symlink():
        return
    target = link.readlink()
    ours = target.name.startswith("storefleet-") and target.is_dir() and not target.is_symlink()
    if ours and os.geteuid() in (0, target.stat().st_uid):
        shutil.rmtree(target)
    link.unlink()
