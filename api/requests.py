"""What happens to every HTTP request: an id, a size limit, safe headers, a figure, and never a stack trace."""

import time
from secrets import token_hex

import structlog
from prometheus_client import Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import problem

MAX_BODY = 100_000
"""Bytes."""
SAFE_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}

SECONDS = Histogram("storefleet_http_seconds", "HTTP requests", ["method", "status"])

log = structlog.get_logger()


class _TooLarge(Exception):
    pass


class Requests:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """HTTP and WebSocket get an id; the rest is for HTTP."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = token_hex(8)
        with structlog.contextvars.bound_contextvars(request=request_id):
            if scope["type"] == "websocket":
                await self._app(scope, receive, send)
            else:
                await self._http(scope, receive, send, request_id)

    async def _http(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began, status, taken = time.perf_counter(), 0, 0

        async def counting_receive() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY:
                raise _TooLarge
            return message

        async def stamping_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        length = Headers(scope=scope).get("content-length", "0")
        too_large = problem(413, "BAD_USER_INPUT", f"Send at most {MAX_BODY} bytes.")
        try:
            if length.isdecimal() and len(length) < 19 and int(length) > MAX_BODY:
                raise _TooLarge
            await self._app(scope, counting_receive, stamping_send)
        except _TooLarge:
            await too_large(scope, receive, stamping_send)
        except ClientDisconnect:
            log.info("request.abandoned")  # whoever asked has gone: nobody is to blame, and nobody waits for an answer
        except Exception:
            log.exception("request.failed")
            if status:
                raise  # the answer has begun: all that is left is to cut it off
            message = f"Something went wrong on our side. If it stays so, tell the operator this id: {request_id}"
            await problem(500, "INTERNAL", message)(scope, receive, stamping_send)
        finally:
            SECONDS.labels(scope["method"], str(status)).observe(time.perf_counter() - began)
