"""A retry recreates unhealthy workloads, so that it doesn't wait for Kubernetes' backoffs.

A kubelet waits up to five minutes before it starts a container or pulls an image again; a controller waits up to a
quarter of an hour before it creates a pod again. The owner retries after the cause is removed, and would see the old
problem again. Without any known problem, a store that was never READY may still run an old image of the same name, so
its unready Deployments are recreated too. A StatefulSet is not: a database may be writing its files for the first time.
"""

from stores.leases import Lease
from stores.models import Store
from workers.apply import ensure_lease, gather, lease_guard
from workers.context import Context
from workers.diagnostics import components_with_problems
from workers.snapshot import attempt_label, component, fetch_snapshot, with_warning_events


async def recreate_unhealthy(context: Context, lease: Lease, namespace: str, store: Store) -> None:
    """Delete the unhealthy workloads of earlier attempts. The next apply creates them again.

    Idempotent: workloads with this attempt's label are kept. Raises ClusterError, LeaseLost.
    """
    snapshot = await fetch_snapshot(context.cluster, namespace)
    snapshot = await with_warning_events(context.cluster, namespace, snapshot)
    unhealthy = components_with_problems(snapshot) & {component(item) for item in snapshot.workloads.values()}
    calls = []
    for (kind, name), item in snapshot.workloads.items():
        never_ready = not unhealthy and store.ready_at is None and kind == "Deployment"
        recreate = never_ready or component(item) in unhealthy
        if recreate and not snapshot.is_ready(kind, name) and attempt_label(item) != str(store.attempt):
            uid = item["metadata"]["uid"]
            calls.append(context.cluster.delete(kind, name, namespace, lease_guard(lease), uid=uid))
    await ensure_lease(context, lease)
    await gather(calls)
