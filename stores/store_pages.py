"""Pages of an account's stores: filtered, ordered, and with keyset cursors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession

from stores.models import AccountStream, Store
from stores.status import Health, Status


class OrderField(StrEnum):
    """What stores can be ordered by. Stores that are equal in it are ordered by id."""

    CREATED_AT = "CREATED_AT"
    NAME = "NAME"
    STATUS = "STATUS"


SORT_KEYS: dict[OrderField, ColumnElement[Any]] = {
    OrderField.CREATED_AT: Store.created_at.expression,
    OrderField.NAME: func.lower(Store.name),
    OrderField.STATUS: func.array_position(array([literal(status.value, Text) for status in Status]), Store.status),
}


@dataclass(frozen=True)
class StoreOrder:
    """The newest first by default."""

    field: OrderField = OrderField.CREATED_AT
    descending: bool = True


@dataclass(frozen=True)
class StoreCursor:
    """The place of a store in an order: its sort key (a time, text or number from 1), and its id."""

    order: StoreOrder
    key: datetime | str | int
    store_id: UUID


@dataclass(frozen=True)
class StoreFilter:
    """Which stores; an empty field filters nothing, except that deleted stores have to be asked for."""

    statuses: frozenset[Status] = frozenset()
    health: frozenset[Health] = frozenset()
    engines: frozenset[str] = frozenset()
    search: str = ""
    """Part of the name or of the slug, in any case."""
    include_deleted: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if self.statuses:
            conditions.append(Store.status.in_(self.statuses))
        elif not self.include_deleted:
            conditions.append(Store.status != Status.DELETED)
        if self.health:
            conditions.append(Store.health.in_(self.health))
        if self.engines:
            conditions.append(Store.engine.in_(self.engines))
        if self.search:
            columns = (Store.name, Store.slug)
            conditions.append(or_(*(column.icontains(self.search, autoescape=True) for column in columns)))
        return conditions


@dataclass(frozen=True)
class StorePage:
    """Stores with their cursors, whether more stores follow, and the number of the account's last event."""

    stores: Sequence[tuple[Store, StoreCursor]]
    has_next: bool
    seq: int


async def stores_page(
    session: AsyncSession,
    account_id: UUID,
    *,
    first: int,
    after: StoreCursor | None,
    order: StoreOrder,
    matching: StoreFilter,
) -> StorePage:
    """At most `first` stores. `after`: a cursor of the same order."""
    key = SORT_KEYS[order.field].label("key")
    query = select(Store.id, key).where(Store.account_id == account_id, *matching.conditions())
    if after is not None:
        position = tuple_(SORT_KEYS[order.field], Store.id)
        end = tuple_(literal(after.key, SORT_KEYS[order.field].type), literal(after.store_id))
        query = query.where(position < end if order.descending else position > end)
    sorting = [part.desc() if order.descending else part.asc() for part in (key, Store.id)]
    page = query.order_by(*sorting).limit(first + 1).subquery()
    sorting = [part.desc() if order.descending else part.asc() for part in (page.c.key, page.c.id)]
    rows = (
        await session.execute(  # one statement, because stores and event number must be of the same snapshot
            select(Store, page.c.key, AccountStream.seq)
            .join(page, page.c.id == Store.id)
            .join(AccountStream, AccountStream.account_id == Store.account_id)
            .order_by(*sorting)
        )
    ).all()
    if not rows:
        seq = await session.scalar(select(AccountStream.seq).where(AccountStream.account_id == account_id))
        return StorePage([], has_next=False, seq=seq or 0)
    stores = [(store, StoreCursor(order, key, store.id)) for store, key, _ in rows[:first]]
    return StorePage(stores, has_next=len(rows) > first, seq=rows[0].seq)


async def count_stores(session: AsyncSession, account_id: UUID, matching: StoreFilter) -> int:
    """How many stores of the account match."""
    query = select(func.count()).select_from(Store).where(Store.account_id == account_id, *matching.conditions())
    return await session.scalar(query) or 0
