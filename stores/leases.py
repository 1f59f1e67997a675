"""The right to reconcile a store: for LEASE_SECONDS, on the database's clock, with an epoch that every write names."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from stores.models import Store
from stores.status import Desired, Status

LEASE_SECONDS = 10.0


class LeaseLost(Exception):
    """Another worker may reconcile the store by now: write nothing more."""


@dataclass
class Lease:
    """What a worker claimed."""

    store_id: UUID
    epoch: int
    wake: int
    """The row's counter when claimed; if it has moved at the end, the store is due again at once."""
    deadline: float
    """On this process's monotonic clock; taken before the database was asked, so it never ends late."""

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()


async def claim(
    session: AsyncSession,
    *,
    holder: str,
    cluster: str,
    releases: Collection[tuple[str, str]],
    limit: int,
    at_once: int,
) -> list[Lease]:
    """Take stores that are due and nobody's, of (engine, release)s that this worker knows; the longest due first.

    Deletions need no manifests, so any worker may do them. What another transaction holds is left to it. A store that
    is REQUESTED waits for its turn while `at_once` others of its cluster are being set up.
    """
    deadline = time.monotonic() + LEASE_SECONDS
    free = (
        Store.due_at <= func.now(),
        or_(Store.lease_until.is_(None), Store.lease_until < func.now()),
        Store.cluster == cluster,
        or_(Store.desired == Desired.DELETED, tuple_(Store.engine, Store.release).in_(list(releases))),
    )
    under_way = (
        select(func.count()).where(Store.cluster == cluster, Store.status == Status.PROVISIONING).scalar_subquery()
    )
    turn = (
        select(Store.id)
        .where(*free, Store.status == Status.REQUESTED)
        .order_by(Store.created_at, Store.id)
        .limit(func.greatest(0, at_once - under_way))
    )
    due = (
        select(Store.id)
        .where(*free, or_(Store.status != Status.REQUESTED, Store.id.in_(turn)))
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
        )
        .returning(Store.id, Store.lease_epoch, Store.wake)
        .execution_options(synchronize_session=False)
    )
    return [Lease(row.id, row.lease_epoch, row.wake, deadline) for row in rows]


async def renew(session: AsyncSession, lease: Lease) -> None:
    """Another LEASE_SECONDS from now. Raises LeaseLost."""
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


async def release_all(session: AsyncSession, holder: str) -> None:
    """A worker that ends in order hands its stores on at once; nothing of it may run any more."""
    await session.execute(
        update(Store)
        .where(Store.lease_holder == holder, Store.lease_until > func.now())
        .values(lease_until=None, lease_holder=None, lease_epoch=Store.lease_epoch + 1)
        .execution_options(synchronize_session=False)
    )


async def locked(session: AsyncSession, lease: Lease) -> Store:
    """The row, locked until the transaction ends. Raises LeaseLost."""
    store = await session.scalar(
        select(Store)
        .where(Store.id == lease.store_id, Store.lease_epoch == lease.epoch)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if store is None:
        raise LeaseLost
    return store


async def wake(session: AsyncSession, store_ids: Sequence[UUID], *, reapply: bool = False) -> list[UUID]:
    """Something was learned about these stores: they are due now. Those that are there, in one statement."""
    values = {"wake": Store.wake + 1, "due_at": func.now()} | ({"applied_hash": None} if reapply else {})
    rows = await session.scalars(
        update(Store)
        .where(
            Store.id.in_(
                select(Store.id).where(Store.id.in_(store_ids)).order_by(Store.id).with_for_update(key_share=True)
            )
        )
        .values(values)
        .returning(Store.id)
        .execution_options(synchronize_session=False)
    )
    return list(rows)
