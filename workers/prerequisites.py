"""What a worker waits for before it starts: the database's schema, and the admission policy that limits its account."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from runtime.database import CONNECTION_ERRORS, SessionFactory, schema_problem, session_factory
from runtime.settings import Settings
from workers.admission_policy import find_policy_problem
from workers.cluster.client import Cluster
from workers.cluster.client import connect as connect_cluster
from workers.cluster.errors import ClusterError
from workers.probes import START, Probes

PATIENCE_SECONDS = 30.0
"""How long what is missing may stay away: an installation makes policy, schema and workers at the same time."""
RETRY_SECONDS = 2.0

log = structlog.get_logger()


class NotStarted(Exception):
    """Something is missing; one line with the remedy."""


async def wait_for_prerequisites(settings: Settings, stop: asyncio.Event, probes: Probes) -> None:
    """Return when schema and policy are there, or `stop` is set. Development needs no policy.

    Waits for servers that don't answer. Raises NotStarted, MissingConfiguration.
    """
    async with (
        session_factory(settings.direct_database_url, 2) as sessions,
        connect_cluster(settings.kubeconfig, settings.kube_context) as cluster,
    ):
        await _wait(lambda: _find_schema_problem(sessions), stop, probes)
        if settings.environment == "production":
            await _wait(lambda: _find_policy_problem(cluster, settings.admission_policy), stop, probes)


async def _find_policy_problem(cluster: Cluster, name: str) -> str | None:
    problem = await find_policy_problem(cluster, name)
    return problem and f"{problem}. Apply charts/storefleet/files/admission-policy.yaml; storefleet doctor shows more."


async def _find_schema_problem(sessions: SessionFactory) -> str | None:
    async with sessions() as session:
        return await schema_problem(session)


async def _wait(find_problem: Callable[[], Awaitable[str | None]], stop: asyncio.Event, probes: Probes) -> None:
    deadline: float | None = None
    while not stop.is_set():
        try:
            problem = await find_problem()
        except ClusterError as error:
            log.warning("worker.cluster_unavailable", error=error.message[:300])
            probes.problem = f"the cluster doesn't answer: {error.message[:300]}"
        except CONNECTION_ERRORS as error:
            log.warning("worker.database_unavailable", error=repr(error))
            probes.problem = "the database can't be reached"
        else:
            if problem is None:
                return
            deadline = deadline or time.monotonic() + PATIENCE_SECONDS
            if time.monotonic() >= deadline:
                raise NotStarted(problem)
            log.warning("worker.waiting", problem=problem)
            probes.problem = problem
        probes.beat(START)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RETRY_SECONDS)
