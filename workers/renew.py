"""What an earlier attempt left in trouble is made anew, so that nobody who retries waits for Kubernetes' own pauses.

A kubelet waits up to five minutes before it starts a container or pulls an image again, a controller up to a quarter of
an hour before it makes a pod. Whoever retries has seen to the cause, and would see the old trouble told again.
Where none of them is, a Deployment that isn't ready, of a store that never was, may run an image mended since under the
same name. A database is left to what it does: in its first start it may be writing its files.
"""

from stores.leases import Lease
from stores.models import Store
from workers.apply import at_once, guard, keep
from workers.context import Context
from workers.troubles import troubled
from workers.view import attempt_of, component, look, with_warnings


async def renew(context: Context, lease: Lease, namespace: str, store: Store) -> None:
    """Delete each workload that is in trouble and of an earlier attempt; applying makes it again.

    Safe at any moment: what was applied in this attempt is left alone. Raises ClusterError and LeaseLost.
    """
    view = await with_warnings(context.cluster, namespace, await look(context.cluster, namespace))
    parts = troubled(view) & {component(item) for item in view.workloads.values()}
    calls = []
    for (kind, name), item in view.workloads.items():
        ill = component(item) in parts or (not parts and store.ready_at is None and kind == "Deployment")
        if ill and not view.is_ready(kind, name) and attempt_of(item) != str(store.attempt):
            uid = item["metadata"]["uid"]
            calls.append(context.cluster.delete(kind, name, namespace, guard(lease), uid=uid))
    await keep(context, lease)
    await at_once(calls)
