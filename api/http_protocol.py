"""Limits that uvicorn doesn't have: it refuses the head of a request that is too large (431), too slow (408) or without
Host (400), and too many connections (503, with Retry-After).
"""

import asyncio
from asyncio.events import TimerHandle
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.responses import error_response

MAX_HEAD = 32_768
"""Bytes of the request line and all headers."""
HEAD_SECONDS = 10.0
"""From the start of a connection, or of the next request on it, to the end of the headers."""


RETRY_AFTER_SECONDS = 5
PROBES = (b"/healthz", b"/readyz")
"""Always answered: Kubernetes must not restart a busy process, or send its clients elsewhere."""


@dataclass(frozen=True)
class Connection:
    """What an application may need of its connection: `scope["extensions"]["storefleet"]["connection"]`."""

    abort: Callable[[], None]
    """Close it at once, and drop what waits to be sent."""
    ending: asyncio.Event
    """Set when the process ends: a response that has no end by itself must end now."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """One connection. A request beyond a limit is answered with its status, and the connection is closed."""

    def __init__(self, *args: Any, max_connections: int, draining: asyncio.Event, **options: Any) -> None:
        super().__init__(*args, **options)
        self._max_connections = max_connections
        self._draining = draining
        self._head_bytes = 0
        self._head_timer: TimerHandle | None = None
        self._refused = False
        self._ending = asyncio.Event()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Starts the timer: a client may also connect and send nothing."""
        super().connection_made(transport)
        self._start_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Called for each connection when the process ends."""
        self._ending.set()
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Counts the bytes of a head that isn't complete."""
        if self._refused:
            return
        super().data_received(data)
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        connection = Connection(self.transport.abort, self._ending)
        self.scope["extensions"] = {"storefleet": {"connection": connection}}
        if self._head_timer is None:
            self._start_head()

    def on_headers_complete(self) -> None:
        """Refuses a complete head that is too large: its last bytes may have come together with the body."""
        self._end_head()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self.parser.get_http_version() == "1.1" and all(name != b"host" for name, _ in self.headers):
            self._refuse(HTTPStatus.BAD_REQUEST)
        elif len(self.connections) > self._max_connections and self.url.partition(b"?")[0] not in PROBES:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            super().on_headers_complete()
            if self._draining.is_set() and self.cycle is not None:
                self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._refused:
            super().on_message_complete()

    def _start_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _end_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: HTTPStatus) -> None:
        self._end_head()
        self._refused = True
        busy = status == HTTPStatus.SERVICE_UNAVAILABLE
        code, retry_after = ("RATE_LIMITED", RETRY_AFTER_SECONDS) if busy else ("BAD_USER_INPUT", None)
        response = error_response(status, code, f"{status.phrase}.", retry_after=retry_after)
        response.headers["connection"] = "close"
        head = b"".join(b"%b: %b\r\n" % header for header in response.raw_headers)
        self.transport.write(f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() + head + b"\r\n" + response.body)
        self.transport.close()
