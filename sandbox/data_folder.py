"""The data folder: a lock for one running Storefleet, and short folders for unix sockets."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

MAX_PARENT_LENGTH = 60
"""Longest path of a socket folder's parent: AF_UNIX paths have at most 107 bytes, and ours need about 40."""

_locks: dict[Path, int] = {}


class SandboxError(Exception):
    """The sandbox can't start. The message is one line with the reason and what to do."""


def lock_data_folder(data: Path) -> Path:
    """Create the data folder and lock it until this process ends. A second call does nothing.

    Returns the absolute path. Raises SandboxError when another process has the lock or the folder can't be created.
    """
    data = data.absolute()
    if data in _locks:
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
    _locks[data] = lock
    return data


def make_socket_folder(link: Path) -> Path:
    """Create a folder with a short path and mode 0700, and let `link` point at it; its old target is removed."""
    remove_socket_folder(link)
    parent = tempfile.gettempdir()
    if len(parent) > MAX_PARENT_LENGTH:
        parent = "/tmp"  # noqa: S108  # mkdtemp creates a folder with a random name and mode 0700
    folder = Path(tempfile.mkdtemp(prefix="storefleet-", dir=parent))
    link.symlink_to(folder)
    return folder


def remove_socket_folder(link: Path) -> None:
    """Remove the link and the socket folder it points at; any other target stays."""
    if not link.is_symlink():
        return
    target = link.readlink()
    is_socket_folder = target.name.startswith("storefleet-") and target.is_dir() and not target.is_symlink()
    if is_socket_folder and os.geteuid() in (0, target.stat().st_uid):
        shutil.rmtree(target)
    link.unlink()
