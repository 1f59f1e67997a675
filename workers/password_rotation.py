"""Changing the admin password of a READY store.

The pending password is sealed first and kept beside the current one until a Job in the store's namespace has set it. A
Job that fails may have set it nevertheless: then both are kept, and the next attempt uses the same pending password.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stores.engines import Engine, Manifests, pending_field
from stores.events import EventDraft
from stores.leases import Lease
from stores.models import SealedSecret, Store
from stores.specs import store_spec
from stores.texts import text
from workers import apply
from workers.context import Context
from workers.problems import last_log_line
from workers.snapshot import JobOutcome, Snapshot, component

ROTATION_COMPONENT = "rotate"
"""The component of the rotation Job, and the name of its Secret."""


def rotation_job_name(store: Store) -> str | None:
    """The name of the running rotation's Job, another one for each generation; None if no rotation is requested."""
    return None if store.rotating is None else f"{ROTATION_COMPONENT}-{store.rotating}"


async def reconcile_rotation(
    context: Context,
    lease: Lease,
    store: Store,
    engine: Engine,
    values: Mapping[str, str],
    manifests: Manifests,
    snapshot: Snapshot,
) -> JobOutcome | None:
    """Create the Job or return its outcome. When it has succeeded, apply the Secrets with the new password.

    None: no rotation is requested. Raises ClusterError, LeaseLost.
    """
    name = rotation_job_name(store)
    if name is None or manifests.rotation is None:
        return None
    await apply.ensure_lease(context, lease)
    if name not in snapshot.jobs:
        secret, job = manifests.rotation
        await context.cluster.apply(secret, apply.lease_guard(lease))
        await apply.create_job(context, lease, apply.job_for_attempt(job, name, store.attempt))
        return JobOutcome("running")
    outcome = snapshot.job_outcome(name)
    if outcome.state == "succeeded":
        rendered = engine.render(store_spec(store), rotated_secrets(engine, values), context.profile)
        secrets = [item for item in rendered.resources if item["kind"] == "Secret"]
        await apply.gather([context.cluster.apply(item, apply.lease_guard(lease)) for item in secrets])
    return outcome


def rotated_secrets(engine: Engine, values: Mapping[str, str]) -> dict[str, str]:
    """The secrets with the pending password in place of the current one."""
    field, pending = engine.admin_password_field.name, pending_field(engine.admin_password_field.name)
    return {**{name: value for name, value in values.items() if name != pending}, field: values[pending]}


async def finish_rotation(
    session: AsyncSession,
    context: Context,
    store: Store,
    engine: Engine,
    values: Mapping[str, str],
    outcome: JobOutcome,
) -> list[EventDraft]:
    """Record how the Job ended. If it succeeded, the pending password replaces the current one; else both are kept."""
    if outcome.state == "running":
        return []
    store.rotating = None
    if outcome.state == "failed":
        reason = last_log_line(outcome.message) or text("reason.none_from_job")
        return [EventDraft("NOTICE", text("event.password_not_changed", reason=reason))]
    field = engine.admin_password_field.name
    current = await session.get_one(SealedSecret, (store.id, field))
    current.sealed = context.admin_keys.seal(store.id, field, values[pending_field(field)])
    await session.delete(await session.get_one(SealedSecret, (store.id, pending_field(field))))
    store.observed_generation = store.generation
    return [EventDraft("NOTICE", text("event.password_changed"))]


async def delete_rotation_secret(
    context: Context, lease: Lease, namespace: str, snapshot: Snapshot, names: Sequence[str]
) -> None:
    """Delete the Secret of a rotation Job that is about to be deleted. Call before: a failure is then retried."""
    if any(component(snapshot.jobs[name]) == ROTATION_COMPONENT for name in names):
        await context.cluster.delete("Secret", ROTATION_COMPONENT, namespace, apply.lease_guard(lease))
