"""GraphQL over HTTP and WebSocket (graphql-transport-ws) on one path, and over server-sent events on another one."""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from cross_web import HTTPException, StarletteRequestAdapter
from pydantic_core import PydanticSerializationError, to_json
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.unset import UnsetType

from accounts.actors import Actor
from accounts.point_budgets import budgets_of_caller
from api.authentication import AuthenticationError, authenticate_request, authenticate_token
from api.client_address import audit_address, client_address
from api.graphql_socket import GraphQLSocket, GraphQLSocketAdapter
from api.graphql_stream import GraphQLEventStream, read_stream_request
from api.rate_limiting import SOCKET_POINTS, RateLimiting
from api.responses import DATABASE_RETRY_SECONDS, graphql_error_response
from api.socket_limits import RETRY_AFTER_SECONDS, SocketLimits, TooManySockets
from runtime.budgets import Budget
from runtime.database import CONNECTION_ERRORS, NO_DATABASE
from schema.build import schema
from schema.context import Context, Platform
from schema.operation_cost import REFUSED_POINTS

CONNECTION_INIT_TIMEOUT_SECONDS = 5
MAX_OPERATIONS_PER_SOCKET = 20

STREAM_PATH = "/graphql/stream"
NO_DOCUMENT = "Send the `documentId` (sha256:…) of a trusted document, without `query`."
GRAPHQL_RESPONSE = "application/graphql-response+json"

log = structlog.get_logger()


class _RequestAdapter(StarletteRequestAdapter):
    @property
    def content_type(self) -> str | None:
        """In lower case: media types are compared without case."""
        return media_type(super().content_type or "")


