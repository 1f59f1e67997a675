"""Reconciling one store: short passes that bring its namespace closer to its row, and record what they found.

A pass is idempotent, and a worker may be killed at any point of it: writes to the cluster can be repeated, and writes
to the row carry the lease's epoch. A pass never waits for a pod. Errors have types: a TransientError leads to a
backoff, a rejected request may be retried, and Blocked says whether a retry can help.
"""

from datetime import timedelta

import structlog

from runtime.sealing import UnsealError
from stores import transitions
from stores.events import EventDraft
from stores.leases import Lease
from stores.status import FAILABLE, Desired, Health, Status, StepStatus
from stores.steps import start_step
from stores.texts import text
from workers import apply, evaluation
from workers.apply import Blocked
from workers.cluster.errors import ClusterError, RequestRejected, TransientError
from workers.context import Context
from workers.deletion import reconcile_deletion
from workers.problems import Problem
from workers.provisioning import reconcile_provisioning
from workers.ready import reconcile_ready
from workers.store_pass import Pass, prepare_pass, timeouts
from workers.suspension import reconcile_suspended
from workers.transaction import GenerationChanged, backoff, finish_failed_pass, finish_pass, store_transaction

SILENT_FAILURES = 4
"""After this many failed passes in a row, the owner gets a notice."""

log = structlog.get_logger()


async def reconcile(context: Context, lease: Lease) -> None:
    """Make passes until the store is not requeued during the last one, or the worker stops.

    Raises LeaseLost and database errors. Then the lease expires and the store is still due.
    """
    again = True
    while again and not context.stopping.is_set():
        try:
            again = await _run_pass(context, lease)
        except GenerationChanged:
            async with store_transaction(context, lease) as locked:
                again = finish_pass(locked, lease, timedelta(0))
        except Blocked as blocked:
            again = await _handle_blocked(context, lease, blocked.problem, blocked.retryable)
        except RequestRejected as error:
            refused = Problem(
                text("cause.cluster_refused", reason=error.message[:300]), text("remedy.tell_operator_doctor")
            )
            again = await _handle_blocked(context, lease, refused, retryable=True)
        except UnsealError as error:
            unreadable = Problem(text("cause.secrets_not_opened", reason=error), text("remedy.tell_operator"))
            again = await _handle_blocked(context, lease, unreadable, retryable=True)
        except ClusterError as error:
            again = await _handle_cluster_error(context, lease, error)


async def _run_pass(context: Context, lease: Lease) -> bool:
    """True: another pass must follow."""
    store_pass: Pass | None = None
    async with store_transaction(context, lease) as locked:
        if locked.store.status == Status.FAILED and locked.store.failed_in != Status.UPDATING:
            return finish_pass(locked, lease, None)
        if locked.store.desired != Desired.DELETED:
            store_pass = await prepare_pass(context, lease, locked)
    if store_pass is None:
        return await reconcile_deletion(context, lease, locked.store)
    try:
        return await _reconcile_status(context, lease, store_pass)
    except RequestRejected as error:
        if error.status == 403 and await apply.create_bindings(context, lease, store_pass.manifests.isolation):
            raise TransientError("the rights in the namespace aren't in force yet", retry_after=0.1) from error
        raise


async def _reconcile_status(context: Context, lease: Lease, store_pass: Pass) -> bool:
    if store_pass.store.status in (Status.READY, Status.FAILED):
        return await reconcile_ready(context, lease, store_pass)
    if store_pass.store.status in (Status.SUSPENDING, Status.SUSPENDED):
        return await reconcile_suspended(context, lease, store_pass)
    return await reconcile_provisioning(context, lease, store_pass)


async def _handle_blocked(context: Context, lease: Lease, problem: Problem, retryable: bool) -> bool:
    """Report the cause at once. FAILED when a retry can't help, or when a deadline has passed."""
    log.warning("reconcile.blocked", cause=problem.cause, retryable=retryable)
    async with store_transaction(context, lease) as locked:
        store = locked.store
        cause = problem.text(evaluation.remedies(store))
        if store.status == Status.REQUESTED:  # the pass that would have begun it was rolled back
            locked.drafts += transitions.transition(store, Status.PROVISIONING, text("event.setting_up"))
        if store.status in FAILABLE:
            current = next((step for step in locked.steps if step.status != StepStatus.SUCCEEDED), None)
            if current is not None:
                locked.drafts += start_step(current, locked.now, context.engines[store.engine], cause)
            evaluation.record_problem(store, cause, locked.now)
            if not retryable or evaluation.exceeded_deadline(store, current, locked.now, timeouts(context)):
                locked.drafts += transitions.mark_failed(store, locked.steps, locked.now, cause)
                return finish_pass(locked, lease, evaluation.requeue_after_failure(store))
        elif store.status in (Status.READY, Status.FAILED):
            health = Health.DEGRADED if retryable else Health.DOWN
            locked.drafts += transitions.set_health(store, locked.now, health, cause)
            if not retryable or store.status == Status.FAILED:
                return finish_pass(locked, lease, None)
        elif (store.desired == Desired.DELETED or store.status == Status.SUSPENDED) and store.cause != cause:
            store.cause = cause
            locked.drafts.append(EventDraft("NOTICE", cause))
        if store.status == Status.SUSPENDED:
            return finish_pass(locked, lease, None)
        finish_failed_pass(locked, lease, backoff(store.failures))
    return False


async def _handle_cluster_error(context: Context, lease: Lease, error: ClusterError) -> bool:
    """Back off. Never FAILED: the API server's errors are no fault of the store."""
    log.warning("reconcile.cluster_error", error=error.message[:300], status=error.status)
    async with store_transaction(context, lease) as locked:
        if locked.store.failures == SILENT_FAILURES:
            locked.drafts.append(EventDraft("NOTICE", text("event.cluster_errors")))
        finish_failed_pass(locked, lease, backoff(locked.store.failures, getattr(error, "retry_after", None)))
    return False
