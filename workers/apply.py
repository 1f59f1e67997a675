"""Writing manifests to the cluster. Before each write, the lease must last longer than the request can take."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from stores.engines import Manifest
from stores.leases import Lease, LeaseLost, renew_lease
from stores.texts import text
from workers.cluster.client import REQUEST_TIMEOUT, Guard
from workers.cluster.errors import AlreadyExists, RequestRejected, TransientError
from workers.context import Context
from workers.problems import Problem
from workers.snapshot import ATTEMPT_LABEL, attempt_label

Result = TypeVar("Result")


class Blocked(Exception):
    """The store can't be reconciled as the cluster is. `retryable`: the cause may pass by itself.

    `remedy`: what the owner can do before a retry, as in Problem.
    """

    def __init__(self, cause: str, *, retryable: bool, remedy: str = "") -> None:
        super().__init__(cause)
        self.problem = Problem(cause, remedy)
        self.retryable = retryable


async def gather(calls: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Run all concurrently and wait for all. Raises one of the errors, a permanent one before a TransientError."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    if errors:
        raise min(errors, key=lambda error: isinstance(error, TransientError))
    return [result for result in results if not isinstance(result, BaseException)]


async def ensure_lease(context: Context, lease: Lease) -> None:
    """Renew the lease when less than half of it is left. Raises LeaseLost."""
    if lease.seconds_left < 5:
        async with context.sessions.begin() as session:
            await renew_lease(session, lease)


def lease_guard(lease: Lease) -> Guard:
    """The check for every write. Raises LeaseLost when a request that starts now could end after the lease."""

    def check() -> None:
        if lease.seconds_left < REQUEST_TIMEOUT:
            raise LeaseLost

    return check


async def ensure_namespace(context: Context, lease: Lease, desired: Manifest) -> Manifest:
    """The live namespace: created, or the one of an earlier pass. Raises Blocked, ClusterError, LeaseLost."""
    await ensure_lease(context, lease)
    try:
        return await context.cluster.create(desired, lease_guard(lease))
    except AlreadyExists:
        live = await context.cluster.get("Namespace", desired["metadata"]["name"])
    check_namespace(desired, live)
    return live


def check_namespace(desired: Manifest, live: Manifest) -> None:
    """Raises Blocked if the namespace is being deleted, or lacks our labels or annotations."""
    name = desired["metadata"]["name"]
    if live["metadata"].get("deletionTimestamp"):
        raise Blocked(text("cause.namespace_deleting", name=name), retryable=True)
    for field, code in (
        ("labels", "cause.namespace_label_changed"),
        ("annotations", "cause.namespace_annotation_changed"),
    ):
        expected, found = desired["metadata"].get(field, {}), live["metadata"].get(field, {})
        for key, value in expected.items():
            # we never patch a namespace, so an old namespace keeps the old version of Pod Security
            if found.get(key) != value and not key.endswith("-version"):
                remedy = text("remedy.set_value", key=key, value=value)
                raise Blocked(text(code, key=key, name=name), retryable=False, remedy=remedy)


async def create_if_absent(context: Context, lease: Lease, manifest: Manifest) -> bool:
    """Create an object that we never patch. False: it exists already."""
    try:
        await context.cluster.create(manifest, lease_guard(lease))
    except AlreadyExists:
        return False
    return True


async def create_bindings(context: Context, lease: Lease, manifests: Sequence[Manifest]) -> bool:
    """Create the RoleBindings among them, which give us our permissions. Whether one was missing."""
    await ensure_lease(context, lease)
    bindings = [manifest for manifest in manifests if manifest["kind"] == "RoleBinding"]
    return any([await create_if_absent(context, lease, manifest) for manifest in bindings])


async def apply_isolation(context: Context, lease: Lease, manifests: Sequence[Manifest]) -> None:
    """RoleBindings first: they give us the permissions for the other objects."""
    created = await create_bindings(context, lease, manifests)
    calls = [context.cluster.apply(item, lease_guard(lease)) for item in manifests if item["kind"] != "RoleBinding"]
    async with forbidden_is_transient(created):
        _check_quota(await gather(calls))


def _check_quota(applied: Sequence[Manifest]) -> None:
    """Raises TransientError while the API server still enforces an earlier version of the quota, which it has in its
    status: a claim that grows would be refused."""
    for item in applied:
        enforced = item.get("status", {}).get("hard")
        if item["kind"] == "ResourceQuota" and enforced and enforced != item["spec"]["hard"]:
            raise TransientError("the new quota isn't in force yet", retry_after=0.1)


@asynccontextmanager
async def forbidden_is_transient(binding_created: bool) -> AsyncIterator[None]:
    """Turns 403 into a TransientError: the API server's authorizer sees a new RoleBinding only a moment later."""
    try:
        yield
    except RequestRejected as error:
        if binding_created and error.status == 403:
            raise TransientError("the rights in the namespace aren't in force yet", retry_after=0.1) from error
        raise


async def apply_all(
    context: Context, lease: Lease, manifests: Sequence[Manifest], install: Manifest | None, attempt: int
) -> None:
    """Apply all concurrently, and create the install Job. Programs wait inside their pods for other objects."""
    await ensure_lease(context, lease)
    calls = [context.cluster.apply(with_attempt(manifest, attempt), lease_guard(lease)) for manifest in manifests]
    await gather([*calls, *([create_job(context, lease, install)] if install is not None else [])])


async def create_job(context: Context, lease: Lease, job: Manifest) -> None:
    """Create the Job, or keep that of this attempt. The Job of an earlier attempt is deleted first.

    Raises TransientError after such a deletion: a later pass creates the Job.
    """
    try:
        await context.cluster.create(job, lease_guard(lease))
    except AlreadyExists as error:
        name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
        live = await context.cluster.get("Job", name, namespace)
        if attempt_label(live) != attempt_label(job):
            await context.cluster.delete("Job", name, namespace, lease_guard(lease), uid=live["metadata"]["uid"])
            raise TransientError("the Job of the last attempt is being removed", retry_after=0.3) from error


async def delete_jobs(context: Context, lease: Lease, namespace: str, names: Sequence[str]) -> None:
    """Delete Jobs by name. A missing Job is no error."""
    await gather([context.cluster.delete("Job", name, namespace, lease_guard(lease)) for name in names])


def job_for_attempt(template: Manifest, name: str, attempt: int) -> Manifest:
    """The engine's Job with its final name and the label of the attempt."""
    return with_attempt({**template, "metadata": {**template["metadata"], "name": name}}, attempt)


def with_attempt(manifest: Manifest, attempt: int) -> Manifest:
    """The manifest with the label of the attempt, if it is a workload or Job. The pod template stays as it is."""
    if manifest["kind"] not in ("Deployment", "StatefulSet", "Job"):
        return manifest
    metadata = manifest["metadata"]
    labels = {**metadata.get("labels", {}), ATTEMPT_LABEL: str(attempt)}
    return {**manifest, "metadata": {**metadata, "labels": labels}}
