"""One pass over one store: bring its namespace closer to its row, and record what was seen.

Safe to run again at any moment, twice at once, or to be killed anywhere: what it writes to the cluster can be
written again, and every write to the row names the lease's epoch. It never waits for a pod. What goes wrong is a
type: Temporary ends in a back-off, a refusal is trouble that may pass, an Obstacle says whether it can.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from runtime.sealing import SealError
from stores import progress
from stores import steps as way
from stores.engines import Engine, Manifests
from stores.events import News
from stores.leases import Lease
from stores.models import Step, Store
from stores.status import FAILABLE, Desired, Health, Status, StepStatus
from workers import apply, data, drift, judge, rotation
from workers.apply import Obstacle
from workers.cluster.errors import ClusterError, Refused
from workers.context import Context
from workers.judge import Patience, Verdict
from workers.recording import Outdated, Row, pause, recording, settle, settle_badly
from workers.remove import remove
from workers.render import spec_of
from workers.renew import renew
from workers.secrets import make_and_open
from workers.view import look, with_warnings

SILENT_FAILURES = 4
"""Passes that may fail in a row before the owner is told."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Work:
    """A store as it was when the pass began, and what it should be made of."""

    store: Store
    steps: list[Step]
    engine: Engine
    values: dict[str, str] = field(repr=False)
    """The store's secrets."""
    manifests: Manifests
    applying: str | None
    """In the row's applied_hash while this pass applies; None when there is nothing to apply."""
    slow: bool
    """Its step takes long; the cluster may have warned of something."""

    @property
    def namespace(self) -> str:
        return str(self.manifests.namespace["metadata"]["name"])


async def reconcile(context: Context, lease: Lease) -> None:
    """Passes until nothing new was learned during the last.

    Raises LeaseLost, and what the database raises: the lease then ends by itself, and the store is due as it was.
    """
    again = True
    while again:
        try:
            again = await _one_pass(context, lease)
        except Outdated:
            async with recording(context, lease) as row:
                again = settle(row, lease, timedelta(0))
        except Obstacle as obstacle:
            again = await _hindered(context, lease, obstacle.cause, obstacle.passing)
        except Refused as error:
            cause = f"The cluster refused: {error.message[:300]} Tell the operator (storefleet doctor), then retry."
            again = await _hindered(context, lease, cause, passing=True)
        except SealError as error:
            again = await _hindered(context, lease, f"The store's secrets can't be opened: {error}.", passing=True)
        except ClusterError as error:
            again = await _back_off(context, lease, error)


async def _one_pass(context: Context, lease: Lease) -> bool:
    work: Work | None = None
    async with recording(context, lease) as row:
        if row.store.status in (Status.SUSPENDED, Status.FAILED):
            return settle(row, lease, None)
        if row.store.desired != Desired.DELETED:
            work = await _begin(context, lease, row)
    if work is None:
        return await remove(context, lease, row.store)
    if work.store.status == Status.READY:
        return await _attend(context, lease, work)
    return await _up(context, lease, work)


async def _begin(context: Context, lease: Lease, row: Row) -> Work:
    """Secrets are sealed and manifests rendered; what differs from what was proven turns READY into UPDATING."""
    store, steps, engine = row.store, row.steps, context.engines[row.store.engine]
    by_time = store.seen_wake == store.wake
    if store.status == Status.REQUESTED:
        row.news += progress.move(store, Status.PROVISIONING, "Setting up the store.")
    credentials = next(step for step in steps if step.name == way.CREDENTIALS)
    if credentials.status == StepStatus.SUCCEEDED:
        values = await make_and_open(row.session, context, store, engine)
    else:
        row.news += way.start(credentials, row.now, f"{way.title(credentials, engine)}.")
        values = await make_and_open(row.session, context, store, engine)
        _done(row, engine, way.CREDENTIALS)
    manifests = engine.render(spec_of(store), values, context.profile)
    if store.status == Status.READY and manifests.spec_hash != store.proof_hash:
        row.news += progress.update(store, steps)
    elif store.spec_hash not in (None, manifests.spec_hash):
        progress.restart(steps)  # the cluster's profile changed on the way
    store.spec_hash = manifests.spec_hash
    if (by_time and store.status == Status.READY) or store.applied_hash != store.spec_hash:
        # a mark, not the hash: if this pass dies the next applies again, and an observer's None isn't overwritten
        store.applied_hash = f"applying:{lease.epoch}:{lease.wake}"
    applying = None if store.applied_hash == store.spec_hash else store.applied_hash
    return Work(store, steps, engine, values, manifests, applying, judge.is_slow(steps, row.now))


