"""Reading stores, always within the actor's accounts: a foreign id and a missing one give the same nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from runtime.settings import ClusterProfile
from stores.models import AccountStream, Slug, Step, Store
from stores.status import Status


@dataclass(frozen=True)
class Seen:
    """A store with the number of the account's last event when it was read: a stream after it misses nothing."""

    store: Store
    seq: int


@dataclass(frozen=True)
class Place:
    """Where a page ended: the key of its last row."""

    created_at: datetime
    store_id: UUID


def _seen() -> Select[Store, int]:
    # one statement, so one snapshot: rows and number belong together
    return select(Store, func.coalesce(AccountStream.seq, 0)).outerjoin(
        AccountStream, AccountStream.account_id == Store.account_id
    )


async def store_by_id(session: AsyncSession, actor: Actor, store_id: UUID) -> Seen | None:
    """Deleted ones too."""
    query = _seen().where(Store.id == store_id, Store.account_id.in_(actor.roles))
    row = (await session.execute(query)).one_or_none()
    return Seen(row[0], row[1]) if row else None


async def store_by_slug(session: AsyncSession, actor: Actor, slug: str) -> Seen | None:
    """The store that holds the slug now, or held it last."""
    query = _seen().join(Slug, Slug.store_id == Store.id).where(Slug.slug == slug, Store.account_id.in_(actor.roles))
    row = (await session.execute(query)).one_or_none()
    return Seen(row[0], row[1]) if row else None


async def stores_page(
    session: AsyncSession, account_id: UUID, *, first: int, after: Place | None, deleted: bool
) -> tuple[list[Store], bool, int]:
    """The newest stores first, at most `first`; whether more follow; and the event number (Seen.seq)."""
    query = select(Store).where(Store.account_id == account_id)
    if not deleted:
        query = query.where(Store.status != Status.DELETED)
    if after is not None:
        query = query.where(tuple_(Store.created_at, Store.id) < tuple_(after.created_at, after.store_id))
    page = query.order_by(Store.created_at.desc(), Store.id.desc()).limit(first + 1).subquery()
    entity = func.coalesce(AccountStream.seq, 0)
    rows = (
        await session.execute(
            select(Store, entity)
            .select_from(AccountStream)
            .join(page, page.c.account_id == AccountStream.account_id)
            .join(Store, Store.id == page.c.id)
            .where(AccountStream.account_id == account_id)
            .order_by(Store.created_at.desc(), Store.id.desc())
        )
    ).all()
    if not rows:
        seq = await session.scalar(select(AccountStream.seq).where(AccountStream.account_id == account_id))
        return [], False, seq or 0
    return [store for store, _ in rows[:first]], len(rows) > first, rows[0][1]


async def steps_of(session: AsyncSession, store_ids: Sequence[UUID]) -> dict[UUID, list[Step]]:
    """Each store's steps in their order."""
    found: dict[UUID, list[Step]] = {store_id: [] for store_id in store_ids}
    query = select(Step).where(Step.store_id.in_(store_ids)).order_by(Step.store_id, Step.position)
    for step in await session.scalars(query):
        found[step.store_id].append(step)
    return found


def url_of(store: Store, profile: ClusterProfile) -> str:
    """Where shoppers find it."""
    port = f":{profile.store_port}" if profile.store_port else ""
    return f"{profile.store_scheme}://{store.slug}.{profile.base_domain}{port}"
