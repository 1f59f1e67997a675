"""How many stores an account may have, and how many it may create in an hour."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.errors import CallerError, Code
from accounts.models import Account
from stores.models import Store
from stores.status import Status

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Limits:
    """The settings' defaults; an account's own figures win."""

    store_quota: int
    creations_per_hour: int


async def admit(session: AsyncSession, account_id: UUID, limits: Limits) -> None:
    """Lock the account's row and check that one more store fits. Raises CallerError.

    Without the lock, parallel creations all count before any of them inserts.
    """
    account = (
        await session.scalars(select(Account).where(Account.id == account_id).with_for_update(key_share=True))
    ).one()
    counts = (
        await session.execute(
            select(
                func.count().filter(Store.status != Status.DELETED).label("stores"),
                func.count().filter(Store.created_at > func.now() - HOUR).label("lately"),
                (func.min(Store.created_at).filter(Store.created_at > func.now() - HOUR) + HOUR).label("again"),
            ).where(Store.account_id == account_id)
        )
    ).one()
    quota = limits.store_quota if account.store_quota is None else account.store_quota
    if counts.stores >= quota:
        message = f"This account has {counts.stores} stores, and its limit is {quota}. Delete one, or ask for more."
        raise CallerError(Code.QUOTA_EXCEEDED, None, message)
    hourly = limits.creations_per_hour if account.creations_per_hour is None else account.creations_per_hour
    if counts.lately >= hourly:
        again = f"the next at {counts.again:%H:%M} UTC" if hourly else "none at all"
        message = f"This account may create {hourly} stores an hour (deleted ones count): {again}."
        raise CallerError(Code.RATE_LIMITED, None, message)
