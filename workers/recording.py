"""Writing down what a pass found: one transaction on the locked row, with the news, and no network call inside."""

import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from stores.events import News, record
from stores.leases import LEASE_SECONDS, Lease, locked
from stores.models import Step, Store
from stores.status import Status
from workers.context import Context

RESYNC = timedelta(hours=6)
"""How often a store at rest is applied again; spread, so that stores don't come all at once."""


class Outdated(Exception):
    """The owner asked for something else meanwhile: what this pass found means nothing any more."""


@dataclass
class Row:
    """The locked row and its steps, to be changed, and the news of it."""

    session: AsyncSession
    store: Store
    steps: list[Step]
    now: datetime
    """The database's clock."""
    news: list[News] = field(default_factory=list)


@asynccontextmanager
async def recording(context: Context, lease: Lease, generation: int | None = None) -> AsyncIterator[Row]:
    """Commits at the end of the block, events last. Raises LeaseLost, and Outdated if the generation moved."""
    async with context.sessions.begin() as session:
        store = await locked(session, lease)
        if generation is not None and store.generation != generation:
            raise Outdated
        steps = await session.scalars(select(Step).where(Step.store_id == store.id).order_by(Step.position))
        now = (await session.scalars(select(func.clock_timestamp()))).one()
        row = Row(session, store, list(steps), now)
        yield row
        await record(session, store, row.news)


def settle(row: Row, lease: Lease, look_again: timedelta | None) -> bool:
    """The pass ends well: release the lease and say when the store is due. None: it rests.

    True: something was learned meanwhile, so the lease goes on and another pass has to follow.
    """
    store = row.store
    store.failures, store.seen_wake = 0, lease.wake
    if store.wake != lease.wake:
        lease.wake, lease.deadline = store.wake, time.monotonic() + LEASE_SECONDS
        store.lease_until = func.clock_timestamp() + timedelta(seconds=LEASE_SECONDS)
        return True
    _release(row, rest() if look_again is None else look_again)
    return False


def settle_badly(row: Row, lease: Lease, look_again: timedelta) -> None:
    """The pass ended early: whatever was learned meanwhile, the next one comes only after the pause."""
    row.store.failures += 1
    row.store.seen_wake = lease.wake
    _release(row, look_again)


def _release(row: Row, look_again: timedelta) -> None:
    row.store.lease_until, row.store.lease_holder = None, None
    row.store.due_at = None if row.store.status == Status.DELETED else row.now + look_again


def rest() -> timedelta:
    """Until the slow resync."""
    return RESYNC * random.uniform(0.5, 1)  # noqa: S311  # spread, not a secret


def pause(failures: int, retry_after: float | None = None) -> timedelta:
    """A growing, jittered back-off of at most 5 s; longer only if the cluster asks for it."""
    seconds = min(5.0, 0.2 * 2 ** min(failures, 10)) * random.uniform(0.5, 1)  # noqa: S311  # jitter
    return timedelta(seconds=max(seconds, min(retry_after or 0, 60)))
