"""Profile revisions: an order of what the workers of a cluster render.

A worker that renders stores differently than the latest revision, because of its settings or its version, registers the
next revision when it starts. A store that was claimed with a revision is left alone by workers of an earlier one. So
workers with different settings, as during a rolling change of settings, don't change a store in turns.
"""

from datetime import timedelta

from sqlalchemy import case, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from stores.models import ProfileRevision

ABANDONED = timedelta(minutes=10)
"""After so long without a worker of the latest revision, another worker registers its own. A crash loop pauses less."""


async def register(session: AsyncSession, cluster: str, digest: str) -> int:
    """The number of the latest revision if it has this digest, else of a new one."""
    row = insert(ProfileRevision).values(cluster=cluster, number=1, digest=digest, seen_at=func.now())
    changed = case((ProfileRevision.digest == row.excluded.digest, 0), else_=1)
    numbers = await session.scalars(
        row.on_conflict_do_update(
            index_elements=[ProfileRevision.cluster],
            set_={
                "number": ProfileRevision.number + changed,
                "digest": row.excluded.digest,
                "seen_at": row.excluded.seen_at,
            },
        ).returning(ProfileRevision.number)
    )
    return numbers.one()


async def refresh(session: AsyncSession, cluster: str, digest: str, number: int) -> int:
    """The number of a running worker's revision. Call it every few seconds.

    It changes if the latest revision has this digest again, and if the latest revision is abandoned. Each is one
    statement, because another worker may register meanwhile.
    """
    of_cluster = update(ProfileRevision).where(ProfileRevision.cluster == cluster).returning(ProfileRevision.number)
    latest = await session.scalar(of_cluster.where(ProfileRevision.digest == digest).values(seen_at=func.now()))
    if latest is not None:
        return latest
    abandoned = of_cluster.where(ProfileRevision.seen_at < func.now() - ABANDONED)
    successor = {"number": ProfileRevision.number + 1, "digest": digest, "seen_at": func.now()}
    return await session.scalar(abandoned.values(successor)) or number
