"""For every HTTP request: a request id, a body size limit, security headers, a metric, and errors without traceback.

A route needs no handling of its own for a database that can't be reached: the answer is 503 with Retry-After.
"""

import asyncio
import time
from secrets import token_hex

import structlog
from prometheus_client import Histogram
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.responses import BUSY_DATABASE, DATABASE_RETRY_SECONDS, error_response
from runtime.database import DATA_ERROR, NO_DATABASE, DatabaseUnavailable, is_busy, is_data_error

MAX_BODY = 100_000
"""Bytes."""
BODY_SECONDS = 20.0
"""From the headers to the end of the body."""
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)

SECONDS = Histogram("storefleet_http_seconds", "HTTP requests", ["method", "status"])

log = structlog.get_logger()


class _Refused(Exception):
    """The body is beyond a limit."""

    def __init__(self, response: Response) -> None:
        self.response = response


class RequestMiddleware:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """HTTP and WebSocket requests get a request id; everything else is for HTTP only."""
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
        started, status, received, complete = time.perf_counter(), 0, 0, False
        observed = False

        async def limited_receive() -> Message:
            nonlocal received, complete
            try:
                async with asyncio.timeout(None if complete else started + BODY_SECONDS - time.perf_counter()):
                    message = await receive()
            except TimeoutError:
                raise _Refused(_too_slow()) from None
            received += len(message.get("body", b""))
            if received > MAX_BODY:
                raise _Refused(_too_large())
            complete = complete or not message.get("more_body", False)
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal status, observed
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = dict(message.get("headers", ()))
                if headers.get(b"content-type", b"").startswith(b"text/event-stream"):
                    observed = True  # it lasts as long as the client wants
                    SECONDS.labels(scope["method"], str(status)).observe(time.perf_counter() - started)
                added = [header for header in SECURITY_HEADERS if header[0] not in headers]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode()), *added]
            await send(message)

        length = Headers(scope=scope).get("content-length", "0")
        try:
            if length.isdecimal() and len(length) < 19 and int(length) > MAX_BODY:
                raise _Refused(_too_large())
            await self._app(scope, limited_receive, send_with_headers)
        except _Refused as refused:
            await refused.response(scope, receive, send_with_headers)
        except ClientDisconnect:
            log.info("request.client_disconnected")  # not an error of the API, and no response is possible
        except Exception as error:
            if is_data_error(error) and not status:
                await error_response(400, "BAD_USER_INPUT", DATA_ERROR)(scope, receive, send_with_headers)
                return
            if is_busy(error):
                log.warning("request.database_busy", error=repr(error))
                response = error_response(503, "BUSY", BUSY_DATABASE, retry_after=DATABASE_RETRY_SECONDS)
            elif isinstance(error, DatabaseUnavailable):
                log.warning("request.database_unavailable", error=repr(error))
                response = error_response(503, "UNAVAILABLE", NO_DATABASE, retry_after=DATABASE_RETRY_SECONDS)
            else:
                log.exception("request.failed")
                message = "Something went wrong on our side. If it happens again, give the operator this id: "
                response = error_response(500, "INTERNAL", message + request_id)
            if status:
                raise  # the response has started: closing the connection is the only way to report the error
            await response(scope, receive, send_with_headers)
        finally:
            if not observed:
                SECONDS.labels(scope["method"], str(status)).observe(time.perf_counter() - started)


def _too_large() -> Response:
    return error_response(413, "BAD_USER_INPUT", f"Send at most {MAX_BODY} bytes.")


def _too_slow() -> Response:
    response = error_response(408, "BAD_USER_INPUT", f"The body took longer than {BODY_SECONDS:g} s.")
    response.headers["connection"] = "close"
    return response
