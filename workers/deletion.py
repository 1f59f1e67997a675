"""Deleting a store: its namespace by UID, then a check for volumes that remain, then the deletion record.

We never remove a finalizer by force: what can't be deleted keeps the store DELETING, with the cause.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete

from stores import transitions
from stores.engines import Manifest
from stores.events import EventDraft
from stores.leases import Lease
from stores.models import SealedSecret, Store
from stores.slugs import release_slug
from stores.status import Status
from stores.texts import text
from workers import apply, routes
from workers.apply import Blocked
from workers.cluster.errors import NotFound
from workers.context import Context
from workers.engines.labels import STORE, namespace_name
from workers.evaluation import POLL_INTERVAL
from workers.transaction import LockedStore, finish_pass, store_transaction

VOLUME_CLEANUP_TIMEOUT = timedelta(seconds=60)
"""How long a provisioner may take to delete a volume after its claim."""
VOLUME_POLL_INTERVAL = timedelta(seconds=1)


async def reconcile_deletion(context: Context, lease: Lease, store: Store) -> bool:
    """One pass; also for a DELETED store whose namespace exists again. True: another pass must follow.

    Raises Blocked, ClusterError, LeaseLost.
    """
    name = namespace_name(store.id)
    try:
        live = await context.cluster.get("Namespace", name)
    except NotFound:
        return await _finish_without_namespace(context, lease, store)
    uid = live["metadata"]["uid"]
    if uid != store.namespace_uid and live["metadata"].get("labels", {}).get(STORE) != str(store.id):
        raise Blocked(text("cause.namespace_not_ours", name=name, label=STORE), retryable=True)
    claims, _ = await context.cluster.list("PersistentVolumeClaim", name)
    volumes = sorted(claim["spec"]["volumeName"] for claim in claims if claim["spec"].get("volumeName"))
    async with store_transaction(context, lease) as locked:
        locked.store.namespace_uid = uid
        known = (locked.store.deletion or {}).get("volumes", [])
        if locked.store.status == Status.DELETING:
            locked.store.deletion = {"namespace": name, "volumes": sorted({*known, *volumes})}
    if live["metadata"].get("deletionTimestamp"):
        return await _wait_for_termination(context, lease, live)
    # first, so that visitors get the platform's page while the pods end
    await routes.delete_live_routes(context, lease, name)
    await apply.ensure_lease(context, lease)
    await context.cluster.delete("Namespace", name, None, apply.lease_guard(lease), uid=uid)
    async with store_transaction(context, lease) as locked:
        return finish_pass(locked, lease, POLL_INTERVAL)


async def _wait_for_termination(context: Context, lease: Lease, namespace: Manifest) -> bool:
    since = datetime.fromisoformat(namespace["metadata"]["deletionTimestamp"])
    timeout = timedelta(seconds=context.settings.failure_patience)
    reasons = [
        condition["message"]
        for condition in namespace.get("status", {}).get("conditions") or ()
        if condition["status"] == "True" and condition.get("message")
    ]
    async with store_transaction(context, lease) as locked:
        remaining = since.replace(tzinfo=since.tzinfo or UTC) + timeout - locked.now
        if remaining > timedelta(0):
            return finish_pass(locked, lease, min(POLL_INTERVAL, max(remaining, timedelta(milliseconds=200))))
        reason = " ".join(" ".join(reasons).split())[:300] or text("reason.none_from_kubernetes")
        cause = text("cause.namespace_not_removed", reason=reason)
        if locked.store.status == Status.DELETING and locked.store.cause != cause:
            locked.store.cause = cause
            locked.drafts.append(EventDraft("NOTICE", cause))
        return finish_pass(locked, lease, POLL_INTERVAL)


async def _finish_without_namespace(context: Context, lease: Lease, store: Store) -> bool:
    leftovers = []
    for volume in (store.deletion or {}).get("volumes", []):
        try:
            await context.cluster.get("PersistentVolume", volume)
            leftovers.append(volume)
        except NotFound:
            continue
    async with store_transaction(context, lease) as locked:
        if locked.store.status == Status.DELETED:
            return finish_pass(locked, lease, None)
        deletion = dict(locked.store.deletion or {"namespace": namespace_name(store.id), "volumes": []})
        gone_at = datetime.fromisoformat(deletion.setdefault("namespaceGone", locked.now.isoformat()))
        locked.store.deletion = deletion
        if leftovers and locked.now - gone_at < VOLUME_CLEANUP_TIMEOUT:
            return finish_pass(locked, lease, VOLUME_POLL_INTERVAL)
        await _mark_deleted(locked, deletion, leftovers)
        return finish_pass(locked, lease, None)


async def _mark_deleted(locked: LockedStore, deletion: dict[str, Any], leftovers: list[str]) -> None:
    """Only the row and its events remain: the slug is released and the sealed secrets are deleted."""
    store = locked.store
    store.deletion = {**deletion, "leftovers": leftovers, "finished": locked.now.isoformat()}
    store.deleted_at, store.cause = locked.now, None
    store.observed_generation = store.generation
    code = "event.deleted_with_leftovers" if leftovers else "event.deleted"
    message = text(code, volumes=", ".join(leftovers))
    locked.drafts += transitions.transition(store, Status.DELETED, message)
    await release_slug(locked.session, store)
    await locked.session.execute(delete(SealedSecret).where(SealedSecret.store_id == store.id))
