"""Liveness, readiness and metrics."""

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime.database import CONNECTION_ERRORS, schema_problem
from schema.context import Platform

log = structlog.get_logger()


async def healthz(_request: Request) -> Response:
    """200 while the event loop runs."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """200 if the database is available and its schema is recent enough, else 503. Redis is not required.

    `degraded`, with 200: subscribers get events late, because notifications of PostgreSQL don't arrive.
    `?exclude=database`: 200 until the process ends. Without a database it still tells visitors to wait.
    """
    if request.app.state.draining.is_set():
        return JSONResponse({"status": "unready", "reason": "this process ends"}, 503)
    if "database" in request.query_params.getlist("exclude"):
        return JSONResponse({"status": "ready"})
    platform: Platform = request.app.state.platform
    try:
        async with platform.sessions() as session:
            problem = await schema_problem(session)
    except CONNECTION_ERRORS as error:
        log.warning("readyz.database_unavailable", error=repr(error))
        problem = "the database can't be reached"
    if problem is not None:
        return JSONResponse({"status": "unready", "reason": problem}, 503)
    if not platform.changefeed.connected:
        return JSONResponse({"status": "degraded", "reason": "LISTEN can't connect; subscribers read every 30 s"})
    return JSONResponse({"status": "ready"})


async def metrics(_request: Request) -> Response:
    """Metrics in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def routes(*, with_metrics: bool) -> list[Route]:
    """`with_metrics`: False if they have a port of their own."""
    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        *([Route("/metrics", metrics)] if with_metrics else []),
    ]
