"""Reads stores, always within the actor's accounts: the store of another account is not found, like an unknown one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from stores.models import AccountStream, Slug, Step, Store


@dataclass(frozen=True)
class StoreWithCursor:
    """A store, and the number of the account's last event at that time: an event stream after it misses nothing."""

    store: Store
    seq: int


def _with_cursor() -> Select[Store, int]:
    # one statement, because store and event number must be of the same snapshot
    return select(Store, func.coalesce(AccountStream.seq, 0)).outerjoin(
        AccountStream, AccountStream.account_id == Store.account_id
    )


async def store_by_id(session: AsyncSession, actor: Actor, store_id: UUID) -> StoreWithCursor | None:
    """The store, also a deleted one; None: not found."""
    query = _with_cursor().where(Store.id == store_id, Store.account_id.in_(actor.roles))
    row = (await session.execute(query)).one_or_none()
    return StoreWithCursor(row[0], row[1]) if row else None


async def store_by_slug(session: AsyncSession, actor: Actor, slug: str) -> StoreWithCursor | None:
    """The store that holds the slug, or held it last; None: not found."""
    query = (
        _with_cursor().join(Slug, Slug.store_id == Store.id).where(Slug.slug == slug, Store.account_id.in_(actor.roles))
    )
    row = (await session.execute(query)).one_or_none()
    return StoreWithCursor(row[0], row[1]) if row else None


async def stores_by_id(session: AsyncSession, actor: Actor, store_ids: Collection[UUID]) -> dict[UUID, StoreWithCursor]:
    """The stores that are found, by id, also deleted ones."""
    query = _with_cursor().where(Store.id.in_(store_ids), Store.account_id.in_(actor.roles))
    return {store.id: StoreWithCursor(store, seq) for store, seq in await session.execute(query)}


async def steps_by_store(session: AsyncSession, store_ids: Sequence[UUID]) -> dict[UUID, list[Step]]:
    """The steps of each store, in order."""
    found: dict[UUID, list[Step]] = {store_id: [] for store_id in store_ids}
    query = select(Step).where(Step.store_id.in_(store_ids)).order_by(Step.store_id, Step.position)
    for step in await session.scalars(query):
        found[step.store_id].append(step)
    return found
