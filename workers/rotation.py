"""Giving the owner of a READY store another password.

The next one is sealed first and kept beside the current one until the store's own Job has said that it is in force. A
Job that fails may have set it all the same: both are kept then, and the next try is about the same password.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stores.engines import Engine, Manifests, next_of
from stores.events import News
from stores.leases import Lease
from stores.models import SealedSecret, Store
from workers import apply
from workers.context import Context
from workers.render import spec_of
from workers.view import Outcome, View, component
from workers.words import last_words

COMPONENT = "rotate"
"""Of the Job, which has the Secret of the same name."""


def job_name(store: Store) -> str | None:
    """Of the Job that is waited for, if any: another one each time."""
    return None if store.rotating is None else f"{COMPONENT}-{store.rotating}"


async def advance(
    context: Context,
    lease: Lease,
    store: Store,
    engine: Engine,
    values: Mapping[str, str],
    manifests: Manifests,
    view: View,
) -> Outcome | None:
    """Make the Job, or say how it is doing; when it ended well, give the cluster the secrets as they are from now on.

    None: there is nothing to change. Raises ClusterError, LeaseLost.
    """
    name = job_name(store)
    if name is None or manifests.rotation is None:
        return None
    await apply.keep(context, lease)
    if name not in view.jobs:
        secret, job = manifests.rotation
        await context.cluster.apply(secret, apply.guard(lease))
        await apply.make_job(context, lease, apply.job(job, name, store.attempt))
        return Outcome("running")
    outcome = view.outcome(name)
    if outcome.state == "succeeded":
        turned = engine.render(spec_of(store), turn(engine, values), context.profile)
        secrets = [item for item in turned.workloads if item["kind"] == "Secret"]
        await apply.at_once([context.cluster.apply(item, apply.guard(lease)) for item in secrets])
    return outcome


def turn(engine: Engine, values: Mapping[str, str]) -> dict[str, str]:
    """The secrets with the next password in the place of the current one."""
    field, following = engine.shown.name, next_of(engine.shown.name)
    return {**{name: value for name, value in values.items() if name != following}, field: values[following]}


async def conclude(
    session: AsyncSession, context: Context, store: Store, engine: Engine, values: Mapping[str, str], outcome: Outcome
) -> list[News]:
    """Record how the Job ended: the next password takes the current one's place, or both stay."""
    if outcome.state == "running":
        return []
    store.rotating = None
    if outcome.state == "failed":
        why = last_words(outcome.message) or "its Job gave no reason."
        return [News("NOTICE", f"The owner's password could not be changed: {why} Ask for it again.")]
    field = engine.shown.name
    current = await session.get_one(SealedSecret, (store.id, field))
    current.sealed = context.shown_keys.seal(store.id, field, values[next_of(field)])
    await session.delete(await session.get_one(SealedSecret, (store.id, next_of(field))))
    store.observed_generation = store.generation
    return [News("NOTICE", "The owner's password was changed.")]


async def tidy(context: Context, lease: Lease, namespace: str, view: View, names: Sequence[str]) -> None:
    """Before the Job goes, so that it is tried again if this fails: the Secret it had."""
    if any(component(view.jobs[name]) == COMPONENT for name in names):
        await context.cluster.delete("Secret", COMPONENT, namespace, apply.guard(lease))
