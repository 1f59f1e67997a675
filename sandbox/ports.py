"""TCP ports of loopback for servers that are about to start."""

import secrets
import socket

HOST = "127.0.0.1"
PORTS = range(20_000, 30_000)
"""Below the ports that Linux gives to connections: those are taken now and then before the server listens."""


def is_port_free(port: int) -> bool:
    """Whether no process listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def free_port() -> int:
    """One of PORTS on which no process listens, chosen at random."""
    while not is_port_free(port := secrets.choice(PORTS)):
        pass
    return port
