"""Recording what a pass found: one transaction on the locked row, with its events, and no network call inside."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.jitter import jitter
from stores.events import EventDraft, append_events
from stores.leases import LEASE_SECONDS, Lease, lock_store
from stores.models import Step, Store
from stores.status import Status
from workers.backoff import backoff_seconds
from workers.context import Context

BACKOFF_SECONDS = (0.2, 5.0)
"""The first and the longest pause after a failed pass, before jitter."""
RESYNC_INTERVAL = timedelta(hours=6)
"""The longest time between two resyncs of a store at rest."""


class GenerationChanged(Exception):
    """The owner changed the store during the pass, so the result of the pass is outdated."""


@dataclass
class LockedStore:
    """The locked row and its steps, which the caller may change, and the events to append."""

    session: AsyncSession
    store: Store
    steps: list[Step]
    now: datetime
    """The database's clock."""
    drafts: list[EventDraft] = field(default_factory=list)


@asynccontextmanager
async def store_transaction(
    context: Context, lease: Lease, generation: int | None = None
) -> AsyncIterator[LockedStore]:
    """Commits at the end of the block, events last. Raises LeaseLost; GenerationChanged if `generation` is outdated."""
    async with context.sessions.begin() as session:
        store = await lock_store(session, lease)
        if generation is not None and store.generation != generation:
            raise GenerationChanged
        steps = await session.scalars(select(Step).where(Step.store_id == store.id).order_by(Step.position))
        now = (await session.scalars(select(func.clock_timestamp()))).one()
        locked = LockedStore(session, store, list(steps), now)
        yield locked
        if locked.drafts:
            await append_events(session, store, locked.drafts)


def finish_pass(locked: LockedStore, lease: Lease, requeue_after: timedelta | None) -> bool:
    """Release the lease and set when the store is due again. None: at the next resync.

    True: the store was requeued during the pass. Then the lease is kept, and the caller makes another pass.
    """
    store = locked.store
    store.failures, store.observed_requeues = 0, lease.requeues
    if store.requeues != lease.requeues:
        lease.requeues, lease.deadline = store.requeues, time.monotonic() + LEASE_SECONDS
        store.lease_until = func.clock_timestamp() + timedelta(seconds=LEASE_SECONDS)
        return True
    _release(locked, resync_delay() if requeue_after is None else requeue_after)
    return False


def finish_failed_pass(locked: LockedStore, lease: Lease, requeue_after: timedelta) -> None:
    """As `finish_pass`, but the next pass waits for the backoff even if the store was requeued."""
    locked.store.failures += 1
    locked.store.observed_requeues = lease.requeues
    _release(locked, requeue_after)


def _release(locked: LockedStore, requeue_after: timedelta) -> None:
    locked.store.lease_until, locked.store.lease_holder = None, None
    locked.store.due_at = None if locked.store.status == Status.DELETED else locked.now + requeue_after


def resync_delay() -> timedelta:
    """Random, so that the resyncs of many stores spread over time."""
    return RESYNC_INTERVAL * jitter()


def backoff(failures: int, retry_after: float | None = None) -> timedelta:
    """The pause after a failed pass; `failures`: the failed passes before it. `retry_after`: see backoff_seconds."""
    return timedelta(seconds=backoff_seconds(failures + 1, *BACKOFF_SECONDS, retry_after))
