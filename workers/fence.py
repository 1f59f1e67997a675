"""Whether the admission policy that fences our own account is in force: proven by trying what it must refuse."""

from workers.cluster.client import Cluster
from workers.cluster.errors import AlreadyExists, Refused

FENCE = "storefleet-fence"
"""The ValidatingAdmissionPolicy's name, which its refusals carry."""
PROBE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "storefleet-fence-probe"}}


class Unfenced(Exception):
    """The account could do harm beyond the stores; one line that says so, and what to do."""


async def missing_fence(cluster: Cluster) -> str | None:
    """Why this account isn't fenced, or None. Nothing is made (dryRun). Raises Temporary."""
    try:
        await cluster.create(PROBE, dry_run=True)
    except Refused as error:
        return None if FENCE in error.message else f"this account can't make namespaces: {error.message[:200]}"
    except AlreadyExists:
        pass  # admission comes first: it was let through
    return "this account could make any namespace: the admission policy is missing"
