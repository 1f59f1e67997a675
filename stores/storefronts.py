"""What anybody may know of a store by its address: neither owner nor causes, and no name before it was open once."""

from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from stores.models import Slug, Step, Store
from stores.status import Desired, Health, Status, StepStatus


@dataclass(frozen=True)
class Storefront:
    """A store as its visitors may see it."""

    status: Status
    name: str | None
    """None until it was READY first: a shop that never opened is its owner's affair."""
    engine: str
    is_down: bool
    is_simulated: bool
    """It was proven on a cluster whose pods only pretend to run."""
    step: str | None
    """The first one that isn't done; None when all are."""
    position: int
    """The step's, from 1; 0 when all are done."""
    steps: int
    """How many there are."""


_QUERY = (
    select(
        Store.status,
        Store.name,
        Store.engine,
        Store.health,
        Store.ready_at,
        Store.receipt["simulated"].as_boolean().label("simulated"),
        Step.name.label("step"),
        Step.position,
        Step.status.label("step_status"),
    )
    .join(Slug, Slug.store_id == Store.id)
    .outerjoin(Step, Step.store_id == Store.id)
    .where(Slug.slug == bindparam("slug"), Slug.released_at.is_(None), Store.desired != Desired.DELETED)
    .order_by(Step.position)
)
"""Built once: anybody may ask, and building it costs as much as running it."""


async def storefront(session: AsyncSession, slug: str) -> Storefront | None:
    """Of the store that holds the slug. None when there is none, or it is being deleted: that looks the same."""
    rows = (await session.execute(_QUERY, {"slug": slug})).all()
    if not rows:
        return None
    store = rows[0]
    step = next((row for row in rows if row.step is not None and row.step_status != StepStatus.SUCCEEDED), None)
    return Storefront(
        status=Status(store.status),
        name=store.name if store.ready_at is not None else None,
        engine=store.engine,
        is_down=store.health == Health.DOWN,
        is_simulated=store.simulated is True,
        step=step.step if step is not None else None,
        position=step.position if step is not None else 0,
        steps=len(rows),
    )
