"""Serves the application with uvicorn."""

from functools import partial

import uvicorn

from api.app import build_app
from api.http_protocol import LimitedHttpProtocol
from runtime.settings import ClusterProfile, Settings

MAX_WEBSOCKET_MESSAGE = 65_536
"""Bytes."""


def create_server(settings: Settings, profile: ClusterProfile) -> uvicorn.Server:
    """A server; call its `serve(sockets=[…])`. It shuts down within 5 s after SIGTERM."""
    return uvicorn.Server(
        uvicorn.Config(
            build_app(settings, profile),
            log_config=None,
            server_header=False,
            forwarded_allow_ips=list(settings.trusted_proxies),
            http=partial(LimitedHttpProtocol, max_connections=settings.max_connections),  # type: ignore[arg-type]  # any callable
            ws="websockets-sansio",
            ws_max_size=MAX_WEBSOCKET_MESSAGE,
            timeout_graceful_shutdown=5,
        )
    )
