"""`storefleet …` in a process of its own, which begins as a fork of one that has imported all of it.

So it is a process as any other, with its own id, signals, environment and output, but its start doesn't take a second
of CPU for imports. What is about the start itself needs `python -m cli`.
"""

import asyncio
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["api.serve", "cli.commands", "cli.keys", "cli.users", "uvloop", "workers.main"])


@dataclass
class StorefleetProcess:
    """As `asyncio.subprocess.Process`."""

    _process: ForkServerProcess
    stdout: asyncio.StreamReader
    """What it prints; with `stderr`, errors, too."""
    _pipe: asyncio.ReadTransport
    _ended: asyncio.Event

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """A negative number is that of the signal that ended the process; None: it runs."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for its end. Returns the exit code. After that, nothing more can be read."""
        await self._ended.wait()
        self._pipe.close()
        code = self.returncode
        assert code is not None
        return code

    async def communicate(self) -> tuple[bytes, None]:
        """Wait for its end. Returns the rest of its output."""
        output = await self.stdout.read()
        await self.wait()
        return output, None


async def start_storefleet(
    *words: str,
    environment: Mapping[str, str],
    stderr: bool = False,
    log: Path | None = None,
    ignored: tuple[signal.Signals, ...] = (),
) -> StorefleetProcess:
    """Start `storefleet words…`.

    `stderr`: its errors are in its output. `log`: a file for all output. `ignored`: signals that it first ignores.
    """
    if log is not None:
        await asyncio.to_thread(log.touch)
    receiver, sender = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_run, args=(words, dict(environment), sender, stderr, log, ignored))
    process.start()
    sender.close()
    loop, stdout, ended = asyncio.get_running_loop(), asyncio.StreamReader(), asyncio.Event()
    with receiver:
        pipe = os.fdopen(os.dup(receiver.fileno()), "rb")
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdout), pipe)

    def end() -> None:
        loop.remove_reader(process.sentinel)
        process.join()
        ended.set()

    loop.add_reader(process.sentinel, end)
    return StorefleetProcess(process, stdout, transport, ended)


def _run(
    words: tuple[str, ...],
    environment: dict[str, str],
    output: Connection,
    stderr: bool,
    log: Path | None,
    ignored: tuple[signal.Signals, ...],
) -> None:
    """The main function of the process."""
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    with output if log is None else log.open("wb") as file:
        os.dup2(file.fileno(), 1)
    if stderr or log is not None:
        os.dup2(1, 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = ["storefleet", *words]
    runpy.run_module("cli", run_name="__main__", alter_sys=True)
