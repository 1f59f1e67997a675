"""GraphQL over HTTP and WebSocket (graphql-transport-ws), on one path."""

from datetime import timedelta
from typing import Any, cast

import structlog
from cross_web import HTTPException
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message
from strawberry.types.unset import UnsetType

from accounts.actors import Actor
from api.callers import Rejected, by_token, caller_of
from schema.build import schema
from schema.context import Context, Platform

INIT_SECONDS = 5
SUBSCRIPTIONS_A_SOCKET = 20

log = structlog.get_logger()


class _Handler(BaseGraphQLTransportWSHandler[Context, None]):
    async def handle_message(self, message: Any) -> None:
        """Any JSON may come; the protocol's messages are objects with the types it says."""
        if not isinstance(message, dict) or not _well_formed(message):
            await self.handle_invalid_message("Messages must be objects as graphql-transport-ws defines them")
            return
        await super().handle_message(cast("Message", message))


def _well_formed(message: Any) -> bool:
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


class GraphQLApp(GraphQL[Context, None]):
    """Mounted at /graphql; finds the Platform in the application's state."""

    graphql_transport_ws_handler_class = _Handler
    connection_init_wait_timeout = timedelta(seconds=INIT_SECONDS)
    max_subscriptions_per_connection = SUBSCRIPTIONS_A_SOCKET

    def __init__(self, platform: Platform) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL])
        self._platform = platform
        public_url = platform.settings.public_url
        self.allowed_origins = frozenset({public_url.rstrip("/")} if public_url else ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Who asks is found out before anything is parsed."""
        connection = Request(scope, receive) if scope["type"] == "http" else WebSocket(scope, receive, send)
        try:
            actor = await caller_of(connection, self._platform.sessions, self._platform.settings)
        except Rejected as error:
            code = "UNAUTHENTICATED" if error.status == 401 else "FORBIDDEN"
            refusal = _refusal(error.status, code, error.message)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("graphql.no_database", error=type(error).__name__)
            refusal = _refusal(503, "UNAVAILABLE", "The database can't be reached now. Try again in a moment.")
        else:
            scope.setdefault("state", {})["actor"] = actor
            await super().__call__(scope, receive, send)
            return
        if isinstance(connection, WebSocket):
            await connection.send_denial_response(refusal)
        else:
            await refusal(scope, receive, send)

    def parse_json(self, data: str | bytes) -> Any:
        """Raises HTTPException for anything but an object."""
        given = super().parse_json(data)
        if not isinstance(given, dict):
            raise HTTPException(400, "Send a JSON object with `query`, and perhaps `variables`.")
        return given

    async def run(self, request: Any, *args: Any, **options: Any) -> Any:
        """Mistakes in the request are told in GraphQL's own shape."""
        try:
            return await super().run(request, *args, **options)
        except HTTPException as error:
            if isinstance(request, WebSocket):
                raise
            return _refusal(error.status_code, "BAD_USER_INPUT", error.reason)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """One a request or socket."""
        actor: Actor | None = request.scope["state"]["actor"]
        request_id = structlog.contextvars.get_contextvars().get("request", "")
        return Context(self._platform, request_id, actor)

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Browsers can't set headers on a WebSocket, so a token may come in connection_init's payload."""
        given = context.connection_params
        header = next((value for key, value in given.items() if key.lower() == "authorization"), None)
        if isinstance(header, str):
            try:
                context.actor = await by_token(header, self._platform.sessions)
            except Rejected as error:
                raise ConnectionRejectionError from error
        return await super().on_ws_connect(context)


def _refusal(status: int, code: str, message: str) -> Response:
    return JSONResponse({"errors": [{"message": message, "extensions": {"code": code}}]}, status)
