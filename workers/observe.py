"""Cluster changes become wakes: one observer a cluster lists and watches what we manage, and wakes whose it is.

Whoever holds the lease row observes; when it dies, another takes over within LEASE_SECONDS and begins with a list.
Secrets are not watched: the slow resync reads them by name.
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
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.tasks import end
from stores.engines import Manifest
from stores.leases import wake
from stores.models import ObserverLease, Store
from stores.status import AT_REST, Health, Status
from workers.cluster.watch import reflect
from workers.context import Context
from workers.engines.labels import CRON, MANAGED
from workers.fingerprints import BLANK, Fingerprint, fingerprint, unwell
from workers.orphans import store_of, unknown
from workers.view import component

KINDS = (
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
MADE_ANEW = {*KINDS, "HTTPRoute"} - {"Namespace", "Pod", "Job"}
"""Put back when somebody deletes them."""
LEASE_SECONDS = 10.0
RENEW_SECONDS = 2.0
GATHER_SECONDS = 0.05
"""Changes that come together are one wake."""
SPREAD = timedelta(minutes=10)
"""Over which stores at rest are looked at after a list."""
BATCH = 500
ORPHANS_SECONDS = 30.0

OBSERVING = Gauge("storefleet_observing", "1 where this worker observes the cluster")
ORPHANS = Gauge("storefleet_orphaned_namespaces", "Namespaces of stores that no row knows; see storefleet doctor")
CHANGES = Counter("storefleet_cluster_changes", "Watch events that woke a store", ["kind"])

log = structlog.get_logger()


class Observer:
    """What was last seen, and who is to be woken."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: dict[str, dict[str, Fingerprint]] = {kind: {} for kind in KINDS}
        self._pending: dict[UUID, bool] = {}
        """Store to whether its manifests are to be applied again."""
        self._namespaces: dict[str, UUID] = {}
        """Those that are there, by UID."""
        self._revenants: set[UUID] = set()
        """Stores with a namespace: if the row is DELETED, the namespace has to go again."""
        self._relisted = False
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Watch and wake until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind in KINDS:
                if kind == "Ingress" and self._context.profile.routing == "gateway":
                    kind = "HTTPRoute"
                    self._seen[kind] = {}
                group.create_task(
                    reflect(self._context.cluster, kind, MANAGED, on_list=self._lister(kind), on_event=self._on_event)
                )
            group.create_task(self._flush_for_ever())
            group.create_task(self._count_orphans_for_ever())

    def _lister(self, kind: str) -> Callable[[Sequence[Manifest]], None]:
        def on_list(items: Sequence[Manifest]) -> None:
            before = self._seen[kind]
            self._seen[kind] = {item["metadata"]["uid"]: fingerprint(item) for item in items}
            for item in items:
                last = before.get(item["metadata"]["uid"])
                if unwell(item) or (last is not None and last != fingerprint(item)):
                    self._note(item, reapply=last is not None and last.wanted != fingerprint(item).wanted)
                if kind == "Namespace":
                    self._revenant(item)
            if kind == "Namespace":
                self._namespaces = {item["metadata"]["uid"]: found for item in items if (found := store_of(item))}
            self._relisted = True
            self._changed.set()

        return on_list

    def _on_event(self, change: str, item: Manifest) -> None:
        seen, uid, now = self._seen[item["kind"]], item["metadata"]["uid"], fingerprint(item)
        if change == "DELETED":
            seen.pop(uid, None)
            self._namespaces.pop(uid, None)
            if not _ended(item):
                self._note(item, reapply=item["kind"] in MADE_ANEW)
            return
        last = seen.get(uid)
        seen[uid] = now
        if last is None:
            if item["kind"] == "Namespace":
                self._revenant(item)
                if store_id := store_of(item):
                    self._namespaces[uid] = store_id
            if now.state != BLANK:
                self._note(item, reapply=False)
        elif last != now:
            self._note(item, reapply=last.wanted != now.wanted)

    def _note(self, item: Manifest, *, reapply: bool) -> None:
        store_id = store_of(item)
        if store_id is not None and not _is_routine(item):
            CHANGES.labels(item["kind"]).inc()
            self._pending[store_id] = self._pending.get(store_id, False) or reapply
            self._changed.set()

    def _revenant(self, item: Manifest) -> None:
        store_id = store_of(item)
        if store_id is not None:
            self._revenants.add(store_id)
            self._changed.set()

    async def _flush_for_ever(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._changed.clear()
            pending, self._pending = self._pending, {}
            revenants, self._revenants = self._revenants, set()
            relisted, self._relisted = self._relisted, False
            try:
                woken = await self._flush(pending, revenants, relisted)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("observer.cant_wake", stores=len(pending), error=type(error).__name__, hint="trying again")
                for store_id, reapply in pending.items():
                    self._pending[store_id] = self._pending.get(store_id, False) or reapply
                self._revenants |= revenants
                self._relisted = self._relisted or relisted
                self._changed.set()
                await asyncio.sleep(0.5)
            else:
                self._context.nudger.nudge(woken)

    async def _count_orphans_for_ever(self) -> None:
        """A row can only be missing when the database was restored, so this needn't be quick."""
        while True:
            await asyncio.sleep(ORPHANS_SECONDS)
            try:
                async with self._context.sessions() as session:
                    orphans = await unknown(session, self._namespaces.values())
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("observer.cant_count_orphans", error=type(error).__name__)
                continue
            ORPHANS.set(len(orphans))
            if orphans:
                log.warning("observer.orphans", namespaces=len(orphans), hint="storefleet doctor names them")

    async def _flush(self, pending: dict[UUID, bool], revenants: set[UUID], relisted: bool) -> list[UUID]:
        woken: list[UUID] = []
        for reapply in (False, True):
            ids = [store_id for store_id, again in pending.items() if again is reapply]
            for start in range(0, len(ids), BATCH):
                async with self._context.sessions.begin() as session:
                    woken += await wake(session, ids[start : start + BATCH], reapply=reapply)
        async with self._context.sessions.begin() as session:
            if revenants:
                gone = select(Store.id).where(Store.id.in_(revenants), Store.status == Status.DELETED)
                woken += await wake(session, list(await session.scalars(gone)))
            if relisted:
                woken += await self._after_list(session)
        return woken

    async def _after_list(self, session: AsyncSession) -> list[UUID]:
        """Nobody knows what was missed: who is on the way or unwell is looked at now, the others soon."""
        ours = Store.cluster == self._context.settings.cluster
        restless = or_(Store.status.not_in(AT_REST), Store.health != Health.HEALTHY, Store.rotating.is_not(None))
        await session.execute(
            update(Store)
            .where(ours, Store.status == Status.READY, Store.health == Health.HEALTHY)
            .values(due_at=func.least(Store.due_at, func.now() + SPREAD * func.random()))
            .execution_options(synchronize_session=False)
        )
        return await wake(session, list(await session.scalars(select(Store.id).where(ours, restless))))


def _ended(item: Manifest) -> bool:
    """A pod or a Job that had ended before it went: nothing is new."""
    status = item.get("status", {})
    ends = [row["type"] for row in status.get("conditions") or () if row["status"] == "True"]
    return item["kind"] in ("Pod", "Job") and (
        status.get("phase") in ("Succeeded", "Failed") or not {"Complete", "Failed"}.isdisjoint(ends)
    )


def _is_routine(item: Manifest) -> bool:
    """Of work that comes by the clock: its Jobs, and a pod that has done it. Every few minutes, in every store."""
    phase = item.get("status", {}).get("phase")
    return component(item) == CRON and (item["kind"] == "Job" or phase in ("Succeeded", "Failed"))


async def hold_lease(context: Context) -> bool:
    """Take or keep the right to observe. Raises database errors."""
    mine = insert(ObserverLease).values(
        cluster=context.settings.cluster,
        holder=context.holder,
        until=func.now() + timedelta(seconds=LEASE_SECONDS),
    )
    async with context.sessions.begin() as session:
        held = await session.scalar(
            mine.on_conflict_do_update(
                index_elements=[ObserverLease.cluster],
                set_={"holder": mine.excluded.holder, "until": mine.excluded.until},
                where=or_(ObserverLease.holder == context.holder, ObserverLease.until < func.now()),
            ).returning(ObserverLease.cluster)
        )
    return held is not None


async def observe(context: Context) -> None:
    """Observe whenever this worker holds the lease. Never returns; raises only what a defect of ours raises."""
    task: asyncio.Task[None] | None = None
    deadline = 0.0
    try:
        while True:
            asked = time.monotonic()
            try:
                held = await hold_lease(context)
                deadline = asked + LEASE_SECONDS if held else 0.0
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("observer.no_database", error=type(error).__name__)
            holding = time.monotonic() < deadline
            if task is not None and (task.done() or not holding):
                await _end(task)
                task = None
            if holding and task is None:
                log.info("observer.begins", cluster=context.settings.cluster)
                task = asyncio.create_task(Observer(context).run(), name="observer")
            OBSERVING.set(1 if task is not None else 0)
            await asyncio.sleep(RENEW_SECONDS)
    finally:
        if task is not None:
            await _end(task)
        await _let_go(context)


async def _let_go(context: Context) -> None:
    """So that another worker takes over at once; when that fails, the lease ends by itself."""
    try:
        async with asyncio.timeout(2), context.sessions.begin() as session:
            await session.execute(delete(ObserverLease).where(ObserverLease.holder == context.holder))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("observer.lease_kept", error=type(error).__name__)


async def _end(task: asyncio.Task[None]) -> None:
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        log.error("observer.crashed", exc_info=error)
    await end(task)
