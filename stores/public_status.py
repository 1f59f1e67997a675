"""The public status of a store, which every visitor may see: no owner, no causes, no name before READY."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from stores.models import Slug, Step, Store
from stores.status import Desired, Health, Status, StepStatus


@dataclass(frozen=True)
class PublicStatus:
    """The part of a store's state that is public."""

    status: Status
    name: str | None
    """None until the store was READY once."""
    engine: str
    down_for: timedelta | None
    """How long it has been DOWN; None if it isn't."""
    is_simulated: bool
    """Whether its last proof comes from a simulated cluster."""
    step: str | None
    """The name of the first step that has not succeeded; None when all have."""
    position: int
    """The step's position, from 1; 0 when all have succeeded."""
    steps: int
    """The number of steps."""


_QUERY = (
    select(
        Store.status,
        Store.name,
        Store.engine,
        Store.health,
        (func.now() - Store.health_since).label("health_for"),
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
"""Built once: building it costs as much as running it, and requests need no authentication."""


async def public_status(session: AsyncSession, slug: str) -> PublicStatus | None:
    """The public status of the store that holds the slug; None for an unknown slug and for a deleted store alike."""
    rows = (await session.execute(_QUERY, {"slug": slug})).all()
    if not rows:
        return None
    store = rows[0]
    step = next((row for row in rows if row.step is not None and row.step_status != StepStatus.SUCCEEDED), None)
    return PublicStatus(
        status=Status(store.status),
        name=store.name if store.ready_at is not None else None,
        engine=store.engine,
        down_for=store.health_for if store.health == Health.DOWN else None,
        is_simulated=store.simulated is True,
        step=step.step if step is not None else None,
        position=step.position if step is not None else 0,
        steps=len(rows),
    )
