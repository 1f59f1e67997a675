"""Ways through the wall of an enclosure: a port on loopback outside leads to one inside, and the other way round.

A socket belongs to the network namespace of the thread that made it, wherever it is used afterwards; so one thread goes
inside and makes them, and an event loop outside moves the bytes.
"""

import asyncio
import ctypes
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from sandbox.folder import SandboxError

CLONE_NEWNET = 0x40000000
CHUNK = 65536
CONNECT_SECONDS = 10.0
LOOPBACK = "127.0.0.1"

Open = Callable[[], socket.socket]


class Ports:
    """Forwards until the process ends or `close` is called."""

    def __init__(self, first_process: int) -> None:
        self._inside = ThreadPoolExecutor(1, initializer=_enter, initargs=(first_process,))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ports", daemon=True)
        self._thread.start()
        self._servers: list[asyncio.Server] = []

    def publish(self, port: int, address: tuple[str, int]) -> int:
        """127.0.0.1:port outside (0: a free one) leads to the address inside. Returns the port. Raises SandboxError."""
        try:
            listener = socket.create_server((LOOPBACK, port), backlog=256)
        except OSError as error:
            raise SandboxError(f"port {port} is taken ({error.strerror}); choose another") from error
        self._serve(listener, lambda: self._inside.submit(socket.socket).result(), address)
        taken: int = listener.getsockname()[1]
        return taken

    def expose(self, address: tuple[str, int], port: int) -> None:
        """The address inside leads to 127.0.0.1:port outside."""
        listener = self._inside.submit(socket.create_server, address, backlog=256).result()
        self._serve(listener, socket.socket, (LOOPBACK, port))

    def close(self) -> None:
        """Take no more connections, and let go of those there are."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        for server in self._servers:
            server.close()
        self._inside.shutdown()

    def _serve(self, listener: socket.socket, make: Open, address: tuple[str, int]) -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _forward(reader, writer, make, address)

        async def begin() -> None:
            self._servers.append(await asyncio.start_server(connected, sock=listener))

        asyncio.run_coroutine_threadsafe(begin(), self._loop).result()


@contextmanager
def opened(first_process: int) -> Iterator[Ports]:
    """Ports until the end of the block."""
    ports = Ports(first_process)
    try:
        yield ports
    finally:
        ports.close()


def _enter(process: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/proc/{process}/ns/net") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


async def _forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, make: Open, address: tuple[str, int]
) -> None:
    """Both ways until both ends have said their last; a refused connection just ends the other."""
    other: asyncio.StreamWriter | None = None
    try:
        made = make()
        made.setblocking(False)
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.get_running_loop().sock_connect(made, address)
        back, other = await asyncio.open_connection(sock=made)
        await asyncio.gather(_pump(reader, other), _pump(back, writer))
    except (OSError, TimeoutError):
        pass  # whoever connected sees the connection end
    finally:
        for end in (writer, other):
            if end is not None:
                end.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()
