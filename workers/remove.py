"""Deleting a store: the namespace by its UID, then what may be left of it, then the receipt.

A finalizer is never forced: what can't be removed keeps the store DELETING, with the cause.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete

from stores import progress
from stores.engines import Manifest
from stores.events import News
from stores.leases import Lease
from stores.models import SealedSecret, Store
from stores.slugs import release_slug
from stores.status import Status
from workers import apply
from workers.apply import Obstacle
from workers.cluster.errors import NotFound
from workers.context import Context
from workers.engines.labels import STORE, namespace_name
from workers.judge import SAFETY
from workers.recording import Row, recording, settle

LEFTOVERS = timedelta(seconds=60)
"""How long a provisioner may take to remove a volume whose claim is gone."""
LOOK = timedelta(seconds=1)


async def remove(context: Context, lease: Lease, store: Store) -> bool:
    """One pass. Also for a store that is DELETED when its namespace turned up again. True: another one follows."""
    name = namespace_name(store.id)
    try:
        there = await context.cluster.get("Namespace", name)
    except NotFound:
        return await _gone(context, lease, store)
    uid = there["metadata"]["uid"]
    if uid != store.namespace_uid and there["metadata"].get("labels", {}).get(STORE) != str(store.id):
        raise Obstacle(f"The namespace {name} isn't ours: its label {STORE} was changed. Put it back.", passing=True)
    if there["metadata"].get("deletionTimestamp"):
        return await _terminating(context, lease, there)
    claims, _ = await context.cluster.list("PersistentVolumeClaim", name)
    volumes = sorted(claim["spec"]["volumeName"] for claim in claims if claim["spec"].get("volumeName"))
    async with recording(context, lease) as row:
        row.store.namespace_uid = uid
        known = (row.store.deletion or {}).get("volumes", [])
        if row.store.status == Status.DELETING:
            row.store.deletion = {"namespace": name, "volumes": sorted({*known, *volumes})}
    await apply.keep(context, lease)
    await context.cluster.delete("Namespace", name, None, apply.guard(lease), uid=uid)
    async with recording(context, lease) as row:
        return settle(row, lease, SAFETY)


async def _terminating(context: Context, lease: Lease, namespace: Manifest) -> bool:
    since = datetime.fromisoformat(namespace["metadata"]["deletionTimestamp"])
    patience = timedelta(seconds=context.settings.failure_patience)
    stuck = [
        condition["message"]
        for condition in namespace.get("status", {}).get("conditions") or ()
        if condition["status"] == "True" and condition.get("message")
    ]
    async with recording(context, lease) as row:
        left = since.replace(tzinfo=since.tzinfo or UTC) + patience - row.now
        if left > timedelta(0):
            return settle(row, lease, min(SAFETY, max(left, timedelta(milliseconds=200))))
        said = " ".join(" ".join(stuck).split())[:300] or "Kubernetes gives no reason"
        cause = f"The namespace can't be removed: {said}. It goes on by itself once what holds it is gone."
        if row.store.status == Status.DELETING and row.store.cause != cause:
            row.store.cause = cause
            row.news.append(News("NOTICE", cause))
        return settle(row, lease, SAFETY)


async def _gone(context: Context, lease: Lease, store: Store) -> bool:
    left = []
    for volume in (store.deletion or {}).get("volumes", []):
        try:
            await context.cluster.get("PersistentVolume", volume)
            left.append(volume)
        except NotFound:
            continue
    async with recording(context, lease) as row:
        if row.store.status == Status.DELETED:
            return settle(row, lease, None)
        deletion = dict(row.store.deletion or {"namespace": namespace_name(store.id), "volumes": []})
        gone_at = datetime.fromisoformat(deletion.setdefault("namespaceGone", row.now.isoformat()))
        row.store.deletion = deletion
        if left and row.now - gone_at < LEFTOVERS:
            return settle(row, lease, LOOK)
        await _finish(row, deletion, left)
        return settle(row, lease, None)


async def _finish(row: Row, deletion: dict[str, Any], left: list[str]) -> None:
    """The receipt; then nothing of the store remains but its row and its history."""
    store = row.store
    store.deletion = {**deletion, "leftovers": left, "finished": row.now.isoformat()}
    store.deleted_at, store.cause = row.now, None
    store.observed_generation = store.generation
    if left:
        message = f"Deleted, but the cluster kept the volumes {', '.join(left)}. Tell the operator."
    else:
        message = "Deleted: the namespace and its volumes are gone."
    row.news += progress.move(store, Status.DELETED, message)
    await release_slug(row.session, store)
    await row.session.execute(delete(SealedSecret).where(SealedSecret.store_id == store.id))