async def _up(context: Context, lease: Lease, work: Work) -> bool:
    generation, verdict = work.store.generation, None
    if work.applying is not None:
        await _bring_up(context, lease, work)
    view = await look(context.cluster, work.namespace)
    if work.slow:
        view = await with_warnings(context.cluster, work.namespace, view)
    async with recording(context, lease, generation) as row:
        _applied(row, work)
        applied = work.applying is not None
        verdict = judge.climb(row.store, row.steps, work.engine, view, row.now, _patience(context), applied=applied)
        row.news += verdict.news
        if not (verdict.prove or verdict.tidy):
            return _settle(row, lease, verdict)
    if verdict.prove:
        proof = apply.job(work.manifests.proof, judge.proof_name(work.store), work.store.attempt)
        await apply.keep(context, lease)
        await apply.make_job(context, lease, proof)
    else:
        await apply.delete_jobs(context, lease, work.namespace, verdict.tidy)
    async with recording(context, lease, generation) as row:
        return _settle(row, lease, verdict)


async def _bring_up(context: Context, lease: Lease, work: Work) -> None:
    """Namespace, isolation, then everything else at once; each recorded when it is done."""
    store, generation, steps = work.store, work.store.generation, {step.name: step for step in work.steps}
    if store.ready_at is None:
        there = await apply.make_namespace(context, lease, work.manifests.namespace)
    else:
        there = await data.namespace(context.cluster, work.manifests.namespace, store.namespace_uid)
        work, _ = await _pinned(context, work)
    if store.namespace_uid != there["metadata"]["uid"] or steps[way.NAMESPACE].status != StepStatus.SUCCEEDED:
        async with recording(context, lease, generation) as row:
            anew = row.store.namespace_uid not in (None, there["metadata"]["uid"])
            row.store.namespace_uid = there["metadata"]["uid"]
            if anew:
                progress.restart(row.steps)
                row.news.append(News("NOTICE", "Somebody removed the namespace; the store is made anew."))
            _done(row, work.engine, way.NAMESPACE)
        if anew:
            raise Outdated
    await apply.apply_isolation(context, lease, work.manifests.isolation)
    if steps[way.ISOLATION].status != StepStatus.SUCCEEDED:
        async with recording(context, lease, generation) as row:
            _done(row, work.engine, way.ISOLATION)
    install = work.manifests.install
    if install is not None and steps["install"].status != StepStatus.SUCCEEDED:
        install = apply.job(install, judge.install_name(store), store.attempt)
    else:
        install = None
    if store.attempt > 1:
        await renew(context, lease, work.namespace, store)
    await apply.apply_workloads(context, lease, work.manifests.workloads, install, store.attempt)


def _done(row: Row, engine: Engine, name: str) -> None:
    """A step of the platform's ended; the next one begins."""
    step = next(step for step in row.steps if step.name == name)
    row.news += way.start(step, row.now, f"{way.title(step, engine)}.")
    row.news += way.succeed(step, row.now, row.steps)
    following = next((later for later in row.steps if later.status != StepStatus.SUCCEEDED), None)
    if following is not None:
        row.news += way.start(following, row.now, f"{way.title(following, engine)}.")


async def _pinned(context: Context, work: Work) -> tuple[Work, str | None]:
    """Work that puts no empty disk in the place of one that is gone, and what threatens a disk. Raises Obstacle."""
    workloads, threat = await data.disks(context.cluster, work.namespace, work.manifests.workloads)
    return replace(work, manifests=replace(work.manifests, workloads=workloads)), threat