class GraphQLApp(GraphQL[Context, None]):
    """The endpoint /graphql, for HTTP and WebSocket."""

    request_adapter_class = _RequestAdapter
    graphql_transport_ws_handler_class = GraphQLSocket
    websocket_adapter_class = GraphQLSocketAdapter

    def __init__(self, platform: Platform) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=timedelta(seconds=CONNECTION_INIT_TIMEOUT_SECONDS),
            max_subscriptions_per_connection=MAX_OPERATIONS_PER_SOCKET,
        )
        self._platform = platform
        settings = platform.settings
        own = {settings.public_url.rstrip("/")} if settings.public_url else set()
        self.allowed_origins = frozenset({*own, *settings.cors_origins})
        self._rate_limiting = RateLimiting(settings, platform.budgets)
        self._socket_limits = SocketLimits(settings.max_websockets, settings.max_websockets_per_address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticates before it reads the body."""
        connection = Request(scope, receive) if scope["type"] == "http" else WebSocket(scope, receive, send)
        before = self._rate_limiting.budgets_before(connection)
        if (refusal := await self._rate_limiting.refusal(before)) is not None:
            await _respond(connection, refusal, scope, receive, send)
            return
        try:
            actor = await authenticate_request(connection, self._platform.sessions, self._platform.settings)
        except AuthenticationError as error:
            self._rate_limiting.wrong_credential(connection)
            code = "UNAUTHENTICATED" if error.status == 401 else "FORBIDDEN"
            response = graphql_error_response(error.status, code, error.message)
        except CONNECTION_ERRORS as error:
            log.warning("graphql.database_unavailable", error=repr(error))
            response = graphql_error_response(503, "UNAVAILABLE", NO_DATABASE, retry_after=DATABASE_RETRY_SECONDS)
        else:
            if actor is not None:
                self._platform.last_used.record(actor)
                self._rate_limiting.authenticated(connection, actor)
            state = scope.setdefault("state", {})
            state["actor"] = actor
            if scope["type"] == "http" and scope["path"] != STREAM_PATH:
                await super().__call__(scope, receive, send)
                return
            state["charge"] = partial(self._platform.budgets.charge, self._budgets(connection, actor))
            state["charge"](SOCKET_POINTS)
            try:
                slot = self._socket_limits.take(client_address(connection), anonymous=actor is None)
            except TooManySockets:
                message = "Too many WebSockets and event streams are open. Close some, or try again later."
                response = graphql_error_response(429, "RATE_LIMITED", message, retry_after=RETRY_AFTER_SECONDS)
            else:
                state["socket_slot"] = slot
                try:
                    if isinstance(connection, Request):
                        await (await self._stream(connection, actor))(scope, receive, send)
                    else:
                        await super().__call__(scope, receive, send)
                finally:
                    slot.release()
                return
        await _respond(connection, response, scope, receive, send)

    def _budgets(self, connection: HTTPConnection, actor: Actor | None) -> tuple[Budget, ...]:
        return budgets_of_caller(actor, client_address(connection), self._platform.settings)

    async def _stream(self, request: Request, actor: Actor | None) -> Response:
        """The response to a request for an event stream."""
        try:
            _check_headers(request)
            asked = await read_stream_request(request, self.parse_json, self.parse_query_params)
        except HTTPException as error:
            response = graphql_error_response(error.status_code, "BAD_USER_INPUT", error.reason)
            self._platform.budgets.charge(self._budgets(request, actor), REFUSED_POINTS)
            if error.status_code == 405:
                response.headers["allow"] = "GET, POST"
            return response
        context = await self.get_context(request, Response())
        context.last_event_id = request.headers.get("last-event-id") or None
        return GraphQLEventStream(self._platform, asked, context)

    def parse_json(self, data: str | bytes) -> Any:
        """Raises HTTPException if the data is not JSON, or not an object."""
        try:
            body = json.loads(data.decode() if isinstance(data, bytes) else data)
        except (ValueError, RecursionError):  # a wrong character, a number of thousands of digits, or deep nesting
            raise HTTPException(400, "Send valid JSON, in UTF-8.") from None
        if not isinstance(body, dict):
            raise HTTPException(400, "Send a JSON object with `query`, and perhaps `variables`.")
        if not isinstance(body.get("operationName"), str | None):
            raise HTTPException(400, "`operationName` must be a string or null.")
        return self._with_text(body) if isinstance(data, bytes) else body  # a text: the variables of a GET request

    async def parse_http_body(self, request: Any) -> Any:
        """As Strawberry's, but the media type of a POST is known already. Raises HTTPException."""
        accept = request.headers.get("accept", "")
        if request.method != "POST" or "multipart" in accept or "event-stream" in accept:
            return await super().parse_http_body(request)
        body = self.parse_json(await request.get_body())
        query, variables, extensions = body.get("query"), body.get("variables"), body.get("extensions")
        if not isinstance(query, str | None):
            raise HTTPException(400, "The GraphQL operation's `query` must be a string or null, if provided.")
        if not isinstance(variables, dict | None):
            raise HTTPException(400, "The GraphQL operation's `variables` must be an object or null, if provided.")
        if not isinstance(extensions, dict | None):
            raise HTTPException(400, "The GraphQL operation's `extensions` must be an object or null, if provided.")
        return GraphQLRequestData(query, variables, body.get("operationName"), extensions)

    def encode_json(self, data: object) -> str:
        """JSON in UTF-8; half a character, which an error may repeat, as `\\ud800`."""
        try:
            return to_json(data).decode()
        except PydanticSerializationError:
            return json.dumps(data, separators=(",", ":"))

    def parse_query_params(self, params: Mapping[str, str | None]) -> Any:
        """The parameters of a GET request. Raises HTTPException."""
        return super().parse_query_params(self._with_text(dict(params)))

    def _with_text(self, request: dict[str, Any]) -> dict[str, Any]:
        """The request with the text of the trusted document that it names. Raises HTTPException."""
        if "documentId" not in request:
            return request
        text = self._platform.trusted.find(request["documentId"])
        if text is None or request.get("query") is not None:
            raise HTTPException(404 if text is None else 400, NO_DOCUMENT)
        return {**request, "query": text}

    def should_render_graphql_ide(self, request: object) -> bool:
        """Never: a GET request without a query is an error."""
        return False

    async def run(self, request: Any, *args: Any, **options: Any) -> Any:
        """The response follows "GraphQL over HTTP". Errors in the HTTP request have the shape of GraphQL errors."""
        if isinstance(request, WebSocket):
            return await super().run(request, *args, **options)
        budgets = self._budgets(request, request.scope["state"]["actor"])
        try:
            _check_headers(request)
            response = await super().run(request, *args, **options)
        except HTTPException as error:
            response = graphql_error_response(error.status_code, "BAD_USER_INPUT", error.reason)
            self._platform.budgets.charge(budgets, REFUSED_POINTS)
            if error.status_code == 405:
                response.headers["allow"] = "GET, POST"
        response.headers.update(self._rate_limiting.headers(budgets))
        if _accepts_graphql_response(request):
            response.headers["content-type"] = f"{GRAPHQL_RESPONSE}; charset=utf-8"
            if request.scope["state"].get("refused") and response.status_code == 200:
                response.status_code = 400
        return response

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """An operation that was refused before its execution has no `data`."""
        response = await super().process_result(request, result)
        if result.data is None and all(not error.path for error in result.errors or ()):
            request.scope["state"]["refused"] = True
            response.pop("data", None)
        return response

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Called once per HTTP request or WebSocket."""
        actor: Actor | None = request.scope["state"]["actor"]
        request_id = structlog.contextvars.get_contextvars().get("request", "")
        key = request.headers.get("idempotency-key") if isinstance(request, Request) else None
        return Context(
            self._platform,
            request_id,
            actor,
            client_address(request),
            _unquoted(key),
            audit_address(request),
            request.headers.get("user-agent"),
        )

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Browsers can't set headers of a WebSocket: connection_init may have `authorization` or `headers`."""
        params = context.connection_params
        if isinstance(headers := params.get("headers"), dict):
            params = {**headers, **params}
        header = next((value for key, value in params.items() if key.lower() == "authorization"), None)
        if isinstance(header, str):
            try:
                context.actor = await authenticate_token(header, self._platform.sessions)
            except AuthenticationError as error:
                raise ConnectionRejectionError from error
            self._platform.last_used.record(context.actor)
        return await super().on_ws_connect(context)


def _check_headers(request: Request) -> None:
    """Raises HTTPException for a body that isn't plain JSON."""
    if request.method == "POST":
        if media_type(request.headers.get("content-type", "")) != "application/json":
            raise HTTPException(415, "Send `Content-Type: application/json`.")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise HTTPException(415, "Compressed bodies are not supported. Send the JSON as it is.")


def _unquoted(value: str | None) -> str | None:
    """A key as most clients send it, or as a string of a structured field (the IETF draft): in double quotes."""
    return value[1:-1] if value and len(value) > 1 and value[0] == value[-1] == '"' else value


def media_type(value: str) -> str:
    """The media type of a header's value, without parameters, in lower case."""
    return value.partition(";")[0].strip().lower()


def _accepts_graphql_response(request: Request) -> bool:
    """Whether the client accepts the media type of "GraphQL over HTTP": only then may HTTP statuses report errors."""
    return GRAPHQL_RESPONSE in map(media_type, request.headers.get("accept", "").split(","))


async def _respond(connection: HTTPConnection, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a request, or refuses a WebSocket before its upgrade."""
    if isinstance(connection, WebSocket):
        await connection.send_denial_response(response)
    else:
        await response(scope, receive, send)
