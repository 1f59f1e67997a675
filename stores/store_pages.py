"""Pages of an account's stores: filtered, ordered, and with keyset cursors."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, func, literal, or_, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.pages import Page, PageRange, page_of, sorting, within
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
    """Stores with their cursors, and the number of the account's last event."""

    page: Page[tuple[Store, StoreCursor]]
    seq: int


async def stores_page(
    session: AsyncSession, account_id: UUID, wanted: PageRange, *, order: StoreOrder, matching: StoreFilter
) -> StorePage:
    """A page of the account's stores in this order. The key of the range: sort key and id."""
    place = [SORT_KEYS[order.field], Store.id.expression]
    query = select(Store.id, SORT_KEYS[order.field].label("key"))
    query = query.where(Store.account_id == account_id, *matching.conditions())
    chosen = within(query, place, wanted, descending=order.descending).subquery()
    rows = (
        await session.execute(  # one statement, because stores and event number must be of the same snapshot
            select(Store, chosen.c.key, AccountStream.seq)
            .join(chosen, chosen.c.id == Store.id)
            .join(AccountStream, AccountStream.account_id == Store.account_id)
            .order_by(*sorting([chosen.c.key, chosen.c.id], descending=order.descending))
        )
    ).all()
    if rows:
        seq = rows[0].seq
    else:
        seq = await session.scalar(select(AccountStream.seq).where(AccountStream.account_id == account_id)) or 0
    stores = [(store, StoreCursor(order, key, store.id)) for store, key, _ in rows]
    return StorePage(page_of(stores, wanted), seq)


async def count_stores(session: AsyncSession, account_id: UUID, matching: StoreFilter) -> int:
    """How many stores of the account match."""
    query = select(func.count()).select_from(Store).where(Store.account_id == account_id, *matching.conditions())
    return await session.scalar(query) or 0
