"""One GraphQL WebSocket (graphql-transport-ws): what a client may send, and when the server closes the socket.

Rights are those of now: each operation loads the actor again, and the socket is closed when its credential ends (4401)
or the actor's roles change (4403).
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from typing import Any, cast

import structlog
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message, SubscribeMessage
from strawberry.types.execution import ExecutionResult

from accounts.actors import Actor, load_actor
from accounts.revocation import access_ended
from schema.context import Context

log = structlog.get_logger()

MAX_REASON = 123
"""Bytes of a close reason (RFC 6455)."""
MESSAGES_PER_SECOND = 50.0
BURST = 300.0
"""Messages that may come at once. A message counts as one, and as one more for each KiB."""
ENDED = 4401, "The token or session has ended. Sign in again."
UNCHECKED = 1011, "Your access can't be checked. Connect again later."
CHANGED = 4403, "Your role in an account has changed. Connect again."


class GraphQLSocketAdapter(ASGIWebSocketAdapter):
    """Receives messages within the rate limit, and closes with reasons that fit into a close frame."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._allowance = BURST
        self._counted_at = time.monotonic()

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        """Yields parsed messages. Raises NonTextMessageReceived and NonJsonMessageReceived."""
        while self.ws.application_state != WebSocketState.DISCONNECTED:
            try:
                text = await self.ws.receive_text()
            except WebSocketDisconnect:
                return
            except KeyError:
                raise NonTextMessageReceived from None
            if not self._within_rate(text):
                await self.close(4429, "Too many messages. Send fewer, and connect again later.")
                return
            try:
                message = json.loads(text)
            except (ValueError, RecursionError):
                raise NonJsonMessageReceived from None
            yield message
            await asyncio.sleep(0)  # messages that wait already don't suspend this task: let other tasks run

    def _within_rate(self, text: str) -> bool:
        now = time.monotonic()
        self._allowance = min(BURST, self._allowance + (now - self._counted_at) * MESSAGES_PER_SECOND)
        self._counted_at = now
        self._allowance -= 1 + len(text) / 1024
        return self._allowance >= 0

    async def close(self, code: int, reason: str) -> None:
        """Does nothing when the socket is closed already."""
        if self.ws.application_state != WebSocketState.DISCONNECTED:
            await super().close(code, reason.encode()[:MAX_REASON].decode(errors="ignore"))


class GraphQLSocket(BaseGraphQLTransportWSHandler[Context, None]):
    """The server's side of the protocol."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._access_task: asyncio.Task[None] | None = None

    async def handle_message(self, message: Any) -> None:
        """Closes the socket for a message that is not what graphql-transport-ws defines."""
        if not isinstance(message, dict) or not _is_valid_message(message):
            await self.handle_invalid_message("Messages must be objects as graphql-transport-ws defines them")
            return
        if message["type"] == "connection_init" and message.get("payload") is None:
            message = {**message, "payload": {}}
        await super().handle_message(cast("Message", message))
        actor = self.context.actor
        if self.connection_acknowledged and self._access_task is None and actor is not None:
            self._access_task = asyncio.create_task(self._close_when_access_ends(actor))
            cast("GraphQLSocketAdapter", self.websocket).ws.scope["state"]["socket_slot"].authenticated()

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Runs the operation with the rights that its actor has now."""
        actor = self.context.actor
        if actor is not None:
            async with self.context.platform.sessions() as session:
                self.context.actor = await load_actor(session, actor.credential, actor.kind)
            if self.context.actor is None:
                await self.websocket.close(*ENDED)
                return
        await super().handle_subscribe(message)

    async def shutdown(self) -> None:
        """Called when the socket has ended."""
        if self._access_task is not None:
            self._access_task.cancel()
        await super().shutdown()

    async def _close_when_access_ends(self, actor: Actor) -> None:
        platform = self.context.platform
        try:
            why = await access_ended(platform.sessions, platform.changefeed, actor)
        except Exception:
            log.exception("access_check.failed")
            await self.websocket.close(*UNCHECKED)
        else:
            await self.websocket.close(*(ENDED if why == "ended" else CHANGED))

    async def _send_result_stream(self, operation: Operation[Context, None], result_source: Any) -> None:
        """An error without data ends the operation as `error`: `next` and `complete` would look like a normal end."""
        async for result in result_source:
            if isinstance(result, ExecutionResult) and result.data is None and result.errors:
                await operation.send_initial_errors(result.errors)
                return
            await operation.send_next(result)


def _is_valid_message(message: Any) -> bool:
    if message.get("type") != "subscribe":
        return isinstance(message.get("id", ""), str)
    payload = message.get("payload")
    if not isinstance(message.get("id"), str) or not isinstance(payload, dict):
        return False
    variables, name = payload.get("variables"), payload.get("operationName")
    return (
        isinstance(payload.get("query"), str)
        and (variables is None or isinstance(variables, dict))
        and (name is None or isinstance(name, str))
    )
