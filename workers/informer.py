"""The informer: lists and watches our objects in the cluster, and requeues the store of each relevant change.

One worker per cluster runs it: the holder of the lease row. When that worker dies, another one takes over within
LEASE_SECONDS and begins with a list. Secrets are not watched: the slow resync reads them by name.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import CONNECTION_ERRORS
from runtime.tasks import cancel_and_wait
from stores.engines import Manifest
from stores.leases import requeue
from stores.models import InformerLease, Store
from stores.status import STEADY_STATUSES, Health, Status
from workers.cluster.watch import list_and_watch
from workers.context import Context
from workers.engines.labels import CRON, MANAGED
from workers.orphans import deleted_rows, missing_rows, store_id_of
from workers.predicates import NO_STATUS, RelevantState, lacks_ready_pods, relevant_state
from workers.snapshot import component

WATCHED_KINDS = (
    "Namespace",
    "StatefulSet",
    "Deployment",
    "Job",
    "Pod",
    "PersistentVolumeClaim",
    "ConfigMap",
    "Service",
    "ServiceAccount",
    "ResourceQuota",
    "LimitRange",
    "NetworkPolicy",
    "Ingress",
    "CronJob",
)
RECREATED_KINDS = {*WATCHED_KINDS, "HTTPRoute"} - {"Namespace", "Pod", "Job"}
"""When somebody deletes an object of these kinds, all manifests are applied again."""
LEASE_SECONDS = 10.0
RENEW_SECONDS = 2.0
BATCH_SECONDS = 0.05
"""Changes within this time requeue a store once."""
RESYNC_SPREAD = timedelta(minutes=10)
"""After a list, the resyncs of healthy stores spread over this time."""
BATCH_SIZE = 500
ORPHANS_SECONDS = 30.0

INFORMER_RUNNING = Gauge("storefleet_observing", "1 where this worker observes the cluster")
ORPHANS = Gauge("storefleet_orphaned_namespaces", "Namespaces of stores without a row; see storefleet doctor")
CHANGES = Counter("storefleet_cluster_changes", "Changes in the cluster that requeued a store", ["kind"])

log = structlog.get_logger()


class Informer:
    """Keeps the relevant state of each object, and collects the stores to requeue."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str, dict[str, RelevantState]] = {kind: {} for kind in WATCHED_KINDS}
        """By kind and UID."""
        self._pending: dict[UUID, bool] = {}
        """Stores to requeue; True: also apply all manifests again."""
        self._namespaces: dict[str, UUID] = {}
        """The store ids of the live namespaces, by UID."""
        self._reappeared_namespaces: set[UUID] = set()
        """Stores whose namespace appeared. If such a store is DELETED, its namespace is deleted again."""
        self._relisted = False
        self._listed: set[str] = set()
        self._changed = asyncio.Event()

    @property
    def is_complete(self) -> bool:
        """Whether every kind has been listed."""
        return self._listed == self._known.keys()

    async def run(self) -> None:
        """List, watch and requeue until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind in WATCHED_KINDS:
                if kind == "Ingress" and self._context.profile.routing == "gateway":
                    kind = "HTTPRoute"
                    self._known[kind] = self._known.pop("Ingress")
                on_list = self._list_handler(kind)
                group.create_task(
                    list_and_watch(self._context.cluster, kind, MANAGED, on_list=on_list, on_event=self._on_event)
                )
            group.create_task(self._flush_forever())
            group.create_task(self._count_orphans_forever())

    def _list_handler(self, kind: str) -> Callable[[Sequence[Manifest]], None]:
        def on_list(items: Sequence[Manifest]) -> None:
            before = self._known[kind]
            self._known[kind] = {item["metadata"]["uid"]: relevant_state(item) for item in items}
            for item in items:
                last = before.get(item["metadata"]["uid"])
                if lacks_ready_pods(item) or (last is not None and last != relevant_state(item)):
                    self._requeue(item, reapply=last is not None and last.spec != relevant_state(item).spec)
                if kind == "Namespace":
                    self._check_reappeared(item)
            if kind == "Namespace":
                self._namespaces = {item["metadata"]["uid"]: found for item in items if (found := store_id_of(item))}
            self._relisted = True
            self._listed.add(kind)
            self._changed.set()

        return on_list

    def _on_event(self, change: str, item: Manifest) -> None:
        known, uid, new = self._known[item["kind"]], item["metadata"]["uid"], relevant_state(item)
        if change == "DELETED":
            known.pop(uid, None)
            self._namespaces.pop(uid, None)
            if not _had_ended(item):
                self._requeue(item, reapply=item["kind"] in RECREATED_KINDS)
            return
        last = known.get(uid)
        known[uid] = new
        if last is None:
            if item["kind"] == "Namespace":
                self._check_reappeared(item)
                if store_id := store_id_of(item):
                    self._namespaces[uid] = store_id
            if new.status != NO_STATUS:
                self._requeue(item, reapply=False)
        elif last != new:
            self._requeue(item, reapply=last.spec != new.spec)

    def _requeue(self, item: Manifest, *, reapply: bool) -> None:
        store_id = store_id_of(item)
        if store_id is not None and not _is_cron_routine(item):
            CHANGES.labels(item["kind"]).inc()
            self._pending[store_id] = self._pending.get(store_id, False) or reapply
            self._changed.set()

    def _check_reappeared(self, item: Manifest) -> None:
        store_id = store_id_of(item)
        if store_id is not None:
            self._reappeared_namespaces.add(store_id)
            self._changed.set()

    async def _flush_forever(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(BATCH_SECONDS)
            self._changed.clear()
            pending, self._pending = self._pending, {}
            reappeared, self._reappeared_namespaces = self._reappeared_namespaces, set()
            relisted, self._relisted = self._relisted, False
            try:
                requeued = await self._flush(pending, reappeared, relisted)
            except CONNECTION_ERRORS as error:
                log.warning("informer.requeue_failed", stores=len(pending), error=repr(error))
                for store_id, reapply in pending.items():
                    self._pending[store_id] = self._pending.get(store_id, False) or reapply
                self._reappeared_namespaces |= reappeared
                self._relisted = self._relisted or relisted
                self._changed.set()
                await asyncio.sleep(0.5)
            else:
                self._context.enqueuer.enqueue(requeued)

    async def _count_orphans_forever(self) -> None:
        """Slowly: a row can only be missing after the database was restored."""
        while True:
            await asyncio.sleep(ORPHANS_SECONDS)
            try:
                async with self._context.sessions() as session:
                    orphans = await missing_rows(session, self._namespaces.values())
            except CONNECTION_ERRORS as error:
                log.warning("informer.orphan_count_failed", error=repr(error))
                continue
            ORPHANS.set(len(orphans))
            if orphans:
                log.warning("informer.orphans", namespaces=len(orphans), hint="storefleet doctor names them")

    async def _flush(self, pending: dict[UUID, bool], reappeared: set[UUID], relisted: bool) -> list[UUID]:
        requeued: list[UUID] = []
        for reapply in (False, True):
            ids = [store_id for store_id, again in pending.items() if again is reapply]
            for start in range(0, len(ids), BATCH_SIZE):
                async with self._context.sessions.begin() as session:
                    requeued += await requeue(session, ids[start : start + BATCH_SIZE], reapply=reapply)
        async with self._context.sessions.begin() as session:
            if reappeared:
                requeued += await requeue(session, await deleted_rows(session, reappeared))
            if relisted:
                requeued += await self._after_list(session)
        return requeued

    async def _after_list(self, session: AsyncSession) -> list[UUID]:
        """Changes may have been missed: stores in progress or unhealthy are requeued now, healthy ones soon."""
        in_cluster = Store.cluster == self._context.settings.cluster
        unsteady = or_(
            Store.status.not_in(STEADY_STATUSES), Store.health != Health.HEALTHY, Store.rotating.is_not(None)
        )
        await session.execute(
            update(Store)
            .where(in_cluster, Store.status == Status.READY, Store.health == Health.HEALTHY)
            .values(due_at=func.least(Store.due_at, func.now() + RESYNC_SPREAD * func.random()))
            .execution_options(synchronize_session=False)
        )
        return await requeue(session, list(await session.scalars(select(Store.id).where(in_cluster, unsteady))))


def _had_ended(item: Manifest) -> bool:
    """Whether a deleted object was a pod or Job that had ended before: its deletion says nothing new."""
    status = item.get("status", {})
    conditions = [row["type"] for row in status.get("conditions") or () if row["status"] == "True"]
    return item["kind"] in ("Pod", "Job") and (
        status.get("phase") in ("Succeeded", "Failed") or not {"Complete", "Failed"}.isdisjoint(conditions)
    )


def _is_cron_routine(item: Manifest) -> bool:
    """The Jobs of a CronJob and their pods that succeeded: they come every few minutes in every store."""
    phase = item.get("status", {}).get("phase")
    return component(item) == CRON and (item["kind"] == "Job" or phase == "Succeeded")


async def acquire_lease(context: Context) -> bool:
    """Acquire or renew the informer's lease. Raises database errors."""
    row = insert(InformerLease).values(
        cluster=context.settings.cluster,
        holder=context.holder,
        until=func.now() + timedelta(seconds=LEASE_SECONDS),
    )
    async with context.sessions.begin() as session:
        held = await session.scalar(
            row.on_conflict_do_update(
                index_elements=[InformerLease.cluster],
                set_={"holder": row.excluded.holder, "until": row.excluded.until},
                where=or_(InformerLease.holder == context.holder, InformerLease.until < func.now()),
            ).returning(InformerLease.cluster)
        )
    return held is not None


