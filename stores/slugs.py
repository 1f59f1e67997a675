"""Who holds which address. A deleted store's slug stays its account's for a while: nobody takes over its visitors."""

import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.errors import CallerError, Code
from stores.models import Slug, Store
from stores.names import numbered, slug_from, slug_problem

TOMBSTONE = timedelta(days=30)
SUGGESTIONS = range(2, 100)


async def free_slug(session: AsyncSession, account_id: UUID, wanted: str, own: str | None) -> str:
    """The wanted slug, or the same with the lowest free number; with any number when all the low ones are taken.

    `own`: the platform's own label (names.own_label), which is never free.
    """
    candidates = [wanted, *(numbered(wanted, number) for number in SUGGESTIONS)]
    held = set(
        await session.scalars(
            select(Slug.slug).where(
                Slug.slug.in_(candidates),
                or_(
                    Slug.released_at.is_(None),
                    and_(Slug.account_id != account_id, Slug.released_at > func.now() - TOMBSTONE),
                ),
            )
        )
    )
    free = next((slug for slug in candidates if slug not in held and slug_problem(slug, own) is None), None)
    return free or numbered(wanted, SUGGESTIONS.stop + secrets.randbelow(10**6))


async def _take(session: AsyncSession, store: Store) -> bool:
    added = insert(Slug).values(slug=store.slug, account_id=store.account_id, store_id=store.id)
    taken = await session.scalar(
        added.on_conflict_do_update(
            index_elements=[Slug.slug],
            set_={"account_id": store.account_id, "store_id": store.id, "released_at": None},
            where=and_(
                Slug.released_at.is_not(None),
                or_(Slug.account_id == store.account_id, Slug.released_at <= func.now() - TOMBSTONE),
            ),
        ).returning(Slug.slug)
    )
    return taken is not None


async def take_slug(session: AsyncSession, store: Store, wanted: str | None, own: str | None) -> None:
    """Give the (flushed) store its slug: the wanted one, or one made from its name. Raises CallerError.

    Two stores that want one slug at the same time wait for each other here; the second gets the error, or the next
    free number when it didn't insist.
    """
    if wanted is not None:
        if await _take(session, store):
            return
        held = await session.get_one(Slug, wanted)
        free = await free_slug(session, store.account_id, wanted, own)
        if held.released_at is not None:
            message = f"{wanted} belonged to another account's store until recently. {free} is free."
            raise CallerError(Code.SLUG_RESERVED, "slug", message)
        raise CallerError(Code.SLUG_TAKEN, "slug", f"{wanted} is taken. {free} is free.")
    while not await _take(session, store):
        store.slug = await free_slug(session, store.account_id, slug_from(store.name, own), own)
        await session.flush()


async def release_slug(session: AsyncSession, store: Store) -> None:
    """After the deletion. Only if it is still this store's."""
    await session.execute(
        update(Slug).where(Slug.slug == store.slug, Slug.store_id == store.id).values(released_at=func.now())
    )
