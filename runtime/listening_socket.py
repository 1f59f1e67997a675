"""Binds the listening socket before anything else starts, because a port in use is the most common start-up error."""

import socket


class PortInUseError(Exception):
    """The message names the address, the cause, and what to do."""


def bind_socket(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises PortInUseError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise PortInUseError(f"can't listen on {host}:{port}: {error.strerror}; choose another port") from error
    return listener