async def run_informer(context: Context) -> None:
    """Run the informer while this worker holds the lease. Never returns; a crash of the informer is logged."""
    task: asyncio.Task[None] | None = None
    informer = Informer(context)
    deadline = 0.0
    try:
        while True:
            requested_at, reached = time.monotonic(), True
            try:
                acquired = await acquire_lease(context)
                deadline = requested_at + LEASE_SECONDS if acquired else 0.0
            except CONNECTION_ERRORS as error:
                log.warning("informer.lease_not_renewed", error=repr(error))
                reached = False
            holding = time.monotonic() < deadline
            if task is not None and (task.done() or not holding):
                await _stop(task)
                task = None
            if holding and task is None:
                log.info("informer.started", cluster=context.settings.cluster)
                informer = Informer(context)
                task = asyncio.create_task(informer.run(), name="informer")
            INFORMER_RUNNING.set(1 if task is not None else 0)
            context.probes.beat("informer", succeeded=reached and (task is None or informer.is_complete))
            await asyncio.sleep(RENEW_SECONDS)
    finally:
        if task is not None:
            await _stop(task)
        await _release_lease(context)


async def _release_lease(context: Context) -> None:
    """Another worker then takes over at once. If this fails, the lease expires."""
    try:
        async with asyncio.timeout(2), context.sessions.begin() as session:
            await session.execute(delete(InformerLease).where(InformerLease.holder == context.holder))
    except CONNECTION_ERRORS as error:
        log.warning("informer.lease_not_released", error=repr(error))
    except Exception:  # the worker ends in any case
        log.exception("informer.lease_not_released")


async def _stop(task: asyncio.Task[None]) -> None:
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        log.error("informer.crashed", exc_info=error)
    await cancel_and_wait(task)
