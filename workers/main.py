"""The worker process: the sweep, the observer, arq for nudges and logs, and housekeeping, each supervised.

A task that falls over is started again; none of them takes another along. SIGTERM ends all of them in order.
"""

import asyncio
import os
import random
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import structlog
from arq.worker import Worker, func
from prometheus_client import start_http_server
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from accounts import idempotency, throttle
from runtime.database import connect as connect_database
from runtime.queue import QUEUE, RECONCILE, deserialize, nudging, open_redis, serialize
from runtime.sealing import Keyring
from runtime.settings import ClusterProfile, Settings
from runtime.tasks import end
from stores import events
from stores.engines import load_engines
from stores.logs import READ_LOGS, queue_of
from workers.cluster.client import connect as connect_cluster
from workers.cluster.errors import ClusterError
from workers.context import Context
from workers.fence import Unfenced, missing_fence
from workers.logs.reading import Readings
from workers.observe import observe
from workers.sweep import Sweep

HOUSEKEEPING_SECONDS = 600.0
RESTART_SECONDS = 1.0
RETRY_SECONDS = 2.0

log = structlog.get_logger()


async def supervise(name: str, run: Callable[[], Awaitable[object]]) -> None:
    """Run it for ever: what ends or fails begins again after a moment."""
    while True:
        try:
            await run()
        except (SQLAlchemyError, RedisError, OSError, TimeoutError) as error:
            log.warning("task.interrupted", task=name, error=type(error).__name__)
        except Exception:
            log.exception("task.crashed", task=name)
        await asyncio.sleep(RESTART_SECONDS * random.uniform(0.5, 1))  # noqa: S311  # jitter, not a secret


async def take_jobs(settings: Settings, queue: str, name: str, begin: Callable[[Any], None]) -> None:
    """An arq worker for jobs that only begin something here. Ends when Redis is gone."""

    async def job(_context: dict[str, Any], given: Any) -> None:
        begin(given)

    redis = open_redis(settings.redis_url)
    worker = Worker(
        functions=[func(cast("Any", job), name=name, keep_result=0, timeout=5, max_tries=1)],
        redis_pool=redis,
        queue_name=queue,
        handle_signals=False,
        job_serializer=serialize,
        job_deserializer=deserialize,
        poll_delay=0.05,
        max_jobs=100,
        health_check_interval=30,
    )
    try:
        await worker.async_run()
    finally:
        await end(*worker.tasks.values())  # one that still runs would open a connection again
        await redis.aclose()


async def keep_house(context: Context) -> None:
    """Forget what is no longer kept. Any worker may do it, several at once do no harm."""
    while True:
        async with context.sessions.begin() as session:
            await idempotency.forget_old(session)
            await throttle.forget_old(session)
            await events.forget_old(session)
        await asyncio.sleep(HOUSEKEEPING_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311  # jitter


@asynccontextmanager
async def working(settings: Settings, profile: ClusterProfile) -> AsyncIterator[Context]:
    """A whole worker at work until the end of the block. Raises what connecting to the cluster raises."""
    if settings.worker_keys is None:
        raise ValueError("a worker needs STOREFLEET_WORKER_KEYS")
    engines = load_engines(settings.engines)
    async with (
        connect_database(settings.database_url, settings.database_pool) as sessions,
        connect_cluster(settings.kubeconfig, settings.kube_context) as cluster,
        nudging(settings.redis_url) as nudger,
    ):
        context = Context(
            holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            settings=settings,
            profile=profile,
            sessions=sessions,
            cluster=cluster,
            nudger=nudger,
            engines=engines,
            shown_keys=Keyring.parse(settings.admin_keys.get_secret_value()),
            hidden_keys=Keyring.parse(settings.worker_keys.get_secret_value()),
        )
        sweep = Sweep(context)
        readings = Readings(context, open_redis(settings.redis_url))
        logs = queue_of(settings.cluster)
        tasks = [
            asyncio.create_task(supervise(name, run), name=name)
            for name, run in {
                "sweep": sweep.run,
                "observer": lambda: observe(context),
                "nudges": lambda: take_jobs(settings, QUEUE, RECONCILE, lambda _store_id: sweep.nudge()),
                "logs": lambda: take_jobs(settings, logs, READ_LOGS, readings.begin),
                "housekeeping": lambda: keep_house(context),
            }.items()
        ]
        log.info("worker.started", holder=context.holder, cluster=cluster.host, releases=context.releases)
        try:
            yield context
        finally:
            await end(*tasks)
            await readings.close()
            log.info("worker.stopped")


async def work(settings: Settings, profile: ClusterProfile) -> None:
    """Until SIGTERM or SIGINT. In production only with a fence: raises Unfenced."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if settings.metrics_port is not None:
        start_http_server(settings.metrics_port)
    if settings.environment == "production":
        await be_fenced(settings, stop)
    async with working(settings, profile):
        await stop.wait()


async def be_fenced(settings: Settings, stop: asyncio.Event) -> None:
    """Return when our account is fenced, or it is time to stop; a cluster that doesn't answer is waited for.

    Raises Unfenced and Unconfigured.
    """
    async with connect_cluster(settings.kubeconfig, settings.kube_context) as cluster:
        while not stop.is_set():
            try:
                problem = await missing_fence(cluster)
            except ClusterError as error:
                log.warning("worker.waits_for_the_cluster", error=error.message[:300])
            else:
                if problem is None:
                    return
                raise Unfenced(f"{problem}. Apply charts/storefleet/files/fence.yaml; storefleet doctor tells more.")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_SECONDS)
