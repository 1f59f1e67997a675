"""The web process as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from api import health, sign_in
from api.answers import problem
from api.graphql import GraphQLApp
from api.requests import Requests
from api.storefronts import Storefronts
from api.welcome import welcome
from runtime.changefeed import listening
from runtime.database import connect
from runtime.queue import nudging
from runtime.sealing import Keyring
from runtime.settings import ClusterProfile, Settings
from schema.context import Platform
from stores.engines import load_engines
from stores.log_tail import log_tail
from stores.names import own_label
from stores.tail import Tail

log = structlog.get_logger()


async def _http_error(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, message = {
        404: ("NOT_FOUND", "There is nothing here. The API is at /graphql."),
        405: ("BAD_USER_INPUT", "This address takes another method."),
    }.get(status, ("BAD_USER_INPUT", "The request can't be understood."))
    return problem(status, code, message)


class _GraphQLRoute:
    """Waits for the lifespan: the view is made once the platform's connections are there."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        view: GraphQLApp = scope["app"].state.graphql
        await view(scope, receive, send)


def build_app(settings: Settings, profile: ClusterProfile) -> Starlette:
    """Connects when it starts; works without Redis, waits for the database."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        listen_url = (settings.database_listen_url or settings.database_url).get_secret_value()
        async with (
            connect(settings.database_url, settings.database_pool) as sessions,
            nudging(settings.redis_url) as nudger,
            listening(listen_url) as changefeed,
            log_tail(settings.redis_url, tail := Tail(sessions, changefeed)) as logs,
        ):
            app.state.platform = Platform(
                settings=settings,
                profile=profile,
                sessions=sessions,
                nudger=nudger,
                tail=tail,
                logs=logs,
                engines=load_engines(settings.engines),
                admin_keys=Keyring.parse(settings.admin_keys.get_secret_value()),
            )
            app.state.graphql = GraphQLApp(app.state.platform)
            log.info("api.started")
            yield
        log.info("api.stopped")

    own = own_label(settings.public_url, profile.base_domain)
    return Starlette(
        routes=[
            Route("/", welcome),
            *health.ROUTES,
            *sign_in.ROUTES,
            Route("/graphql", _GraphQLRoute()),
            WebSocketRoute("/graphql", _GraphQLRoute()),
        ],
        middleware=[Middleware(Storefronts, profile.base_domain, own), Middleware(Requests)],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )
