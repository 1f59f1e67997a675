"""Checks that the admission policy limits the workers' service account, by a request that the policy must deny."""

from workers.cluster.client import Cluster
from workers.cluster.errors import AlreadyExists, RequestRejected

POLICY_NAME = "storefleet-fence"
"""The name of the ValidatingAdmissionPolicy. Its denials contain the name."""
PROBE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "storefleet-fence-probe"}}


class AdmissionPolicyMissing(Exception):
    """Without the policy, the workers' service account could change more than the stores; one line with the remedy."""


async def find_policy_problem(cluster: Cluster) -> str | None:
    """Why the policy isn't in force for this service account, or None. A dry run. Raises TransientError."""
    try:
        await cluster.create(PROBE, dry_run=True)
    except RequestRejected as error:
        if POLICY_NAME in error.message:
            return None
        return f"this account can't create namespaces: {error.message[:200]}"
    except AlreadyExists:
        pass  # admission comes before storage: the policy didn't deny the request
    return "this account could create any namespace: the admission policy is missing"