async def _attend(context: Context, lease: Lease, work: Work) -> bool:
    """READY: undo what others did, say how it is doing, tidy up."""
    await data.namespace(context.cluster, work.manifests.namespace, work.store.namespace_uid)
    pinned, threat = await _pinned(context, work)
    told: list[str] = []
    if work.applying is not None:
        workloads = [apply.of_attempt(manifest, work.store.attempt) for manifest in pinned.manifests.workloads]
        manifests = [*pinned.manifests.isolation, *workloads]
        try:
            await drift.undo(context, lease, work.namespace, manifests, told)
        except ClusterError:
            async with recording(context, lease, work.store.generation) as row:
                row.news += [News("NOTICE", sentence) for sentence in told]
            raise
    view = await look(context.cluster, work.namespace)
    if not judge.is_well(work.engine, view):
        view = await with_warnings(context.cluster, work.namespace, view)
    if names := judge.leftovers(work.store, view):
        await rotation.tidy(context, lease, work.namespace, view, names)
        await apply.delete_jobs(context, lease, work.namespace, names)
    turned = await rotation.advance(context, lease, work.store, work.engine, work.values, work.manifests, view)
    async with recording(context, lease, work.store.generation) as row:
        _applied(row, work)
        row.news += [News("NOTICE", sentence) for sentence in told]
        verdict = judge.attend(row.store, work.engine, view, row.now, threat, applied=work.applying is not None)
        row.news += verdict.news
        if turned is not None:
            row.news += await rotation.conclude(row.session, context, row.store, work.engine, work.values, turned)
            verdict.look_again = timedelta(0) if row.store.rotating is None else judge.SAFETY
        return _settle(row, lease, verdict)


def _applied(row: Row, work: Work) -> None:
    if work.applying is not None and row.store.applied_hash == work.applying:
        row.store.applied_hash = work.manifests.spec_hash


def _settle(row: Row, lease: Lease, verdict: Verdict) -> bool:
    if verdict.reapply:
        row.store.applied_hash = None
        return settle(row, lease, timedelta(0))
    return settle(row, lease, verdict.look_again)


def _patience(context: Context) -> Patience:
    return Patience(
        trouble=timedelta(seconds=context.settings.failure_patience),
        step=timedelta(seconds=context.settings.step_timeout),
    )


async def _hindered(context: Context, lease: Lease, cause: str, passing: bool) -> bool:
    """Something stands in the way: told at once, and FAILED when it can't pass or has lasted too long."""
    log.warning("reconcile.hindered", cause=cause, passing=passing)
    async with recording(context, lease) as row:
        store = row.store
        if store.status in FAILABLE:
            current = next((step for step in row.steps if step.status != StepStatus.SUCCEEDED), None)
            if current is not None:
                row.news += way.start(current, row.now, cause)
            judge.weigh(store, cause, row.now)
            if not passing or judge.overdue(store, current, row.now, _patience(context)):
                row.news += progress.fail(store, row.steps, row.now, cause)
                return settle(row, lease, None)
        elif store.status == Status.READY:
            row.news += progress.health(store, row.now, Health.DEGRADED if passing else Health.DOWN, cause)
            if not passing:
                return settle(row, lease, None)
        elif store.desired == Desired.DELETED and store.cause != cause:
            store.cause = cause
            row.news.append(News("NOTICE", cause))
        settle_badly(row, lease, pause(store.failures))
    return False


async def _back_off(context: Context, lease: Lease, error: ClusterError) -> bool:
    log.warning("reconcile.back_off", error=error.message[:300], status=error.status)
    async with recording(context, lease) as row:
        if row.store.failures == SILENT_FAILURES:
            row.news.append(News("NOTICE", "The cluster doesn't answer as it should. We keep trying."))
        settle_badly(row, lease, pause(row.store.failures, getattr(error, "retry_after", None)))
    return False
