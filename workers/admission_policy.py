"""Checks that the admission policy limits the workers' service account, by a request that the policy must deny."""

from workers.cluster.client import Cluster
from workers.cluster.errors import AlreadyExists, RequestRejected

PROBE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "storefleet-fence-probe"}}


async def find_policy_problem(cluster: Cluster, name: str) -> str | None:
    """Why this policy isn't in force for this service account, or None. A dry run. Raises TransientError."""
    try:
        await cluster.create(PROBE, dry_run=True)
    except RequestRejected as error:
        if f"ValidatingAdmissionPolicy '{name}'" in error.message:
            return None
        return f"this account can't create namespaces: {error.message[:200]}"
    except AlreadyExists:
        pass  # admission comes before storage: the policy didn't deny the request
    return f"this account could create any namespace: the admission policy {name} is missing"
