"""Whether the process lives, whether it can serve, and its figures."""

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime.database import schema_problem
from schema.context import Platform

log = structlog.get_logger()


async def healthz(_request: Request) -> Response:
    """200 as long as the event loop turns."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """200 with a database whose schema we can live with; Redis may be gone."""
    platform: Platform = request.app.state.platform
    try:
        async with platform.sessions() as session:
            problem = await schema_problem(session)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("readyz.no_database", error=type(error).__name__)
        problem = "the database can't be reached"
    if problem is not None:
        return JSONResponse({"status": "unready", "reason": problem}, 503)
    return JSONResponse({"status": "ready"})


async def metrics(_request: Request) -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


ROUTES = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
