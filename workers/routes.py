"""The route of a store exists only while a pod behind it is ready.

Without it, the platform's wildcard route leads visitors to the store's status page, with any ingress controller. With
it, a controller would answer with its own bare 503. Where each store has its own certificate, the route always stays:
without it, visitors would get a warning about the certificate instead of a page.
"""

from collections.abc import Sequence

from runtime.settings import ClusterProfile
from stores.engines import Manifest
from stores.leases import Lease
from workers import apply
from workers.context import Context
from workers.engines.labels import MANAGED
from workers.snapshot import Snapshot, component

ROUTE_KINDS = ("Ingress", "HTTPRoute")


def without_routes(resources: Sequence[Manifest]) -> list[Manifest]:
    return [item for item in resources if item["kind"] not in ROUTE_KINDS]


def served_routes(resources: Sequence[Manifest], snapshot: Snapshot, profile: ClusterProfile) -> list[Manifest]:
    """The routes that may exist now: those with a ready pod behind them."""
    served = {component(item) for item in snapshot.workloads.values() if item.get("status", {}).get("readyReplicas")}
    routes = [item for item in resources if item["kind"] in ROUTE_KINDS]
    return [item for item in routes if profile.cluster_issuer is not None or component(item) in served]


async def reconcile_routes(
    context: Context, lease: Lease, resources: Sequence[Manifest], snapshot: Snapshot, *, is_new: bool = False
) -> None:
    """Apply the routes that are served and delete the others. Idempotent. Raises ClusterError, LeaseLost.

    `is_new`: no route of the store was ever applied before it was served.
    """
    served = served_routes(resources, snapshot, context.profile)
    await apply.ensure_lease(context, lease)
    await apply.gather([context.cluster.apply(item, apply.lease_guard(lease)) for item in served])
    if not is_new:
        await delete_routes(context, lease, [item for item in resources if item not in served])


async def delete_routes(context: Context, lease: Lease, resources: Sequence[Manifest]) -> None:
    """Delete the routes among these objects. A missing route is no error. Raises ClusterError, LeaseLost."""
    await apply.ensure_lease(context, lease)
    calls = [
        context.cluster.delete(
            item["kind"], item["metadata"]["name"], item["metadata"]["namespace"], apply.lease_guard(lease)
        )
        for item in resources
        if item["kind"] in ROUTE_KINDS
    ]
    await apply.gather(calls)


async def delete_live_routes(context: Context, lease: Lease, namespace: str) -> None:
    """Delete the routes that exist in the namespace. Raises ClusterError, LeaseLost."""
    kind = "HTTPRoute" if context.profile.routing == "gateway" else "Ingress"
    items, _ = await context.cluster.list(kind, namespace, MANAGED)
    await delete_routes(context, lease, [{**item, "kind": kind} for item in items])
