"""Serves the application with uvicorn, and drains it before the process ends.

SIGTERM makes /readyz 503, so that load balancers send requests elsewhere. After STOREFLEET_DRAIN_SECONDS the listening
socket is closed, WebSockets are closed with 1012, and requests in flight get REQUEST_SECONDS.
"""

import asyncio
import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from socket import socket

import structlog
import uvicorn

from api.app import build_app
from api.http_protocol import LimitedHttpProtocol
from api.websocket_protocol import WebSocketProtocol
from runtime.monitoring import serve_monitoring
from runtime.settings import ClusterProfile, Settings

MAX_WEBSOCKET_MESSAGE = 65_536
"""Bytes."""
KEEP_ALIVE_SECONDS = 75
"""How long a connection may be idle: longer than an ingress controller keeps it (nginx: 60 s). A request that meets the
end of its connection fails."""
REQUEST_SECONDS = 40
"""How long requests in flight may take when the process ends: longer than any statement (runtime/database.py)."""
GARBAGE_OBJECTS = 25_000
"""New objects before a garbage collection. An event to a thousand sockets makes 5,000 that soon end: with Python's 700,
every twelfth event waited 0.3 s for a collection of all objects of all sockets."""

log = structlog.get_logger()


class Server(uvicorn.Server):
    """A server that drains. Its `serve` handles no signals."""

    def __init__(self, config: uvicorn.Config, draining: asyncio.Event, drain_seconds: float) -> None:
        super().__init__(config)
        self._draining = draining
        self._drain_seconds = drain_seconds

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def end(self) -> None:
        """Drain, then end. A second call ends the drain, a third one cuts requests in flight off."""
        if self.should_exit:
            self.force_exit = True
        elif self._draining.is_set():
            self.should_exit = True
        else:
            log.info("api.draining", seconds=self._drain_seconds)
            self._draining.set()
            asyncio.get_running_loop().call_later(self._drain_seconds, self._exit)

    def _exit(self) -> None:
        self.should_exit = True


def create_server(settings: Settings, profile: ClusterProfile) -> Server:
    """A server; call its `serve(sockets=[…])`, and its `end`."""
    draining = asyncio.Event()
    http = partial(LimitedHttpProtocol, max_connections=settings.max_connections, draining=draining)
    config = uvicorn.Config(
        build_app(settings, profile, draining),
        log_config=None,
        server_header=False,
        forwarded_allow_ips=list(settings.trusted_proxies),
        http=http,  # type: ignore[arg-type]  # any callable
        ws=WebSocketProtocol,
        ws_max_size=MAX_WEBSOCKET_MESSAGE,
        ws_per_message_deflate=False,  # events are short, and zlib takes 32 KiB for each socket
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=REQUEST_SECONDS,
    )
    return Server(config, draining, settings.drain_seconds)


async def serve(settings: Settings, profile: ClusterProfile, listener: socket) -> bool:
    """Serve until SIGTERM or SIGINT. Whether the server had started. Raises PortInUseError."""
    server = create_server(settings, profile)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.end)
    if settings.metrics_port is not None:
        serve_monitoring(settings.metrics_port, {})
    gc.collect()
    gc.freeze()  # no collection looks through the code of all libraries
    gc.set_threshold(GARBAGE_OBJECTS)
    await server.serve(sockets=[listener])
    return server.started
