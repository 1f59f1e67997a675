"""The namespace controller: creates the default objects of a namespace, and deletes a namespace's contents."""

from collections import Counter

from sandbox.simulator import clock
from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.kinds import CONFIGMAP, SERVICE_ACCOUNT, Manifest
from sandbox.simulator.objects import Key
from sandbox.simulator.statuses import condition, merge_conditions
from sandbox.simulator.writes import create, delete, set_status, write_or_remove

ROOT_CA_CONFIGMAP = "kube-root-ca.crt"


def sync(cluster: ClusterState, key: Key, namespace: Manifest) -> None:
    """Create a new namespace's default objects; delete the contents of a Terminating one, then remove it."""
    if "deletionTimestamp" not in namespace["metadata"]:
        if cluster.objects.manifest(SERVICE_ACCOUNT, key.name, "default") is None:
            create(cluster, SERVICE_ACCOUNT, key.name, {"metadata": {"name": "default"}})
        if cluster.objects.manifest(CONFIGMAP, key.name, ROOT_CA_CONFIGMAP) is None:
            create(
                cluster, CONFIGMAP, key.name, {"metadata": {"name": ROOT_CA_CONFIGMAP}, "data": {"ca.crt": "simulated"}}
            )
        return
    if not cluster.timer_elapsed(key, "terminate", clock.NAMESPACE_DELETION_SECONDS):
        return
    for inside, stored in cluster.objects.namespace_contents(key.name):
        if "deletionTimestamp" not in stored.manifest["metadata"] and cluster.objects.find(inside) is not None:
            delete(cluster, inside, propagation="Background")
    remaining: Counter[str] = Counter()
    finalizers: Counter[str] = Counter()
    for inside, stored in cluster.objects.namespace_contents(key.name):
        remaining[inside.kind.resource] += 1
        finalizers.update(stored.manifest["metadata"].get("finalizers") or ())
    if fault := cluster.fault({"metadata": {**namespace["metadata"], "namespace": key.name}}, ("Namespace",), "stuck"):
        remaining["simulated"] += 1
        finalizers[fault.message or "simulator.example/stuck"] += 1
    rows = _conditions(remaining, finalizers)
    status = {**namespace["status"], "conditions": merge_conditions(namespace["status"].get("conditions"), *rows)}
    namespace = set_status(cluster, key, namespace, status)
    if not remaining:
        write_or_remove(cluster, key, {**namespace, "spec": {"finalizers": []}})


def _conditions(remaining: Counter[str], finalizers: Counter[str]) -> list[Manifest]:
    remaining_text = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(remaining.items()))
    finalizer_text = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
    done = "All content successfully deleted, may be waiting on finalization"
    return [
        condition(
            "NamespaceDeletionDiscoveryFailure",
            status=False,
            reason="ResourcesDiscovered",
            message="All resources successfully discovered",
        ),
        condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            status=False,
            reason="ParsedGroupVersions",
            message="All legacy kube types successfully parsed",
        ),
        condition("NamespaceDeletionContentFailure", status=False, reason="ContentDeleted", message=done),
        condition(
            "NamespaceContentRemaining",
            status=bool(remaining),
            reason="SomeResourcesRemain" if remaining else "ContentRemoved",
            message=f"Some resources are remaining: {remaining_text}"
            if remaining
            else "All content successfully removed",
        ),
        condition(
            "NamespaceFinalizersRemaining",
            status=bool(finalizers),
            reason="SomeFinalizersRemain" if finalizers else "ContentHasNoFinalizers",
            message=f"Some content in the namespace has finalizers remaining: {finalizer_text}"
            if finalizers
            else "All content-preserving finalizers finished",
        ),
    ]
