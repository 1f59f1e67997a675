"""Orphans: namespaces of stores without a row, after an old database was restored. They are reported, never deleted."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import any_id
from stores.engines import Manifest
from stores.models import Store
from stores.status import Status
from workers.cluster.client import Cluster
from workers.engines.labels import MANAGED, STORE, namespace_name


def store_id_of(item: Manifest) -> UUID | None:
    """The store id in the label, None if malformed. Not trusted: any user of the cluster may have written it."""
    try:
        return UUID(item["metadata"]["labels"][STORE])
    except (KeyError, ValueError):
        return None


async def missing_rows(session: AsyncSession, ids: Iterable[UUID]) -> set[UUID]:
    """The ids without a row."""
    wanted = set(ids)
    known = await session.scalars(select(Store.id).where(Store.id == any_id(wanted)))
    return wanted - set(known)


async def deleted_rows(session: AsyncSession, ids: Iterable[UUID]) -> list[UUID]:
    """Those of the ids whose store is DELETED: a namespace of it came back."""
    return list(await session.scalars(select(Store.id).where(Store.id == any_id(ids), Store.status == Status.DELETED)))


async def find_orphans(cluster: Cluster, session: AsyncSession) -> list[str]:
    """The names of the orphaned namespaces, sorted. Raises ClusterError."""
    namespaces, _ = await cluster.list("Namespace", labels=MANAGED)
    ids = {store_id for item in namespaces if (store_id := store_id_of(item)) is not None}
    return sorted(map(namespace_name, await missing_rows(session, ids)))
