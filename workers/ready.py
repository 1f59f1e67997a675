"""Reconciling a READY store: correct drift, record its health, continue a password rotation."""

from datetime import timedelta

from stores.events import EventDraft
from stores.leases import Lease
from workers import apply, evaluation, persistent_data, rotation
from workers.context import Context
from workers.snapshot import fetch_snapshot, with_warning_events
from workers.store_pass import Pass, correct_drift, finish, pin_volume_claims, record_applied
from workers.transaction import store_transaction


async def reconcile_ready(context: Context, lease: Lease, this: Pass) -> bool:
    """READY: correct drift, record the health, delete finished Jobs, continue a password rotation."""
    await persistent_data.verify_namespace(context.cluster, this.manifests.namespace, this.store.namespace_uid)
    pinned, threat = await pin_volume_claims(context, this)
    notices: list[EventDraft] = []
    if this.applying is not None:
        notices = await correct_drift(context, lease, this, pinned.manifests.resources)
    snapshot = await fetch_snapshot(context.cluster, this.namespace)
    if not evaluation.is_healthy(this.engine, snapshot):
        snapshot = await with_warning_events(context.cluster, this.namespace, snapshot)
    if names := evaluation.finished_jobs(this.store, snapshot):
        await rotation.delete_rotation_secret(context, lease, this.namespace, snapshot, names)
        await apply.delete_jobs(context, lease, this.namespace, names)
    rotated = await rotation.reconcile_rotation(
        context, lease, this.store, this.engine, this.values, this.manifests, snapshot
    )
    async with store_transaction(context, lease, this.store.generation) as locked:
        record_applied(locked, this)
        result = evaluation.evaluate_ready(
            locked.store, this.engine, snapshot, locked.now, threat, applied=this.applying is not None
        )
        locked.drafts += [*notices, *result.drafts]
        if rotated is not None:
            locked.drafts += await rotation.finish_rotation(
                locked.session, context, locked.store, this.engine, this.values, rotated
            )
            result.requeue_after = timedelta(0) if locked.store.rotating is None else evaluation.POLL_INTERVAL
        return finish(locked, lease, result)
