"""What clusters have room for: recorded by workers, shown to operators."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from stores.models import ClusterCapacity, Store
from stores.status import Desired, Status


async def running_stores(session: AsyncSession, cluster: str) -> Mapping[tuple[str, str, str], int]:
    """How many stores of the cluster have pods, or soon will: by engine, release and plan."""
    rows = await session.execute(
        select(Store.engine, Store.release, Store.plan, func.count())
        .where(Store.cluster == cluster, Store.desired == Desired.RUNNING, Store.status != Status.REQUESTED)
        .group_by(Store.engine, Store.release, Store.plan)
    )
    return {(engine, release, plan): number for engine, release, plan, number in rows}


async def record_capacity(session: AsyncSession, cluster: str, **columns: int) -> None:
    """The columns of ClusterCapacity. Of two workers that do it at once, the later one wins."""
    values = {**columns, "recorded_at": func.now()}
    await session.execute(
        insert(ClusterCapacity)
        .values(cluster=cluster, **values)
        .on_conflict_do_update(index_elements=[ClusterCapacity.cluster], set_=values)
    )


async def capacities(session: AsyncSession) -> Sequence[ClusterCapacity]:
    """Of all clusters, by name."""
    return (await session.scalars(select(ClusterCapacity).order_by(ClusterCapacity.cluster))).all()
