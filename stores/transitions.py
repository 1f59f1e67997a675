"""The only module that changes a store's status. The caller appends the returned events in the same transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from stores.events import EventDraft
from stores.models import Step, Store
from stores.status import TRANSITIONS, Health, Status, StepStatus
from stores.steps import CREDENTIALS, INSTALL, NAMESPACE, PROOF, fail_step, reset_step
from stores.texts import text


def transition(store: Store, to: Status, message: str) -> list[EventDraft]:
    """Change the status. Raises ValueError: TRANSITIONS doesn't have this one."""
    if to not in TRANSITIONS[Status(store.status)]:
        raise ValueError(f"a store cannot go from {store.status} to {to}")
    previous = store.status
    store.failed_in = previous if to == Status.FAILED else None
    store.status = to
    store.trouble, store.trouble_since = None, None
    return [EventDraft("STATUS", message, previous_status=previous)]


def mark_failed(store: Store, steps: Sequence[Step], now: datetime, cause: str) -> list[EventDraft]:
    """To FAILED, with the first step that has not succeeded."""
    current = next((step for step in steps if step.status != StepStatus.SUCCEEDED), None)
    drafts = fail_step(current, now, cause) if current is not None else []
    store.cause = cause
    return [*drafts, *transition(store, Status.FAILED, cause)]


def begin_retry(store: Store, steps: Sequence[Step]) -> list[EventDraft]:
    """Back to the status it failed in, as a new attempt. Steps that succeeded stay SUCCEEDED; the proof is repeated."""
    for step in steps:
        if step.status != StepStatus.SUCCEEDED or (step.name == PROOF and store.failed_in != Status.SUSPENDING):
            reset_step(step)
    store.attempt += 1
    store.applied_hash, store.cause, store.failures = None, None, 0
    return transition(store, Status(store.failed_in or ""), text("event.retrying"))


def mark_ready(store: Store, now: datetime, receipt: dict[str, Any]) -> list[EventDraft]:
    """To READY, with the receipt of the proof."""
    store.proof_hash, store.receipt = store.spec_hash, {**receipt, "plan": store.plan}
    store.ready_at = store.ready_at or now
    store.observed_generation = store.generation
    drafts = set_health(store, now, Health.HEALTHY, None)
    code = "event.ready_simulated" if receipt["simulated"] else "event.ready"
    return [*transition(store, Status.READY, text(code, ms=receipt["totalMs"])), *drafts]


def begin_update(store: Store, steps: Sequence[Step], message: str = text("event.updating")) -> list[EventDraft]:
    """To UPDATING: the rendered manifests differ from the proven ones. They are applied and proven again."""
    reset_steps(steps)
    return transition(store, Status.UPDATING, message)


def begin_suspension(store: Store, message: str = text("event.suspending")) -> list[EventDraft]:
    """To SUSPENDING. A store that doesn't run has no health."""
    store.applied_hash = None
    _clear_health(store)
    return transition(store, Status.SUSPENDING, message)


def begin_deletion(store: Store) -> list[EventDraft]:
    """To DELETING. What is being deleted has no health."""
    store.cause = None
    _clear_health(store)
    return transition(store, Status.DELETING, text("event.deleting"))


def mark_suspended(store: Store) -> list[EventDraft]:
    """To SUSPENDED."""
    store.observed_generation = store.generation
    return transition(store, Status.SUSPENDED, text("event.suspended"))


def begin_resumption(store: Store, steps: Sequence[Step]) -> list[EventDraft]:
    """To RESUMING, as a new attempt: no earlier proof counts. The installation is kept unless the manifests changed."""
    reset_steps(steps, keep=(INSTALL,) if store.spec_hash == store.proof_hash else ())
    store.attempt += 1
    store.applied_hash, store.cause, store.failures = None, None, 0
    store.suspended_by_account = False
    return transition(store, Status.RESUMING, text("event.resuming"))


def adopt_namespace(store: Store, steps: Sequence[Step], uid: str) -> list[EventDraft]:
    """The namespace with this UID, which a backup restored, takes the place of the one before. A store that runs is
    proven again.
    """
    store.namespace_uid, store.cause = uid, None
    message = text("event.namespace_restored")
    if store.status == Status.SUSPENDED:
        return [EventDraft("NOTICE", message)]
    reset_steps(steps)
    if store.status == Status.READY:
        return begin_update(store, steps, message)
    if store.status == Status.FAILED:
        return [EventDraft("NOTICE", message), *begin_retry(store, steps)]
    return [EventDraft("NOTICE", message)]


def reset_steps(steps: Sequence[Step], keep: Sequence[str] = ()) -> None:
    """Reset the steps after NAMESPACE, except those in `keep`: everything is applied and proven again."""
    for step in steps:
        if step.name not in (CREDENTIALS, NAMESPACE, *keep):
            reset_step(step)


def _clear_health(store: Store) -> None:
    store.health, store.health_cause, store.health_since = None, None, None


def set_health(store: Store, now: datetime, state: Health, cause: str | None) -> list[EventDraft]:
    """Set the health. The first one makes no event: the event READY implies it."""
    if (store.health, store.health_cause) == (state, cause):
        return []
    first = store.health is None
    if store.health != state:
        store.health_since = now
    store.health, store.health_cause = state, cause
    return [] if first else [EventDraft("HEALTH", cause or text("event.healthy"))]
