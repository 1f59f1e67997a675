"""Reconciling a store in PROVISIONING, UPDATING or RESUMING: apply its manifests, wait for each step, then prove it."""

from stores import transitions
from stores.events import EventDraft
from stores.leases import Lease
from stores.status import StepStatus
from stores.steps import INSTALL, ISOLATION, NAMESPACE
from stores.texts import text
from workers import apply, evaluation, persistent_data, routes
from workers.context import Context
from workers.recreation import recreate_unhealthy
from workers.snapshot import fetch_snapshot, with_warning_events
from workers.store_pass import Pass, complete_step, finish, record_applied, timeouts, with_pinned_claims
from workers.transaction import GenerationChanged, store_transaction


async def reconcile_provisioning(context: Context, lease: Lease, store_pass: Pass) -> bool:
    """PROVISIONING, UPDATING or RESUMING: apply, evaluate, then create the proof Job or delete finished Jobs."""
    generation = store_pass.store.generation
    if store_pass.applying is not None:
        await _apply_all(context, lease, store_pass)
    snapshot = await fetch_snapshot(context.cluster, store_pass.namespace)
    is_new = store_pass.store.ready_at is None and store_pass.store.attempt == 1
    await routes.reconcile_routes(context, lease, store_pass.manifests.resources, snapshot, is_new=is_new)
    if store_pass.slow:
        snapshot = await with_warning_events(context.cluster, store_pass.namespace, snapshot)
    async with store_transaction(context, lease, generation) as locked:
        record_applied(locked, store_pass)
        result = evaluation.evaluate_provisioning(
            locked.store,
            locked.steps,
            store_pass.engine,
            snapshot,
            locked.now,
            timeouts(context),
            applied=store_pass.applying is not None,
        )
        locked.drafts += result.drafts
        if not (result.create_proof or result.jobs_to_delete):
            return finish(locked, lease, result)
    if result.create_proof:
        name = evaluation.proof_job_name(store_pass.store)
        proof = apply.job_for_attempt(store_pass.manifests.proof, name, store_pass.store.attempt)
        await apply.ensure_lease(context, lease)
        await apply.create_job(context, lease, proof)
    else:
        await apply.delete_jobs(context, lease, store_pass.namespace, result.jobs_to_delete)
    async with store_transaction(context, lease, generation) as locked:
        return finish(locked, lease, result)


async def _apply_all(context: Context, lease: Lease, store_pass: Pass) -> None:
    """Namespace, isolation, then everything else at once. Each step is recorded when it is complete."""
    store, generation, steps = (
        store_pass.store,
        store_pass.store.generation,
        {step.name: step for step in store_pass.steps},
    )
    if store.ready_at is None:
        live = await apply.ensure_namespace(context, lease, store_pass.manifests.namespace)
    else:
        live = await persistent_data.verify_namespace(
            context.cluster, store_pass.manifests.namespace, store.namespace_uid
        )
        store_pass, _ = await with_pinned_claims(context, store_pass)
    if store.namespace_uid != live["metadata"]["uid"] or steps[NAMESPACE].status != StepStatus.SUCCEEDED:
        async with store_transaction(context, lease, generation) as locked:
            replaced = locked.store.namespace_uid not in (None, live["metadata"]["uid"])
            locked.store.namespace_uid = live["metadata"]["uid"]
            if replaced:
                transitions.reset_steps(locked.steps)
                locked.drafts.append(EventDraft("NOTICE", text("event.namespace_removed")))
            complete_step(locked, store_pass.engine, NAMESPACE)
        if replaced:
            raise GenerationChanged
    await apply.apply_isolation(context, lease, store_pass.manifests.isolation)
    if steps[ISOLATION].status != StepStatus.SUCCEEDED:
        async with store_transaction(context, lease, generation) as locked:
            complete_step(locked, store_pass.engine, ISOLATION)
    install = store_pass.manifests.install
    if install is not None and steps[INSTALL].status != StepStatus.SUCCEEDED:
        install = apply.job_for_attempt(install, evaluation.install_job_name(store), store.attempt)
    else:
        install = None
    if store.attempt > 1:
        await recreate_unhealthy(context, lease, store_pass.namespace, store)
    resources = routes.without_routes(store_pass.manifests.resources)
    await apply.apply_all(context, lease, resources, install, store.attempt)
