"""Stores are suspended and resumed with their accounts. Workers call `suspend_or_resume_stores` in a loop.

The account's row says what is wanted, each store's row what was done. If a process is killed, the next call continues.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import Account
from stores import transitions
from stores.events import append_events
from stores.models import Step, Store
from stores.status import Desired, Status
from stores.texts import text

BATCH = 50
"""Stores of one account in one transaction."""

TO_SUSPEND = and_(
    Account.suspended_at.is_not(None),
    Store.rotating.is_(None),
    or_(
        Store.status == Status.READY,
        # the pods of a failed change may still serve the shop; a suspension that failed is for people
        Store.failed_in.in_((Status.UPDATING, Status.RESUMING)),
    ),
)
TO_RESUME = and_(Account.suspended_at.is_(None), Store.suspended_by_account.is_(True), Store.status == Status.SUSPENDED)


async def suspend_or_resume_stores(session: AsyncSession, cluster: str, max_resuming: int) -> Sequence[UUID]:
    """Begin to suspend or resume up to BATCH stores of one account in the cluster. Returns their ids; none: nothing is
    left to do now.

    Stores resume only while fewer than `max_resuming` do. Commit, then call it again. Stores that another transaction
    has locked are left to a later call.
    """
    suspended = await _lock_some(session, cluster, TO_SUSPEND, BATCH)
    for store in suspended:
        store.desired = Desired.SUSPENDED
        store.suspended_by_account = True
        store.cause, store.failures = None, 0
        _begin(store)
        await append_events(session, store, transitions.begin_suspension(store, text("event.suspending_account")))
    if suspended:
        return [store.id for store in suspended]
    resuming = select(func.count()).where(Store.cluster == cluster, Store.status == Status.RESUMING).scalar_subquery()
    free = func.least(BATCH, func.greatest(0, max_resuming - resuming))
    resumed = await _lock_some(session, cluster, TO_RESUME, free)
    for store in resumed:
        steps = (await session.scalars(select(Step).where(Step.store_id == store.id).order_by(Step.position))).all()
        store.desired = Desired.RUNNING
        _begin(store)
        await append_events(session, store, transitions.begin_resumption(store, steps))
    return [store.id for store in resumed]


def _begin(store: Store) -> None:
    store.generation += 1
    store.requeues = Store.requeues + 1
    store.due_at = func.now()


async def _lock_some(
    session: AsyncSession, cluster: str, condition: ColumnElement[bool], limit: int | ColumnElement[int]
) -> Sequence[Store]:
    """Of one account, because the events of a transaction lock one account's stream.

    One statement counts and chooses. Workers at the same moment choose the same stores, and only one of them locks
    these; a later worker counts them. So they keep the limit together.
    """
    matching = select(Store.account_id).join(Account, Account.id == Store.account_id)
    account = matching.where(condition, Store.cluster == cluster).order_by(Store.account_id).limit(1).scalar_subquery()
    chosen = (
        select(Store.id)
        .join(Account, Account.id == Store.account_id)
        .where(condition, Store.cluster == cluster, Store.account_id == account)
        .order_by(Store.id)
        .limit(limit)
    )
    query = (
        select(Store)
        .join(Account, Account.id == Store.account_id)
        .where(condition, Store.id.in_(chosen))
        .order_by(Store.id)
        .with_for_update(key_share=True, skip_locked=True, of=Store)
    )
    return (await session.scalars(query)).all()
