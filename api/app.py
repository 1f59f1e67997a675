"""The API process as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from accounts.last_used import record_last_used
from api import audit_export, impersonation, probes, sign_in
from api.dashboard import Dashboard
from api.graphql import STREAM_PATH, GraphQLApp
from api.middleware import RequestMiddleware
from api.responses import error_response
from api.store_status_page import StoreStatusPages
from runtime.budgets import open_budgets
from runtime.changefeed import run_changefeed
from runtime.database import session_factory
from runtime.frontend import FRONTEND
from runtime.queue import open_enqueuer
from runtime.sealing import Keyring
from runtime.settings import ClusterProfile, Settings
from schema.context import Platform
from schema.trusted_documents import load_trusted_documents
from stores.engines import load_engines
from stores.event_stream import EventStream
from stores.log_stream import open_log_streams
from stores.names import platform_label
from stores.step_durations import StepDurations

log = structlog.get_logger()


async def _http_error(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, message = {
        404: ("NOT_FOUND", "There is nothing here. The API is at /graphql."),
        405: ("BAD_USER_INPUT", "This address takes another method."),
    }.get(status, ("BAD_USER_INPUT", "The request can't be understood."))
    return error_response(status, code, message)


class _GraphQLRoute:
    """Delegates to the GraphQLApp that the lifespan creates: the routes exist before it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        graphql: GraphQLApp = scope["app"].state.graphql
        await graphql(scope, receive, send)


def _cors(origins: Sequence[str]) -> list[Middleware]:
    """For pages of other origins, which send an API token. Without credentials: never the session cookie."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
            expose_headers=["RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id"],
        )
    ]


@asynccontextmanager
async def _serve_oidc(app: Starlette, settings: Settings) -> AsyncIterator[None]:
    """The sign-in with an OpenID provider, if there is one. Only then is its HTTP client loaded: 7 MB, 0.1 s of CPU."""
    if settings.oidc_issuer is None:
        yield
        return
    from api.oidc import ROUTES
    from api.oidc_provider import open_provider

    async with open_provider(settings) as app.state.oidc_provider:
        app.router.routes.extend(ROUTES)
        yield


def build_app(settings: Settings, profile: ClusterProfile, draining: asyncio.Event) -> Starlette:
    """Starts without Redis and without the database: requests that need them fail until they are available.

    `draining`: set when the process is about to end. Raises TrustedDocumentsError.
    """

    trusted = load_trusted_documents([*filter(None, [settings.trusted_documents]), FRONTEND / "dist" / "documents"])

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            session_factory(settings.database_url, settings.database_pool, has_pooler=settings.has_pooler) as sessions,
            record_last_used(sessions) as last_used,
            open_enqueuer(settings.redis_url) as enqueuer,
            open_budgets(settings.redis_url) as budgets,
            _serve_oidc(app, settings),
            run_changefeed(settings.direct_database_url.get_secret_value()) as changefeed,
            open_log_streams(settings.redis_url, event_stream := EventStream(sessions, changefeed)) as log_stream,
        ):
            app.state.platform = Platform(
                settings=settings,
                profile=profile,
                sessions=sessions,
                enqueuer=enqueuer,
                changefeed=changefeed,
                event_stream=event_stream,
                log_stream=log_stream,
                last_used=last_used,
                step_durations=StepDurations(sessions),
                engines=load_engines(settings.engines),
                budgets=budgets,
                trusted=trusted,
                admin_keys=Keyring.parse(settings.admin_keys.get_secret_value()),
            )
            app.state.graphql = GraphQLApp(app.state.platform)
            log.info("api.started")
            yield
        log.info("api.stopped")

    own_label = platform_label(settings.public_url, profile.base_domain)
    app = Starlette(
        routes=[
            Route("/graphql", _GraphQLRoute()),
            *probes.routes(with_metrics=settings.metrics_port is None),
            *sign_in.ROUTES,
            *impersonation.ROUTES,
            *audit_export.ROUTES,
            WebSocketRoute("/graphql", _GraphQLRoute()),
            Route(STREAM_PATH, _GraphQLRoute()),
        ],
        middleware=[
            Middleware(StoreStatusPages, profile.base_domain, own_label),
            *_cors(settings.cors_origins),
            Middleware(RequestMiddleware),
        ],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )
    app.state.draining = draining
    app.router.redirect_slashes = False  # it would repeat any Host that a client sends
    app.router.default = Dashboard().with_fallback(app.router.default)
    return app
