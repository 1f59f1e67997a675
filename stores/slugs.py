"""Assigns slugs. After a deletion a slug stays reserved for its account: no other account gets its visitors."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, ScalarSelect, Text, and_, any_, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from accounts.errors import CallerError, Code
from stores.models import Slug, Store
from stores.names import MAX_NAME, numbered_slug, slug_problem, slugify

SLUG_RESERVATION = timedelta(days=30)
SUGGESTIONS = range(2, 100)


def candidates(wanted: str) -> list[str]:
    """The wanted slug, and the same with numbers, in order of preference."""
    return [wanted, *(numbered_slug(wanted, number) for number in SUGGESTIONS)]


def held_slugs(account_id: UUID, slugs: Sequence[str]) -> ScalarSelect[list[str]]:
    """A query for those of `slugs` that a new store of the account can't have."""
    held = select(Slug.slug).where(
        Slug.slug == any_(literal(slugs, ARRAY(Text))),
        or_(
            Slug.released_at.is_(None),
            and_(Slug.account_id != account_id, Slug.released_at > func.now() - SLUG_RESERVATION),
        ),
    )
    return select(func.array(held.scalar_subquery())).scalar_subquery()


def first_free(slugs: Sequence[str], held: Collection[str], platform_label: str | None) -> str:
    """The first of `slugs` that isn't held or reserved; otherwise the first one with a random number."""
    free = next((slug for slug in slugs if slug not in held and slug_problem(slug, platform_label) is None), None)
    return free or numbered_slug(slugs[0], SUGGESTIONS.stop + secrets.randbelow(10**6))


def assign_slug(
    slug: ColumnElement[str], account_id: ColumnElement[UUID], store_id: ColumnElement[UUID]
) -> ReturningInsert[tuple[str]]:
    """A statement that assigns the slug to a store, and returns it; no row if another store holds the slug.

    It waits for a parallel transaction that assigns the same slug.
    """
    return (
        insert(Slug)
        .values(slug=slug, account_id=account_id, store_id=store_id)
        .on_conflict_do_update(
            index_elements=[Slug.slug],
            set_={"account_id": account_id, "store_id": store_id, "released_at": None},
            where=and_(
                Slug.released_at.is_not(None),
                or_(Slug.account_id == account_id, Slug.released_at <= func.now() - SLUG_RESERVATION),
            ),
        )
        .returning(Slug.slug)
    )


@dataclass(frozen=True)
class SlugSuggestion:
    """A slug that is free now, and whether it is the wanted one; `reason`: why the wanted one isn't available."""

    slug: str
    available: bool
    reason: str | None


async def suggest_slug(
    session: AsyncSession, account_id: UUID, name: str, wanted: str | None, platform_label: str | None
) -> SlugSuggestion:
    """The wanted slug if a new store of the account can have it, or a similar one. `wanted` None: one like the name."""
    slug = wanted if wanted is not None else slugify(name[:MAX_NAME], platform_label)
    problem = slug_problem(slug, platform_label)
    slugs = candidates(slug if problem is None else slugify((wanted or name)[:MAX_NAME], platform_label))
    held = (await session.execute(select(held_slugs(account_id, slugs)))).scalar_one()
    free = first_free(slugs, held, platform_label)
    if problem is None and free != slug:
        problem = f"{slug} is taken."
    return SlugSuggestion(free, problem is None, problem)


async def slug_error(session: AsyncSession, account_id: UUID, slug: str, platform_label: str | None) -> CallerError:
    """The error of a store that can't have the slug; it names a free one."""
    slugs = candidates(slug)
    query = select(held_slugs(account_id, slugs), Slug.released_at).where(Slug.slug == slug)
    held, released_at = (await session.execute(query)).one()
    free = first_free(slugs, held, platform_label)
    if released_at is not None:
        message = f"{slug} belonged to another account's store until recently. {free} is free."
        return CallerError(Code.SLUG_RESERVED, "slug", message)
    return CallerError(Code.SLUG_TAKEN, "slug", f"{slug} is taken. {free} is free.")


async def release_slug(session: AsyncSession, store: Store) -> None:
    """Release the slug of a deleted store, if the store still holds it."""
    await session.execute(
        update(Slug).where(Slug.slug == store.slug, Slug.store_id == store.id).values(released_at=func.now())
    )
