"""Serving the application with uvicorn, on a socket that was bound before anything else was started."""

import socket

import uvicorn

from api.app import build_app
from runtime.settings import ClusterProfile, Settings

MESSAGE_BYTES = 65_536
"""The longest WebSocket message that is taken."""


class PortTaken(Exception):
    """The message says what to do."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise PortTaken(f"can't listen on {host}:{port}: {error.strerror}; choose another port") from error
    return listener


def server(settings: Settings, profile: ClusterProfile) -> uvicorn.Server:
    """Ready to `serve(sockets=[…])`; SIGTERM ends it within 5 s."""
    return uvicorn.Server(
        uvicorn.Config(
            build_app(settings, profile),
            log_config=None,
            server_header=False,
            proxy_headers=False,
            ws="websockets-sansio",
            ws_max_size=MESSAGE_BYTES,
            timeout_graceful_shutdown=5,
        )
    )
