"""What is due is done: claim due stores and reconcile them, in this process, as many at a time as the setting says.

A task of its own, outside arq: nudges only make it look sooner. Without any it looks every SWEEP_SECONDS.
"""

import asyncio

import structlog
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.exc import SQLAlchemyError

from runtime.tasks import end
from stores.leases import Lease, LeaseLost, claim, release_all
from workers.context import Context
from workers.reconcile import reconcile

SWEEP_SECONDS = 2.0

PASSES = Counter("storefleet_passes", "Reconcile passes by how they ended", ["end"])
RUNNING = Gauge("storefleet_passes_running", "Stores that this worker reconciles now")
SECONDS = Histogram("storefleet_pass_seconds", "How long a store was held")

log = structlog.get_logger()


class Sweep:
    """`nudge` may be called at any time; `run` claims and reconciles for ever."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._look = asyncio.Event()
        self._passes: set[asyncio.Task[None]] = set()

    def nudge(self) -> None:
        """Look now instead of at the next turn."""
        self._look.set()

    async def run(self) -> None:
        """Never returns. Raises what the database raises, after which it can be run again; passes go on."""
        try:
            while True:
                self._look.clear()
                await self._claim()
                try:
                    await asyncio.wait_for(self._look.wait(), SWEEP_SECONDS)
                except TimeoutError:
                    continue
        except asyncio.CancelledError:
            await end(*self._passes)
            await self._hand_on()
            raise

    async def _hand_on(self) -> None:
        try:
            async with asyncio.timeout(2), self._context.sessions.begin() as session:
                await release_all(session, self._context.holder)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("sweep.leases_kept", error=type(error).__name__, hint="they end by themselves")

    async def _claim(self) -> None:
        free = self._context.settings.worker_concurrency - len(self._passes)
        if free <= 0:
            return  # a pass that ends looks again
        async with self._context.sessions.begin() as session:
            leases = await claim(
                session,
                holder=self._context.holder,
                cluster=self._context.settings.cluster,
                releases=self._context.releases,
                limit=free,
                at_once=self._context.settings.provisioning_at_once,
            )
        for lease in leases:
            task = asyncio.create_task(self._hold(lease))
            self._passes.add(task)
            task.add_done_callback(self._ended)
        RUNNING.set(len(self._passes))

    def _ended(self, task: asyncio.Task[None]) -> None:
        full = len(self._passes) >= self._context.settings.worker_concurrency
        self._passes.discard(task)
        RUNNING.set(len(self._passes))
        if full:
            self._look.set()

    async def _hold(self, lease: Lease) -> None:
        with structlog.contextvars.bound_contextvars(store=str(lease.store_id)), SECONDS.time():
            try:
                await reconcile(self._context, lease)
            except LeaseLost:
                log.warning("pass.lease_lost", hint="another worker goes on")
                PASSES.labels("lease_lost").inc()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("pass.cut_short", error=type(error).__name__, hint="due again when its lease ends")
                PASSES.labels("cut_short").inc()
            except Exception:
                # a defect of ours must not end the worker; the store is due again when its lease ends
                log.exception("pass.crashed")
                PASSES.labels("crashed").inc()
            else:
                PASSES.labels("done").inc()
