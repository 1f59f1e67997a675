"""A DNS server in a container's network namespace: it answers NXDOMAIN and records the names of all queries."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.node.containers import Container

SERVER_SCRIPT = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    question, asker = server.recvfrom(512)
    at, parts = 12, []
    while length := question[at]:
        parts.append(question[at + 1 : at + 1 + length].decode())
        at += 1 + length
    print(".".join(parts), flush=True)
    server.sendto(question[:2] + b"\\x81\\x83\\0\\1" + bytes(6) + question[12 : at + 5], asker)
"""
NAME_SERVER = "nameserver 127.0.0.1\n"
"""/etc/resolv.conf of the container."""


@dataclass(frozen=True)
class Resolver:
    """The recorded queries."""

    file: Path

    @property
    def names(self) -> set[str]:
        return set(self.file.read_text().splitlines()[1:])


@contextmanager
def resolver(container: Container, folder: Path) -> Iterator[Resolver]:
    """Listens on the container's loopback address."""
    made = Resolver(folder / "names")
    with container.run_in_network(SERVER_SCRIPT, made.file):
        yield made
