"""Reconciling a READY store: correct drift, record its health, continue a password rotation.

The same for a FAILED update, because the pods from before it may still serve the shop; but its Jobs stay: their
logs show why it failed.
"""

from datetime import timedelta

from stores.events import EventDraft
from stores.leases import Lease
from stores.status import Health, Status
from workers import apply, evaluation, password_rotation, persistent_data, routes
from workers.context import Context
from workers.snapshot import fetch_snapshot, with_warning_events
from workers.store_pass import Pass, correct_and_report_drift, finish, record_applied, with_pinned_claims
from workers.transaction import store_transaction


async def reconcile_ready(context: Context, lease: Lease, store_pass: Pass) -> bool:
    """One pass. True: another pass must follow. Raises Blocked, ClusterError, LeaseLost."""
    is_ready = store_pass.store.status == Status.READY
    was_healthy = store_pass.store.health == Health.HEALTHY
    await persistent_data.verify_namespace(
        context.cluster, store_pass.manifests.namespace, store_pass.store.namespace_uid
    )
    claim_warning = None
    notices: list[EventDraft] = []
    if is_ready or store_pass.applying is not None:
        store_pass, claim_warning = await with_pinned_claims(context, store_pass)
    if store_pass.applying is not None:
        # an unhealthy store may lack its route: that is no drift
        resources = store_pass.manifests.resources
        resources = resources if was_healthy else routes.without_routes(resources)
        notices = await correct_and_report_drift(context, lease, store_pass, resources)
    snapshot = await fetch_snapshot(context.cluster, store_pass.namespace)
    is_healthy = evaluation.is_healthy(store_pass.store, store_pass.engine, snapshot)
    if not (was_healthy and is_healthy):
        await routes.reconcile_routes(context, lease, store_pass.manifests.resources, snapshot)
    if not is_healthy:
        snapshot = await with_warning_events(context.cluster, store_pass.namespace, snapshot)
    if is_ready and (names := evaluation.jobs_to_delete(store_pass.store, snapshot)):
        await password_rotation.delete_rotation_secret(context, lease, store_pass.namespace, snapshot, names)
        await apply.delete_jobs(context, lease, store_pass.namespace, names)
    rotated = None
    if is_ready:
        rotated = await password_rotation.reconcile_rotation(
            context, lease, store_pass.store, store_pass.engine, store_pass.values, store_pass.manifests, snapshot
        )
    async with store_transaction(context, lease, store_pass.store.generation) as locked:
        record_applied(locked, store_pass)
        result = evaluation.evaluate_ready(
            locked.store,
            store_pass.engine,
            snapshot,
            locked.now,
            claim_warning,
            applied=store_pass.applying is not None or not is_ready,
        )
        locked.drafts += [*notices, *result.drafts]
        if rotated is not None:
            locked.drafts += await password_rotation.finish_rotation(
                locked.session, context, locked.store, store_pass.engine, store_pass.values, rotated
            )
            result.requeue_after = timedelta(0) if locked.store.rotating is None else evaluation.POLL_INTERVAL
        return finish(locked, lease, result)
