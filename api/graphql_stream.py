"""GraphQL over server-sent events at /graphql/stream: graphql-sse's protocol, distinct connections mode.

Each event of a subscription has its cursor as `id`: a client that connects again with `Last-Event-ID` misses nothing.
Rights, limits and documents are those of WebSockets.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import structlog
from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from accounts.access_changes import wait_for_access_change
from accounts.actors import Actor
from runtime.tasks import cancel_and_wait
from schema.build import schema
from schema.context import Context, Platform

HEARTBEAT_SECONDS = 12.0
"""Between comments that show intermediaries and the client that the connection lives."""
SLOW_SECONDS = 20.0
"""How long a client may read nothing while data waits for it."""
ENDED = "UNAUTHENTICATED", "The token or session has ended. Sign in again."
UNCHECKED = "UNAVAILABLE", "Your access can't be checked. Connect again later."
CHANGED = "FORBIDDEN", "Your role in an account has changed. Connect again."
EVENT_STREAM = "text/event-stream"
MUTATIONS = {OperationType.MUTATION}
COMPLETE = "event: complete\ndata: \n\n"

log = structlog.get_logger()


@dataclass(frozen=True)
class StreamRequest:
    """What the client asks for."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    allowed: frozenset[OperationType]


async def read_stream_request(
    request: Request, parse_json: Callable[[bytes], Any], parse_params: Callable[[dict[str, str | None]], Any]
) -> StreamRequest:
    """From the body of a POST, or the parameters of a GET. Raises HTTPException."""
    if request.method not in ("GET", "POST"):
        raise HTTPException(405, "Use GET or POST.")
    accepted = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")}
    if not accepted & {EVENT_STREAM, "text/*", "*/*"}:
        raise HTTPException(406, "This address answers with `text/event-stream` only.")
    body = await request.body()  # also of a GET: only then `receive` tells when the client leaves
    given = parse_params(dict(request.query_params)) if request.method == "GET" else parse_json(body)
    query, variables, name = given.get("query"), given.get("variables"), given.get("operationName")
    if not isinstance(query, str) or not isinstance(variables, dict | None) or not isinstance(name, str | None):
        raise HTTPException(400, "Send `query`, and perhaps `variables` (an object) and `operationName`.")
    allowed = frozenset(OperationType) - (MUTATIONS if request.method == "GET" else set())
    return StreamRequest(query, variables, name, allowed)


class GraphQLEventStream(Response):
    """The response: it ends when the operation does, the client leaves or is slow, access ends, or the process does."""

    def __init__(self, platform: Platform, request: StreamRequest, context: Context) -> None:
        super().__init__(headers={"x-accel-buffering": "no"}, media_type=EVENT_STREAM)
        del self.headers["content-length"]
        self._platform, self._request, self._context = platform, request, context
        self._sending = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the events."""
        connection = scope["extensions"]["storefleet"]["connection"]

        async def write(text: str) -> None:
            async with self._sending, asyncio.timeout(SLOW_SECONDS):
                await send({"type": "http.response.body", "body": text.encode(), "more_body": True})

        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        tasks = [
            asyncio.create_task(run)
            for run in (
                self._send_results(write),
                _send_heartbeats(write),
                _until_left(receive),
                connection.ending.wait(),
                self._until_access_ends(write, self._context.actor),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_and_wait(*tasks)
        for task in done:
            if isinstance(error := task.exception(), TimeoutError):
                log.info("graphql_stream.slow_client")
                connection.abort()  # what waits for the client would be kept until it reads
                return
            if error is not None:
                raise error
        with suppress(TimeoutError):
            async with asyncio.timeout(SLOW_SECONDS):
                await send({"type": "http.response.body", "body": b""})

    async def _send_results(self, write: Callable[[str], Awaitable[None]]) -> None:
        request, context = self._request, self._context
        results = await schema.stream(
            request.query,
            variable_values=request.variables,
            context_value=context,
            operation_name=request.operation_name,
            allowed_operation_types=request.allowed,
        )
        async with aclosing(results):
            async for result in results:
                if isinstance(result, ExecutionResult):
                    await write(next_event(_payload(result), context.event_cursor))
        await write(COMPLETE)

    async def _until_access_ends(self, write: Callable[[str], Awaitable[None]], actor: Actor | None) -> None:
        if actor is None:
            await asyncio.Event().wait()
            return
        try:
            why = await wait_for_access_change(self._platform.sessions, self._platform.changefeed, actor)
            code, message = ENDED if why == "ended" else CHANGED
        except Exception:
            log.exception("access_check.failed")
            code, message = UNCHECKED
        await write(next_event({"errors": [{"message": message, "extensions": {"code": code}}]}, None) + COMPLETE)


def next_event(payload: Mapping[str, Any], cursor: str | None) -> str:
    """The event `next` with a result; `cursor`: its id."""
    identity = "" if cursor is None else f"id: {cursor}\n"
    return f"{identity}event: next\ndata: {json.dumps(payload, ensure_ascii=False, default=str)}\n\n"


def _payload(result: ExecutionResult) -> dict[str, Any]:
    """A result whose operation didn't run has no `data`."""
    payload: dict[str, Any] = {}
    if result.data is not None or not result.errors:
        payload["data"] = result.data
    if result.errors:
        payload["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        payload["extensions"] = result.extensions
    return payload


async def _send_heartbeats(write: Callable[[str], Awaitable[None]]) -> None:
    await write(":\n\n")  # the client sees at once that it is connected
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        await write(":\n\n")


async def _until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
