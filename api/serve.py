"""Serving the application with uvicorn."""

import uvicorn

from api.app import build_app
from runtime.settings import ClusterProfile, Settings

MESSAGE_BYTES = 65_536
"""The longest WebSocket message that is taken."""


def server(settings: Settings, profile: ClusterProfile) -> uvicorn.Server:
    """Ready to `serve(sockets=[…])`; SIGTERM ends it within 5 s."""
    return uvicorn.Server(
        uvicorn.Config(
            build_app(settings, profile),
            log_config=None,
            server_header=False,
            forwarded_allow_ips=list(settings.trusted_proxies),
            ws="websockets-sansio",
            ws_max_size=MESSAGE_BYTES,
            timeout_graceful_shutdown=5,
        )
    )
