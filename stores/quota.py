"""How many stores an account may have, and how many it may create in an hour."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.errors import CallerError, Code
from accounts.models import Account
from stores.models import AccountStream, Store
from stores.status import Status

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Limits:
    """The defaults of the settings; an account's own limits override them."""

    store_quota: int
    creations_per_hour: int


async def lock_account(session: AsyncSession, account_id: UUID) -> Account:
    """Lock the account's row, and create its event stream if it has none.

    Parallel creations of an account wait here. Without the lock, all would count before any of them inserts.
    """
    query = select(Account, AccountStream.account_id.is_not(None)).outerjoin(
        AccountStream, AccountStream.account_id == Account.id
    )
    locked = query.where(Account.id == account_id).with_for_update(key_share=True, of=Account)
    account, has_stream = (await session.execute(locked)).one()
    if not has_stream:
        await session.execute(insert(AccountStream).values(account_id=account_id).on_conflict_do_nothing())
    return account


def effective_limits(account: Account, defaults: Limits) -> Limits:
    """The account's own limits, or the defaults."""
    return Limits(
        store_quota=defaults.store_quota if account.store_quota is None else account.store_quota,
        creations_per_hour=(
            defaults.creations_per_hour if account.creations_per_hour is None else account.creations_per_hour
        ),
    )


@dataclass(frozen=True)
class Usage:
    """The stores that count against an account's limits."""

    stores: int = 0
    """Stores that are not DELETED."""
    created_in_last_hour: int = 0
    """Stores that were created in the last hour, also deleted ones."""
    next_at: datetime | None = None
    """When the oldest of these no longer counts."""

    def creations_left(self, limits: Limits) -> int:
        """How many stores can be created now."""
        return max(0, min(limits.store_quota - self.stores, limits.creations_per_hour - self.created_in_last_hour))

    def next_creation_at(self, limits: Limits) -> datetime | None:
        """When the hourly limit allows the next creation; None: it does now, or it is 0."""
        reached = 0 < limits.creations_per_hour <= self.created_in_last_hour
        return self.next_at if reached else None


def usage(account_id: UUID) -> Select[int, int, datetime | None]:
    """A query for the fields of the account's Usage."""
    in_last_hour = Store.created_at > func.now() - HOUR
    return select(
        func.count().filter(Store.status != Status.DELETED),
        func.count().filter(in_last_hour),
        func.min(Store.created_at).filter(in_last_hour) + HOUR,
    ).where(Store.account_id == account_id)


async def usage_by_account(session: AsyncSession, account_ids: Collection[UUID]) -> dict[UUID, Usage]:
    """The usage of each account, with one query each."""
    return {account_id: Usage(*(await session.execute(usage(account_id))).one()) for account_id in account_ids}


def check_limits(account: Account, defaults: Limits, used: Usage) -> None:
    """Check the (locked) account's limits for one more store. Raises CallerError."""
    limits = effective_limits(account, defaults)
    if used.stores >= limits.store_quota:
        quota = limits.store_quota
        message = f"This account has {used.stores} stores, and its limit is {quota}. Delete one, or ask for more."
        raise CallerError(Code.QUOTA_EXCEEDED, None, message)
    if used.created_in_last_hour >= limits.creations_per_hour:
        next_at = used.next_creation_at(limits)
        again = f"the next at {next_at:%H:%M} UTC" if next_at is not None else "none at all"
        message = f"This account may create {limits.creations_per_hour} stores an hour (deleted ones count): {again}."
        raise CallerError(Code.RATE_LIMITED, None, message, retry_after=_seconds_until(next_at))


def _seconds_until(at: datetime | None) -> int | None:
    return None if at is None else max(1, math.ceil((at - datetime.now(UTC)).total_seconds()))
