"""The one place that changes a store's status. The caller records the news in the same transaction (events.record)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from stores import steps as way
from stores.events import News
from stores.models import Step, Store
from stores.status import MOVES, Health, Status, StepStatus


def move(store: Store, to: Status, message: str) -> list[News]:
    """Change the status. Raises ValueError for a move that the table doesn't have."""
    if to not in MOVES[Status(store.status)]:
        raise ValueError(f"a store cannot go from {store.status} to {to}")
    store.failed_in = store.status if to == Status.FAILED else None
    store.status = to
    store.trouble, store.trouble_since = None, None
    return [News("STATUS", message)]


def fail(store: Store, steps: Sequence[Step], now: datetime, cause: str) -> list[News]:
    """FAILED, and the step that was under way with it."""
    current = next((step for step in steps if step.status != StepStatus.SUCCEEDED), None)
    news = way.fail(current, now, cause) if current is not None else []
    store.cause = cause
    return [*news, *move(store, Status.FAILED, cause)]


def retry(store: Store, steps: Sequence[Step]) -> list[News]:
    """Back to where it failed, as a new attempt; what succeeded stays so until the cluster says otherwise."""
    for step in steps:
        if step.status != StepStatus.SUCCEEDED or step.name == way.PROOF:
            way.reset(step)
    store.attempt += 1
    store.applied_hash, store.cause, store.failures = None, None, 0
    return move(store, Status(store.failed_in or ""), "Trying again.")


def ready(store: Store, now: datetime, receipt: dict[str, Any]) -> list[News]:
    """READY with the receipt that proves what runs now."""
    store.proof_hash, store.receipt = store.spec_hash, receipt
    store.ready_at = store.ready_at or now
    store.observed_generation = store.generation
    news = health(store, now, Health.HEALTHY, None)
    kind = "simulated purchase" if receipt["simulated"] else "purchase"
    return [*move(store, Status.READY, f"READY: proven by a {kind} in {receipt['totalMs']} ms."), *news]


def update(store: Store, steps: Sequence[Step]) -> list[News]:
    """What should run isn't what was proven: it is put in place, and proven again."""
    restart(steps)
    return move(store, Status.UPDATING, "Updating the store.")


def restart(steps: Sequence[Step]) -> None:
    """What is in the namespace is to be made and proven anew."""
    for step in steps:
        if step.name not in (way.CREDENTIALS, way.NAMESPACE):
            way.reset(step)


def health(store: Store, now: datetime, state: Health, cause: str | None) -> list[News]:
    """Note how the store is doing. The first HEALTHY is no news: READY says it."""
    if (store.health, store.health_cause) == (state, cause):
        return []
    first = store.health is None
    if store.health != state:
        store.health_since = now
    store.health, store.health_cause = state, cause
    return [] if first else [News("HEALTH", cause or "The store is healthy again.")]
