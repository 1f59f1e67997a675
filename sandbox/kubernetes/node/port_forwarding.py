"""Forwards TCP ports between this machine's loopback and the node's network namespace, in both directions.

A socket belongs to the network namespace of the thread that creates it, also when other threads use it. So one thread
enters the namespace and creates sockets; an event loop in another thread copies the bytes.
"""

import asyncio
import ctypes
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from sandbox.data_folder import SandboxError

CLONE_NEWNET = 0x40000000
CHUNK = 65536
CONNECT_SECONDS = 10.0
LOOPBACK = "127.0.0.1"

OpenSocket = Callable[[], socket.socket]


class PortForwarder:
    """Forwards ports until the process ends or `close` is called."""

    def __init__(self, init_pid: int) -> None:
        self._inside = ThreadPoolExecutor(1, initializer=_enter_network, initargs=(init_pid,))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ports", daemon=True)
        self._thread.start()
        self._servers: list[asyncio.Server] = []

    def publish(self, port: int, address: tuple[str, int]) -> int:
        """Forward 127.0.0.1:port outside to the address inside. Returns the port. Raises SandboxError.

        `port`: 0: a free port.
        """
        try:
            listener = socket.create_server((LOOPBACK, port), backlog=256)
        except OSError as error:
            raise SandboxError(f"port {port} is taken ({error.strerror}); choose another") from error
        self._serve(listener, lambda: self._inside.submit(socket.socket).result(), address)
        taken: int = listener.getsockname()[1]
        return taken

    def expose(self, address: tuple[str, int], port: int) -> None:
        """Forward the address inside to 127.0.0.1:port outside."""
        listener = self._inside.submit(socket.create_server, address, backlog=256).result()
        self._serve(listener, socket.socket, (LOOPBACK, port))

    def close(self) -> None:
        """Close all listeners and connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        for server in self._servers:
            server.close()
        self._inside.shutdown()

    def _serve(self, listener: socket.socket, open_socket: OpenSocket, address: tuple[str, int]) -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _forward(reader, writer, open_socket, address)

        async def begin() -> None:
            self._servers.append(await asyncio.start_server(connected, sock=listener))

        asyncio.run_coroutine_threadsafe(begin(), self._loop).result()


@contextmanager
def port_forwarder(init_pid: int) -> Iterator[PortForwarder]:
    """A PortForwarder until the end of the block. `init_pid`: process 1 of the namespace, as seen from outside."""
    forwarder = PortForwarder(init_pid)
    try:
        yield forwarder
    finally:
        forwarder.close()


def _enter_network(process: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/proc/{process}/ns/net") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


async def _forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, open_socket: OpenSocket, address: tuple[str, int]
) -> None:
    """Copy bytes in both directions until both sides have closed. If the connection is refused, close the client's."""
    other: asyncio.StreamWriter | None = None
    try:
        upstream = open_socket()
        upstream.setblocking(False)
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.get_running_loop().sock_connect(upstream, address)
        back, other = await asyncio.open_connection(sock=upstream)
        await asyncio.gather(_copy(reader, other), _copy(back, writer))
    except (OSError, TimeoutError):
        pass  # the client sees the connection close
    finally:
        for end in (writer, other):
            if end is not None:
                end.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()
