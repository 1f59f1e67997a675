"""Bringing manifests to the cluster. Every write first makes sure that the lease lasts longer than the call."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from stores.engines import Manifest
from stores.leases import Lease, LeaseLost, renew
from workers.cluster.client import CALL_SECONDS, Guard
from workers.cluster.errors import AlreadyExists, Refused, Temporary
from workers.context import Context
from workers.view import ATTEMPT, attempt_of

Result = TypeVar("Result")


class Obstacle(Exception):
    """The store can't be brought to the cluster as it is. `passing`: may go away by itself."""

    def __init__(self, cause: str, *, passing: bool) -> None:
        super().__init__(cause)
        self.cause = cause
        self.passing = passing


async def at_once(calls: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """All together. What can't pass is raised rather than what may; nothing runs on afterwards."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    if errors:
        raise min(errors, key=lambda error: isinstance(error, Temporary))
    return [result for result in results if not isinstance(result, BaseException)]


async def keep(context: Context, lease: Lease) -> None:
    """Renew the lease when less than half of it is left. Raises LeaseLost."""
    if lease.seconds_left < 5:
        async with context.sessions.begin() as session:
            await renew(session, lease)


def guard(lease: Lease) -> Guard:
    """For every write: raises LeaseLost when a call begun now could end after the lease."""

    def check() -> None:
        if lease.seconds_left < CALL_SECONDS:
            raise LeaseLost

    return check


async def make_namespace(context: Context, lease: Lease, wanted: Manifest) -> Manifest:
    """POST it, or verify the one that is there: it may be ours from a pass that was killed. Raises Obstacle."""
    await keep(context, lease)
    try:
        return await context.cluster.create(wanted, guard(lease))
    except AlreadyExists:
        there = await context.cluster.get("Namespace", wanted["metadata"]["name"])
    verify_namespace(wanted, there)
    return there


def verify_namespace(wanted: Manifest, there: Manifest) -> None:
    """Raises Obstacle unless it is as we make it and here to stay."""
    name = wanted["metadata"]["name"]
    if there["metadata"].get("deletionTimestamp"):
        raise Obstacle(f"The namespace {name} is being deleted by somebody else.", passing=True)
    for field in ("labels", "annotations"):
        ours, found = wanted["metadata"].get(field, {}), there["metadata"].get(field, {})
        for key, value in ours.items():
            # a namespace is never patched, so an older one pins an older version of Pod Security
            if found.get(key) != value and not key.endswith("-version"):
                cause = f"The {field[:-1]} {key} of the namespace {name} was changed by somebody else. Put it back: "
                raise Obstacle(f"{cause}{key}={value}, then retry.", passing=False)


async def make(context: Context, lease: Lease, manifest: Manifest) -> bool:
    """POST what must never be patched; False when it is there already, and left alone."""
    try:
        await context.cluster.create(manifest, guard(lease))
    except AlreadyExists:
        return False
    return True


async def apply_isolation(context: Context, lease: Lease, manifests: Sequence[Manifest]) -> None:
    """RoleBindings first: in a real cluster the rights to do the rest come from them, a moment later."""
    await keep(context, lease)
    bindings = [manifest for manifest in manifests if manifest["kind"] == "RoleBinding"]
    bound = [await make(context, lease, manifest) for manifest in bindings]
    calls = [context.cluster.apply(item, guard(lease)) for item in manifests if item["kind"] != "RoleBinding"]
    async with newly_bound(any(bound)):
        await at_once(calls)


@asynccontextmanager
async def newly_bound(bound: bool) -> AsyncIterator[None]:
    """A refusal just after a RoleBinding was made may be because the API server hasn't heard of it yet."""
    try:
        yield
    except Refused as error:
        if bound and error.status == 403:
            raise Temporary("the rights in the namespace aren't in force yet", retry_after=0.1) from error
        raise


async def apply_workloads(
    context: Context, lease: Lease, manifests: Sequence[Manifest], install: Manifest | None, attempt: int
) -> None:
    """Everything together: what must come first at run time waits inside its own Job."""
    await keep(context, lease)
    calls = [context.cluster.apply(of_attempt(manifest, attempt), guard(lease)) for manifest in manifests]
    await at_once([*calls, *([make_job(context, lease, install)] if install is not None else [])])


async def make_job(context: Context, lease: Lease, job: Manifest) -> None:
    """POST it. One of an earlier attempt makes room first: deleted now, and made in a later pass."""
    try:
        await context.cluster.create(job, guard(lease))
    except AlreadyExists as error:
        name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
        there = await context.cluster.get("Job", name, namespace)
        if attempt_of(there) != attempt_of(job):
            await context.cluster.delete("Job", name, namespace, guard(lease), uid=there["metadata"]["uid"])
            raise Temporary("the Job of the last attempt is being removed", retry_after=0.3) from error


async def delete_jobs(context: Context, lease: Lease, namespace: str, names: Sequence[str]) -> None:
    """Those that have been recorded."""
    await at_once([context.cluster.delete("Job", name, namespace, guard(lease)) for name in names])


def job(template: Manifest, name: str, attempt: int) -> Manifest:
    """The engine's Job with its name, and the attempt that it belongs to."""
    return of_attempt({**template, "metadata": {**template["metadata"], "name": name}}, attempt)


def of_attempt(manifest: Manifest, attempt: int) -> Manifest:
    """What makes pods says which attempt it belongs to; nothing else changes with that."""
    if manifest["kind"] not in ("Deployment", "StatefulSet", "Job"):
        return manifest
    metadata = manifest["metadata"]
    labels = {**metadata.get("labels", {}), ATTEMPT: str(attempt)}
    return {**manifest, "metadata": {**metadata, "labels": labels}}
