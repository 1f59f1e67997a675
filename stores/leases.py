"""Leases on stores: a worker may reconcile a store for LEASE_SECONDS, on the database's clock.

Every write checks the lease's epoch (a fencing token), so a worker that lost its lease cannot write.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import any_id
from stores.models import Store
from stores.status import Desired, Status

LEASE_SECONDS = 10.0


class LeaseLost(Exception):
    """Another worker may hold the lease by now: write nothing more."""


@dataclass
class Lease:
    """A lease on one store."""

    store_id: UUID
    epoch: int
    requeues: int
    """`Store.requeues` when claimed. If it has changed at the end of the pass, the store is due again at once."""
    deadline: float
    """Seconds on this process's monotonic clock, read before the query: never later than the database's deadline."""

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()


async def claim_due_stores(
    session: AsyncSession,
    *,
    holder: str,
    cluster: str,
    releases: Collection[tuple[str, str]],
    profile_revision: int,
    limit: int,
    max_provisioning: int,
) -> list[Lease]:
    """Lease at most `limit` due stores whose (engine, release) this worker can render; the longest due first.

    A deletion needs no manifests, so any worker may claim it. Any other store that was claimed with a later
    `profile_revision` is left to the workers of that revision. Rows that another transaction has locked are skipped. A
    REQUESTED store waits while `max_provisioning` other stores of its cluster are being set up.
    """
    deadline = time.monotonic() + LEASE_SECONDS
    claimable = (
        Store.due_at <= func.now(),
        or_(Store.lease_until.is_(None), Store.lease_until < func.now()),
        Store.cluster == cluster,
        or_(
            Store.desired == Desired.DELETED,
            and_(tuple_(Store.engine, Store.release).in_(list(releases)), Store.profile_revision <= profile_revision),
        ),
    )
    provisioning = (
        select(func.count())
        .where(
            Store.cluster == cluster,
            or_(
                Store.status == Status.PROVISIONING,
                and_(Store.status == Status.REQUESTED, Store.lease_until >= func.now()),  # its first pass has begun
            ),
        )
        .scalar_subquery()
    )
    next_requested = (
        select(Store.id)
        .where(*claimable, Store.status == Status.REQUESTED)
        .order_by(Store.created_at, Store.id)
        .limit(func.greatest(0, max_provisioning - provisioning))
    )
    due = (
        select(Store.id)
        .where(*claimable, or_(Store.status != Status.REQUESTED, Store.id.in_(next_requested)))
        .order_by(Store.due_at)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    rows = await session.execute(
        update(Store)
        .where(Store.id.in_(due))
        .values(
            lease_holder=holder,
            lease_epoch=Store.lease_epoch + 1,
            lease_until=func.now() + timedelta(seconds=LEASE_SECONDS),
            profile_revision=func.greatest(Store.profile_revision, profile_revision),
        )
        .returning(Store.id, Store.lease_epoch, Store.requeues)
        .execution_options(synchronize_session=False)
    )
    return [Lease(row.id, row.lease_epoch, row.requeues, deadline) for row in rows]


async def renew_lease(session: AsyncSession, lease: Lease) -> None:
    """Extend the lease to LEASE_SECONDS from now. Raises LeaseLost."""
    deadline = time.monotonic() + LEASE_SECONDS
    renewed = await session.scalar(
        update(Store)
        .where(Store.id == lease.store_id, Store.lease_epoch == lease.epoch)
        .values(lease_until=func.now() + timedelta(seconds=LEASE_SECONDS))
        .returning(Store.id)
        .execution_options(synchronize_session=False)
    )
    if renewed is None:
        raise LeaseLost
    lease.deadline = deadline


async def release_leases(session: AsyncSession, holder: str) -> list[UUID]:
    """End all leases of a worker that shuts down and whose passes have ended: others can claim its stores at once.

    Returns the ids of these stores.
    """
    rows = await session.scalars(
        update(Store)
        .where(Store.lease_holder == holder, Store.lease_until > func.now())
        .values(lease_until=None, lease_holder=None, lease_epoch=Store.lease_epoch + 1)
        .returning(Store.id)
        .execution_options(synchronize_session=False)
    )
    return list(rows)


async def lock_store(session: AsyncSession, lease: Lease) -> Store:
    """The row, locked until the end of the transaction. Raises LeaseLost."""
    store = await session.scalar(
        select(Store)
        .where(Store.id == lease.store_id, Store.lease_epoch == lease.epoch)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if store is None:
        raise LeaseLost
    return store


async def requeue(session: AsyncSession, store_ids: Sequence[UUID], *, reapply: bool = False) -> list[UUID]:
    """Make these stores due now; `reapply`: with all manifests applied again. Returns the ids of those that exist."""
    values = {"requeues": Store.requeues + 1, "due_at": func.now()} | ({"applied_hash": None} if reapply else {})
    rows = await session.scalars(
        update(Store)
        .where(
            Store.id.in_(
                select(Store.id).where(Store.id == any_id(store_ids)).order_by(Store.id).with_for_update(key_share=True)
            )
        )
        .values(values)
        .returning(Store.id)
        .execution_options(synchronize_session=False)
    )
    return list(rows)
