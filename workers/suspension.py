"""Reconciling a store in SUSPENDING or SUSPENDED: nothing runs, and all data is kept.

The workloads are scaled to zero and the CronJobs are suspended. The route is deleted: then the platform's wildcard
route leads visitors to the store's status page. Everything else stays: namespace, volume claims, Secrets, Services.
"""

from collections.abc import Sequence

from stores.engines import Manifest
from stores.events import EventDraft
from stores.leases import Lease
from stores.status import Status
from workers import apply, evaluation, password_rotation, persistent_data, routes
from workers.apply import Blocked
from workers.context import Context
from workers.engines.objects import without_pods
from workers.snapshot import fetch_snapshot
from workers.store_pass import Pass, correct_and_report_drift, finish, record_applied, timeouts, with_pinned_claims
from workers.transaction import store_transaction


def suspend_resources(resources: Sequence[Manifest]) -> list[Manifest]:
    """The manifests of a suspended store: without its route, with nothing that runs."""
    return [without_pods(item) for item in routes.without_routes(resources)]


async def reconcile_suspended(context: Context, lease: Lease, store_pass: Pass) -> bool:
    """One pass. True: another pass must follow. Raises Blocked, ClusterError, LeaseLost."""
    store = store_pass.store
    await persistent_data.verify_namespace(context.cluster, store_pass.manifests.namespace, store.namespace_uid)
    pinned, claim_warning = await with_pinned_claims(context, store_pass)
    if claim_warning is not None and store.status == Status.SUSPENDING:
        raise Blocked(claim_warning, retryable=False)  # a claim that somebody deleted would go with its last pod
    notices: list[EventDraft] = []
    if store_pass.applying is not None:
        # before anything is scaled, so that no visitor reaches a shop that is about to stop
        await routes.delete_routes(context, lease, store_pass.manifests.resources)
        resources = suspend_resources(pinned.manifests.resources)
        if store.status == Status.SUSPENDED and store_pass.manifests.spec_hash == store.proof_hash:
            notices = await correct_and_report_drift(context, lease, store_pass, resources)
        else:  # the differences are our own: the store was running, or its manifests changed
            await apply.apply_isolation(context, lease, store_pass.manifests.isolation)
            await apply.apply_all(context, lease, resources, None, store.attempt)
    snapshot = await fetch_snapshot(context.cluster, store_pass.namespace)
    if names := list(snapshot.jobs):
        await password_rotation.delete_rotation_secret(context, lease, store_pass.namespace, snapshot, names)
        await apply.delete_jobs(context, lease, store_pass.namespace, names)
    async with store_transaction(context, lease, store.generation) as locked:
        record_applied(locked, store_pass)
        result = evaluation.evaluate_suspension(
            locked.store, locked.steps, snapshot, locked.now, timeouts(context), applied=store_pass.applying is not None
        )
        locked.drafts += [*notices, *result.drafts]
        return finish(locked, lease, result)
