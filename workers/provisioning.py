"""Reconciling a store in PROVISIONING, UPDATING or RESUMING: apply its manifests, wait for each step, then prove it."""

from stores import transitions
from stores.events import EventDraft
from stores.leases import Lease
from stores.status import StepStatus
from stores.steps import INSTALL, ISOLATION, NAMESPACE
from workers import apply, evaluation, persistent_data
from workers.context import Context
from workers.recreation import recreate_unhealthy
from workers.snapshot import fetch_snapshot, with_warning_events
from workers.store_pass import Pass, complete_step, finish, pin_volume_claims, record_applied, timeouts
from workers.transaction import GenerationChanged, store_transaction


async def reconcile_provisioning(context: Context, lease: Lease, this: Pass) -> bool:
    """PROVISIONING, UPDATING or RESUMING: apply, evaluate, then create the proof Job or delete finished Jobs."""
    generation = this.store.generation
    if this.applying is not None:
        await _apply_all(context, lease, this)
    snapshot = await fetch_snapshot(context.cluster, this.namespace)
    if this.slow:
        snapshot = await with_warning_events(context.cluster, this.namespace, snapshot)
    async with store_transaction(context, lease, generation) as locked:
        record_applied(locked, this)
        result = evaluation.evaluate_provisioning(
            locked.store,
            locked.steps,
            this.engine,
            snapshot,
            locked.now,
            timeouts(context),
            applied=this.applying is not None,
        )
        locked.drafts += result.drafts
        if not (result.create_proof or result.finished_jobs):
            return finish(locked, lease, result)
    if result.create_proof:
        name = evaluation.proof_job_name(this.store)
        proof = apply.job_for_attempt(this.manifests.proof, name, this.store.attempt)
        await apply.ensure_lease(context, lease)
        await apply.create_job(context, lease, proof)
    else:
        await apply.delete_jobs(context, lease, this.namespace, result.finished_jobs)
    async with store_transaction(context, lease, generation) as locked:
        return finish(locked, lease, result)


async def _apply_all(context: Context, lease: Lease, this: Pass) -> None:
    """Namespace, isolation, then everything else at once. Each step is recorded when it is complete."""
    store, generation, steps = this.store, this.store.generation, {step.name: step for step in this.steps}
    if store.ready_at is None:
        live = await apply.ensure_namespace(context, lease, this.manifests.namespace)
    else:
        live = await persistent_data.verify_namespace(context.cluster, this.manifests.namespace, store.namespace_uid)
        this, _ = await pin_volume_claims(context, this)
    if store.namespace_uid != live["metadata"]["uid"] or steps[NAMESPACE].status != StepStatus.SUCCEEDED:
        async with store_transaction(context, lease, generation) as locked:
            replaced = locked.store.namespace_uid not in (None, live["metadata"]["uid"])
            locked.store.namespace_uid = live["metadata"]["uid"]
            if replaced:
                transitions.reset_steps(locked.steps)
                notice = "Somebody removed the namespace; the store is created again."
                locked.drafts.append(EventDraft("NOTICE", notice))
            complete_step(locked, this.engine, NAMESPACE)
        if replaced:
            raise GenerationChanged
    await apply.apply_isolation(context, lease, this.manifests.isolation)
    if steps[ISOLATION].status != StepStatus.SUCCEEDED:
        async with store_transaction(context, lease, generation) as locked:
            complete_step(locked, this.engine, ISOLATION)
    install = this.manifests.install
    if install is not None and steps[INSTALL].status != StepStatus.SUCCEEDED:
        install = apply.job_for_attempt(install, evaluation.install_job_name(store), store.attempt)
    else:
        install = None
    if store.attempt > 1:
        await recreate_unhealthy(context, lease, this.namespace, store)
    await apply.apply_all(context, lease, this.manifests.resources, install, store.attempt)
