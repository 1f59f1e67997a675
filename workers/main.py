"""The worker process: supervised tasks (work loop, informer, queues, webhooks, suspended accounts, maintenance, …).

A task that crashes is started again and does not affect the others. SIGTERM stops all of them in order.
"""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import structlog
from arq.worker import Worker, func
from redis.exceptions import RedisError

from runtime.database import CONNECTION_ERRORS, session_factory
from runtime.jitter import jitter
from runtime.monitoring import serve_monitoring
from runtime.queue import QUEUE, RECONCILE_JOB, deserialize, open_enqueuer, open_redis, serialize
from runtime.sealing import Keyring
from runtime.settings import ClusterProfile, Settings
from runtime.tasks import cancel_and_wait
from stores.engines import load_engines
from stores.log_protocol import READ_LOGS, log_queue
from workers.account_suspension import run_account_suspension
from workers.capacity import run_capacity
from workers.cluster.client import connect as connect_cluster
from workers.context import Context
from workers.informer import run_informer
from workers.logs.reader import LogReaders
from workers.maintenance import run_maintenance
from workers.prerequisites import wait_for_prerequisites
from workers.probes import Probes
from workers.profile_revision import run_profile_revision
from workers.webhooks.loop import WebhookLoop
from workers.work_loop import WorkLoop

QUEUE_POLL_SECONDS = 0.1
"""How often arq asks Redis for jobs: each question costs 0.5 ms of CPU, also when nothing happens."""
RESTART_SECONDS = 1.0

log = structlog.get_logger()


async def supervise(name: str, run: Callable[[], Awaitable[object]], probes: Probes) -> None:
    """Run it for ever: when it ends or raises, run it again after RESTART_SECONDS."""
    while True:
        try:
            await run()
        except (RedisError, *CONNECTION_ERRORS) as error:
            log.warning("task.interrupted", task=name, error=repr(error))
        except Exception:
            log.exception("task.crashed", task=name)
        probes.beat(name, succeeded=False)
        await asyncio.sleep(RESTART_SECONDS * jitter())


async def run_arq_worker(settings: Settings, queue: str, name: str, start: Callable[[Any], None]) -> None:
    """An arq worker for one kind of job. The job calls `start` with its argument. Ends without Redis."""

    async def job(_context: dict[str, Any], argument: Any) -> None:
        start(argument)

    redis = open_redis(settings.redis_url)
    worker = Worker(
        functions=[func(cast("Any", job), name=name, keep_result=0, timeout=5, max_tries=1)],
        redis_pool=redis,
        queue_name=queue,
        handle_signals=False,
        job_serializer=serialize,
        job_deserializer=deserialize,
        poll_delay=QUEUE_POLL_SECONDS,
        max_jobs=100,
        health_check_interval=30,
    )
    try:
        await worker.async_run()
    finally:
        await cancel_and_wait(*worker.tasks.values())  # a running task would open a connection again
        await redis.aclose()


@asynccontextmanager
async def worker_lifespan(
    settings: Settings, profile: ClusterProfile, probes: Probes | None = None
) -> AsyncIterator[Context]:
    """A complete worker that runs until the end of the block. Raises MissingConfiguration, ClusterError."""
    probes = probes or Probes()
    if settings.worker_keys is None:
        raise ValueError("a worker needs STOREFLEET_WORKER_KEYS")
    engines = load_engines(settings.engines)
    async with (
        session_factory(settings.database_url, settings.database_pool, has_pooler=settings.has_pooler) as sessions,
        connect_cluster(settings.kubeconfig, settings.kube_context) as cluster,
        open_enqueuer(settings.redis_url) as enqueuer,
    ):
        context = Context(
            holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            settings=settings,
            profile=profile,
            sessions=sessions,
            cluster=cluster,
            enqueuer=enqueuer,
            engines=engines,
            admin_keys=Keyring.parse(settings.admin_keys.get_secret_value()),
            worker_keys=Keyring.parse(settings.worker_keys.get_secret_value()),
            probes=probes,
        )
        work_loop = WorkLoop(context)
        webhook_loop = WebhookLoop(context)
        log_readers = LogReaders(context, open_redis(settings.redis_url))
        probes.started("work_loop", "informer")
        tasks = [
            asyncio.create_task(supervise(name, run, probes), name=name)
            for name, run in {
                "work_loop": work_loop.run,
                "informer": lambda: run_informer(context),
                "store_queue": lambda: run_arq_worker(
                    settings, QUEUE, RECONCILE_JOB, lambda _store_id: work_loop.poll_now()
                ),
                "log_queue": lambda: run_arq_worker(
                    settings, log_queue(settings.cluster), READ_LOGS, log_readers.start
                ),
                "webhooks": webhook_loop.run,
                "account_suspension": lambda: run_account_suspension(context),
                "capacity": lambda: run_capacity(context),
                "maintenance": lambda: run_maintenance(context),
                "profile_revision": lambda: run_profile_revision(context, work_loop.poll_now),
            }.items()
        ]
        log.info("worker.started", holder=context.holder, cluster=cluster.host, releases=context.releases)
        try:
            yield context
        finally:
            context.stopping.set()  # first: nothing that is under way begins anything more
            await cancel_and_wait(*tasks)
            await work_loop.close()
            await webhook_loop.close()
            await log_readers.close()
            log.info("worker.stopped")


async def run_worker(settings: Settings, profile: ClusterProfile) -> None:
    """Runs until SIGTERM or SIGINT. Raises NotStarted, MissingConfiguration, PortInUseError."""
    stop, probes = asyncio.Event(), Probes()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if settings.metrics_port is not None:
        serve_monitoring(settings.metrics_port, {"/healthz": probes.hung, "/readyz": probes.not_ready})
    await wait_for_prerequisites(settings, stop, probes)
    if not stop.is_set():
        async with worker_lifespan(settings, profile, probes):
            await stop.wait()
