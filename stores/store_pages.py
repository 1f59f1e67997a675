"""Pages of an account's stores: filtered, ordered, and with keyset cursors."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, func, literal, or_, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import SessionFactory
from runtime.pagination import Page, PageRange, page_of, sorting, within
from runtime.statements import Statement
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


OF_WORKERS = frozenset(
    "cluster desired generation observed_generation failed_in due_at requeues observed_requeues wake seen_wake rotating"
    " failures attempt trouble trouble_since lease_holder lease_epoch lease_until profile_revision namespace_uid"
    " spec_hash applied_hash proof_hash".split()
)
COLUMNS = [column for column in Store.__table__.columns if column.name not in OF_WORKERS]
"""What a page has of each store. Objects of the class Store would take longer to load than the query takes."""
KEY = ("key", "id")
"""What a page is ordered by."""


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
            conditions.append(_one_of(Store.status, self.statuses))
        elif not self.include_deleted:
            conditions.append(Store.status != Status.DELETED)
        if self.health:
            conditions.append(_one_of(Store.health, self.health))
        if self.engines:
            conditions.append(_one_of(Store.engine, self.engines))
        if self.search:
            columns = (Store.name, Store.slug)
            conditions.append(or_(*(column.icontains(self.search, autoescape=True) for column in columns)))
        return conditions


def _one_of(column: Any, values: Collection[str]) -> ColumnElement[bool]:
    """As IN, whose text a Statement can't have."""
    condition: ColumnElement[bool] = column == any_(literal(sorted(values), ARRAY(Text)))
    return condition


@dataclass(frozen=True)
class StorePage:
    """Stores (rows of COLUMNS) with their cursors, and the number of the account's last event."""

    page: Page[tuple[Store, StoreCursor]]
    seq: int


async def stores_page(
    sessions: SessionFactory, account_id: UUID, wanted: PageRange, *, order: StoreOrder, matching: StoreFilter
) -> StorePage:
    """A page of the account's stores in this order. The key of the range: sort key and id."""
    build = _statement if not matching.search else _statement.__wrapped__  # there are too many texts to keep
    statement = build(order, matching, wanted.limit, wanted.last, wanted.after is None, wanted.before is None)
    ends = {"after": wanted.after or (None, None), "before": wanted.before or (None, None)}
    given = {f"{end}_{name}": value for end, key in ends.items() for name, value in zip(KEY, key, strict=True)}
    rows = await statement.fetch(sessions, account=account_id, **given)
    if not rows:
        # before the page: an event between the two is then sent again, and not lost
        async with sessions() as session:
            seq = await session.scalar(select(AccountStream.seq).where(AccountStream.account_id == account_id)) or 0
        rows = await statement.fetch(sessions, account=account_id, **given)
    if rows:
        seq = rows[0].seq
    stores = [(cast("Store", row), StoreCursor(order, row.key, row.id)) for row in rows]
    return StorePage(page_of(stores, wanted), seq)


@lru_cache(maxsize=256)
def _statement(
    order: StoreOrder, matching: StoreFilter, limit: int, last: bool, from_start: bool, to_end: bool
) -> Statement:
    """One statement, because stores and event number must be of the same snapshot."""
    place = [SORT_KEYS[order.field], Store.id.expression]
    after, before = (
        tuple(bindparam(f"{end}_{name}", type_=column.type) for name, column in zip(KEY, place, strict=True))
        for end in ("after", "before")
    )
    wanted = PageRange(limit, last, None if from_start else after, None if to_end else before)
    query = select(Store.id, SORT_KEYS[order.field].label("key"))
    query = query.where(Store.account_id == bindparam("account"), *matching.conditions())
    chosen = within(query, place, wanted, descending=order.descending).subquery()
    return Statement(
        select(*COLUMNS, chosen.c.key, AccountStream.seq)
        .select_from(Store)
        .join(chosen, chosen.c.id == Store.id)
        .join(AccountStream, AccountStream.account_id == Store.account_id)
        .order_by(*sorting([chosen.c.key, chosen.c.id], descending=order.descending))
    )


async def count_stores(session: AsyncSession, account_id: UUID, matching: StoreFilter) -> int:
    """How many stores of the account match."""
    query = select(func.count()).select_from(Store).where(Store.account_id == account_id, *matching.conditions())
    return await session.scalar(query) or 0
