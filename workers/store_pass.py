"""The parts that the passes of all statuses share: the rendered store, and functions that record progress."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from stores import transitions
from stores.engines import Engine, Manifest, Manifests
from stores.events import EventDraft
from stores.leases import Lease
from stores.models import Step, Store
from stores.specs import store_spec
from stores.status import STEADY_STATUSES, Status, StepStatus
from stores.steps import CREDENTIALS, platform_steps_succeeded, start_step, succeed_step
from stores.texts import text
from workers import apply, drift, evaluation, persistent_data
from workers.cluster.errors import ClusterError
from workers.context import Context
from workers.evaluation import Evaluation, Timeouts
from workers.secrets import ensure_secrets
from workers.transaction import LockedStore, finish_pass, store_transaction


@dataclass(frozen=True)
class Pass:
    """The store as it was when the pass began, and its rendered manifests."""

    store: Store
    steps: list[Step]
    engine: Engine
    values: dict[str, str] = field(repr=False)
    """The store's secrets by field name."""
    manifests: Manifests
    applying: str | None
    """The row's applied_hash while this pass applies the manifests; None when they are applied already."""
    slow: bool
    """The current step takes long, so warning Events are read too."""

    @property
    def namespace(self) -> str:
        return str(self.manifests.namespace["metadata"]["name"])


async def prepare_pass(context: Context, lease: Lease, locked: LockedStore) -> Pass:
    """Seal the secrets and render the manifests. A READY store becomes UPDATING if they differ from what was proven.

    A FAILED update is left as it is: only what it has applied is applied again.
    """
    store, steps, engine = locked.store, locked.steps, context.engines[locked.store.engine]
    is_resync = store.observed_requeues == store.requeues
    suspended = store.status in (Status.SUSPENDING, Status.SUSPENDED)
    if store.status == Status.REQUESTED:
        locked.drafts += transitions.transition(store, Status.PROVISIONING, text("event.setting_up"))
    credentials = next(step for step in steps if step.name == CREDENTIALS)
    if credentials.status == StepStatus.SUCCEEDED:
        values = await ensure_secrets(locked.session, context, store, engine)
    else:
        locked.drafts += start_step(credentials, locked.now, engine)
        values = await ensure_secrets(locked.session, context, store, engine)
        complete_step(locked, engine, CREDENTIALS)
    manifests = engine.render(store_spec(store), values, context.profile)
    if store.status == Status.FAILED and not _was_applied(store, steps, manifests):
        return Pass(store, steps, engine, values, manifests, applying=None, slow=False)
    if store.status == Status.READY and manifests.spec_hash != store.proof_hash:
        locked.drafts += transitions.begin_update(store, steps)
    elif store.spec_hash not in (None, manifests.spec_hash) and not suspended:
        transitions.reset_steps(steps)  # the cluster's profile changed meanwhile
    store.spec_hash = manifests.spec_hash
    if (is_resync and store.status in STEADY_STATUSES) or store.applied_hash != store.spec_hash:
        # a marker instead of the hash: after a crash the next pass applies again, and a None that the informer
        # writes meanwhile is not overwritten
        store.applied_hash = f"applying:{lease.epoch}:{lease.requeues}"
    applying = None if store.applied_hash == store.spec_hash else store.applied_hash
    return Pass(store, steps, engine, values, manifests, applying, evaluation.is_step_slow(steps, locked.now))


def _was_applied(store: Store, steps: Sequence[Step], manifests: Manifests) -> bool:
    """Whether the last update has got as far as the store's workloads, with these manifests."""
    return platform_steps_succeeded(steps) and store.spec_hash == manifests.spec_hash


def complete_step(locked: LockedStore, engine: Engine, name: str) -> None:
    """A platform step succeeded; start the next step."""
    step = next(step for step in locked.steps if step.name == name)
    locked.drafts += start_step(step, locked.now, engine)
    locked.drafts += succeed_step(step, locked.now, locked.steps, engine)
    following = next((later for later in locked.steps if later.status != StepStatus.SUCCEEDED), None)
    if following is not None:
        locked.drafts += start_step(following, locked.now, engine)


async def with_pinned_claims(context: Context, store_pass: Pass) -> tuple[Pass, str | None]:
    """The pass with manifests that can't create an empty volume claim, and a warning. Raises Blocked."""
    resources, warning = await persistent_data.pin_volume_claims(
        context.cluster, store_pass.namespace, store_pass.manifests.resources
    )
    return replace(store_pass, manifests=replace(store_pass.manifests, resources=resources)), warning


async def correct_and_report_drift(
    context: Context, lease: Lease, store_pass: Pass, resources: Sequence[Manifest]
) -> list[EventDraft]:
    """Apply isolation and resources. A NOTICE for each object that had drifted.

    Raises LeaseLost, and ClusterError after it has recorded the notices so far.
    """
    manifests = [
        *store_pass.manifests.isolation,
        *(apply.with_attempt(item, store_pass.store.attempt) for item in resources),
    ]
    messages: list[str] = []
    try:
        await drift.correct_drift(context, lease, store_pass.namespace, manifests, messages)
    except ClusterError:
        async with store_transaction(context, lease, store_pass.store.generation) as locked:
            locked.drafts += [EventDraft("NOTICE", message) for message in messages]
        raise
    return [EventDraft("NOTICE", message) for message in messages]


def record_applied(locked: LockedStore, store_pass: Pass) -> None:
    if store_pass.applying is not None and locked.store.applied_hash == store_pass.applying:
        locked.store.applied_hash = store_pass.manifests.spec_hash


def finish(locked: LockedStore, lease: Lease, result: Evaluation) -> bool:
    if result.reapply:
        locked.store.applied_hash = None
        return finish_pass(locked, lease, timedelta(0))
    return finish_pass(locked, lease, result.requeue_after)


def timeouts(context: Context) -> Timeouts:
    return Timeouts(
        problem=timedelta(seconds=context.settings.failure_patience),
        step=timedelta(seconds=context.settings.step_timeout),
    )
