"""An embedded server, PostgreSQL or Valkey: start, stop, kill, pause, and a socket address that survives restarts."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from sandbox.data_folder import SandboxError, make_socket_folder, remove_socket_folder
from sandbox.processes import Child, Identity, change_owner, end_processes, processes_in, start

START_SECONDS = 60.0
"""Timeout of a start; the crash recovery of PostgreSQL takes longest."""
GRACE_SECONDS = 5.0
"""How long a server whose parent was killed may take to exit."""


@dataclass
class Server:
    """An embedded server: one program, one working directory, one unix socket.

    `restart` keeps the address. Start, stop and restart block for up to a second and need the main thread.
    """

    name: str
    argv: list[str]
    folder: Path
    """The data and working directory, DATA/<name>. The log is DATA/logs/<name>.log."""
    socket_folder: Path
    is_ready: Callable[["Server"], bool]
    failure_reason: Callable[[list[str]], str]
    """Gets the end of the log; returns why the start failed."""
    stop_signal: signal.Signals = signal.SIGTERM
    identity: Identity = "own"
    _child: Child | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """The id of the main process of the latest start."""
        return self._running_child().pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.returncode is None

    def start(self) -> None:
        """Start it and return when it is ready. Raises SandboxError with the reason from the log."""
        for leftover in self.socket_folder.iterdir():
            leftover.unlink()  # a killed server leaves its socket, and a new server may refuse to replace it
        change_owner(self.folder, self.identity)
        change_owner(self.socket_folder, self.identity)
        log = self.folder.parent / "logs" / f"{self.name}.log"
        self._child = start(
            self.name,
            self.argv,
            log=log,
            cwd=self.folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},  # ours contains secrets and variables like PGPORT
            identity=self.identity,
            stop_signal=self.stop_signal,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready(self):
            if self._child.wait(0.01) is not None or time.monotonic() > deadline:
                self._child.kill()
                reason = self.failure_reason(self._child.log_tail())
                raise SandboxError(
                    f"{self.name} can't start on {self.folder}: {reason} (log: {log}); use DATA=… for a new data folder"
                )

    def stop(self) -> None:
        """Stop it and remove its socket; after this it can't be restarted. A second call does nothing."""
        if self._child is not None:
            self.resume()
            self._child.stop()
            self._kill_remaining()
        remove_socket_folder(socket_link(self.folder))

    def kill(self) -> None:
        """SIGKILL all its processes and wait for their end."""
        self._running_child().kill()
        self._kill_remaining()

    def restart(self) -> None:
        """Stop it if it runs, and start it at the same address."""
        if self.running:
            self.resume()
            self._running_child().stop()
        self._kill_remaining()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open without responses."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        self._signal(signal.SIGCONT)

    def _running_child(self) -> Child:
        if self._child is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._child

    def _signal(self, number: signal.Signals) -> None:
        for pid in processes_in(self.folder, Path(self.argv[0]).name):
            os.kill(pid, number)

    def _kill_remaining(self) -> None:
        end_processes(self.folder, Path(self.argv[0]).name, 0)


def find_program(distribution: str, package: str, path: str) -> Path:
    """The path of a program in an installed wheel, without importing it. Raises SandboxError when it is missing."""
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    program = Path(folders[0], path) if folders else None
    if program is None or not program.is_file():
        raise SandboxError(
            f"the Python package {distribution} is missing: run 'make setup', or pip install {distribution} "
            "(it exists for Linux on x86_64 and aarch64)"
        )
    return program


def socket_link(folder: Path) -> Path:
    """DATA/<name>.socket, a link to the server's socket folder."""
    return folder.with_name(folder.name + ".socket")


def new_socket_folder(folder: Path) -> Path:
    """Create the socket folder of the server; the folder of an earlier run is removed."""
    return make_socket_folder(socket_link(folder))
