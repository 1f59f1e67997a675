"""One GraphQL WebSocket (graphql-transport-ws): what a client may send, and when the server closes the socket.

Rights are those of now: each operation loads the actor again, and the socket is closed when its credential ends (4401)
or the actor's roles change (4403).
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

import structlog
from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)
from strawberry.types.execution import ExecutionResult

from accounts.access_changes import wait_for_access_change
from accounts.actors import Actor, load_actor
from api.rate_limiting import FLOOD_POINTS, NO_POINTS
from api.websocket_protocol import FLOODING
from runtime.database import CONNECTION_ERRORS, NO_DATABASE
from schema.build import schema
from schema.context import Context, RequestError
from schema.error_masking import masked_errors
from schema.shared_events import SharedStream

log = structlog.get_logger()

MAX_REASON = 123
"""Bytes of a close reason (RFC 6455)."""
ENDED = 4401, "The token or session has ended. Sign in again."
UNCHECKED = 1011, "Your access can't be checked. Connect again later."
CHANGED = 4403, "Your role in an account has changed. Connect again."
TRY_AGAIN = 1013, NO_DATABASE


class GraphQLSocketAdapter(ASGIWebSocketAdapter):
    """Receives messages, lets other tasks run between them, and closes with reasons that fit into a close frame."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        """Yields parsed messages. Raises NonTextMessageReceived and NonJsonMessageReceived."""
        while self.ws.application_state != WebSocketState.DISCONNECTED:
            try:
                text = await self.ws.receive_text()
            except WebSocketDisconnect as disconnect:
                if disconnect.code == FLOODING[0]:
                    # taken from the client that opened the socket, so that it can't open the next one at once
                    self.ws.scope["state"]["charge"](FLOOD_POINTS)
                return
            except KeyError:
                raise NonTextMessageReceived from None
            try:
                message = json.loads(text)
            except (ValueError, RecursionError):
                raise NonJsonMessageReceived from None
            yield message
            await asyncio.sleep(0)  # messages that wait already don't suspend this task: let other tasks run

    async def send_text(self, text: str) -> None:
        """Raises WebSocketDisconnected."""
        try:
            await self.ws.send_text(text)
        except WebSocketDisconnect as error:
            raise WebSocketDisconnected from error

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
        if isinstance(message, dict):
            message = self._with_text(message)
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

    def _with_text(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message with the text of the trusted document that it names."""
        payload = message.get("payload")
        if message.get("type") != "subscribe" or not isinstance(payload, dict) or "documentId" not in payload:
            return message
        text = self.context.platform.trusted.find(payload["documentId"])
        return {**message, "payload": {**payload, "query": text or ""}}

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Runs the operation with the rights that its actor has now."""
        actor, platform = self.context.actor, self.context.platform
        retry_after = platform.budgets.lowest(self.context.budgets).retry_after
        if retry_after is not None:
            await self._refuse(message, RequestError("RATE_LIMITED", NO_POINTS, retry_after=retry_after))
            return
        if actor is not None:
            try:
                self.context.actor = await load_actor(platform.sessions, actor.credential, actor.kind)
            except CONNECTION_ERRORS as failure:
                log.warning("graphql_socket.database_unavailable", error=repr(failure))
                await self._refuse(message, RequestError("UNAVAILABLE", NO_DATABASE))
                return
            if self.context.actor is None:
                await self.websocket.close(*ENDED)
                return
        await super().handle_subscribe(message)

    async def _refuse(self, message: SubscribeMessage, error: RequestError) -> None:
        """The operation ends with the error; the others of the socket go on."""
        await self.send_message({"id": message["id"], "type": "error", "payload": [error.formatted]})

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Closes the socket, so that the client connects again, when its token can't be checked."""
        try:
            await super().handle_connection_init(message)
        except CONNECTION_ERRORS as error:
            log.warning("graphql_socket.database_unavailable", error=repr(error))
            await self.websocket.close(*TRY_AGAIN)

    async def shutdown(self) -> None:
        """Called when the socket has ended."""
        if self._access_task is not None:
            self._access_task.cancel()
        await super().shutdown()

    async def _close_when_access_ends(self, actor: Actor) -> None:
        platform = self.context.platform
        try:
            why = await wait_for_access_change(platform.sessions, platform.changefeed, actor)
        except Exception:
            log.exception("access_check.failed")
            await self.websocket.close(*UNCHECKED)
        else:
            await self.websocket.close(*(ENDED if why == "ended" else CHANGED))

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        """Sends events that are written once for all subscribers, where that is possible."""
        shared = await schema.share(operation.query, operation.variables or {}, operation.operation_name, self.context)
        if shared is None:
            await super().run_operation(operation)
            return
        try:
            await self._send_shared(operation, shared)
        except WebSocketDisconnected:
            return
        except Exception as error:
            await self.handle_task_exception(error)
            raise

    async def _send_shared(self, operation: Operation[Context, None], shared: SharedStream) -> None:
        head, tail = f'{{"id":{json.dumps(operation.id)},"type":"next","payload":{{"data":', "}}"
        extensions = f',"extensions":{json.dumps(shared.extensions, separators=(",", ":"))}'
        socket = cast("GraphQLSocketAdapter", self.websocket)
        async with aclosing(shared.events) as events:
            async for event in events:
                if isinstance(event, GraphQLError):
                    await operation.send_initial_errors(masked_errors([event], self.context))
                elif not operation.completed:
                    await socket.send_text(f"{head}{event}{extensions}{tail}")
                    extensions = ""  # the cost is in the first result
        await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def _send_result_stream(self, operation: Operation[Context, None], result_source: Any) -> None:
        """An error without data ends the operation as `error`: `next` and `complete` would look like a normal end."""
        async with aclosing(result_source) as results:  # the end charges for a refused document
            async for result in results:
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
