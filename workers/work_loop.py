"""Claims due stores and reconciles them in this process, up to STOREFLEET_WORKER_CONCURRENCY at a time.

It polls the database every POLL_SECONDS. A job from the queue only makes it poll at once: a lost job costs seconds.
"""

import asyncio
from contextlib import suppress

import structlog
from prometheus_client import Counter, Gauge, Histogram

from runtime.database import CONNECTION_ERRORS
from runtime.tasks import cancel_and_wait
from stores.leases import Lease, LeaseLost, claim_due_stores, release_leases
from workers.context import Context
from workers.reconcile import reconcile

POLL_SECONDS = 2.0
FINISH_SECONDS = 5.0
"""How long the passes of a worker that ends may continue. Most take less than one second."""
RELEASE_SECONDS = 2.0
"""How long a worker that ends waits for the database to release its leases."""

PASSES = Counter("storefleet_passes", "Reconcile passes by how they ended", ["end"])
RUNNING = Gauge("storefleet_passes_running", "Stores that this worker reconciles now")
SECONDS = Histogram("storefleet_pass_seconds", "How long a store was held")

log = structlog.get_logger()


class WorkLoop:
    """One per worker. `run` claims and reconciles stores for ever; `close` ends what it has begun."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._poll_now = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def poll_now(self) -> None:
        """Poll at once instead of after POLL_SECONDS. Callable at any time."""
        self._poll_now.set()

    async def run(self) -> None:
        """Never returns. Raises database errors; running passes continue, and `run` can be called again."""
        while True:
            self._poll_now.clear()
            await self._claim_due_stores()
            self._context.probes.beat("work_loop")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._poll_now.wait(), POLL_SECONDS)

    async def close(self) -> None:
        """Let the running passes finish, cancel the others, and hand their leases on.

        Call it after `run` has ended, also when that has failed, and with `stopping` set.
        """
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FINISH_SECONDS)
        await cancel_and_wait(*self._tasks)
        try:
            async with asyncio.timeout(RELEASE_SECONDS), self._context.sessions.begin() as session:
                released = await release_leases(session, self._context.holder)
            self._context.enqueuer.enqueue(released)
        except CONNECTION_ERRORS as error:
            log.warning("work_loop.leases_not_released", error=repr(error), hint="they expire")
        except Exception:  # the worker ends in any case
            log.exception("work_loop.leases_not_released")

    async def _claim_due_stores(self) -> None:
        free = self._context.settings.worker_concurrency - len(self._tasks)
        revision = self._context.profile_revision.number
        if free <= 0 or revision is None:
            return  # the end of a pass polls again, and so does the first profile revision
        async with self._context.sessions.begin() as session:
            leases = await claim_due_stores(
                session,
                holder=self._context.holder,
                cluster=self._context.settings.cluster,
                releases=self._context.releases,
                profile_revision=revision,
                limit=free,
                max_provisioning=self._context.settings.provisioning_at_once,
            )
        for lease in leases:
            task = asyncio.create_task(self._reconcile(lease))
            self._tasks.add(task)
            task.add_done_callback(self._on_done)
        RUNNING.set(len(self._tasks))

    def _on_done(self, task: asyncio.Task[None]) -> None:
        full = len(self._tasks) >= self._context.settings.worker_concurrency
        self._tasks.discard(task)
        RUNNING.set(len(self._tasks))
        if full:
            self._poll_now.set()

    async def _reconcile(self, lease: Lease) -> None:
        with structlog.contextvars.bound_contextvars(store=str(lease.store_id)), SECONDS.time():
            try:
                await reconcile(self._context, lease)
            except LeaseLost:
                log.warning("reconcile.lease_lost", hint="another worker continues")
                PASSES.labels("lease_lost").inc()
            except CONNECTION_ERRORS as error:
                log.warning("reconcile.interrupted", error=repr(error), hint="due again when its lease expires")
                PASSES.labels("cut_short").inc()
            except Exception:
                # a bug must not end the worker; the store is due again when its lease expires
                log.exception("reconcile.crashed")
                PASSES.labels("crashed").inc()
            else:
                PASSES.labels("done").inc()
