"""What the controller manager does for namespaces: what each begins with, and how each ends."""

from collections import Counter

from sandbox.simulator import clock
from sandbox.simulator.kinds import ACCOUNT, CONFIGMAP, Manifest
from sandbox.simulator.objects import Key
from sandbox.simulator.statuses import condition, conditions
from sandbox.simulator.world import World
from sandbox.simulator.writes import create, delete, set_status, settle

CERTIFICATE = "kube-root-ca.crt"


def sync(world: World, key: Key, namespace: Manifest) -> None:
    """Give a new one its defaults; empty one that is Terminating and then let it go."""
    if "deletionTimestamp" not in namespace["metadata"]:
        if world.objects.manifest(ACCOUNT, key.name, "default") is None:
            create(world, ACCOUNT, key.name, {"metadata": {"name": "default"}})
        if world.objects.manifest(CONFIGMAP, key.name, CERTIFICATE) is None:
            create(world, CONFIGMAP, key.name, {"metadata": {"name": CERTIFICATE}, "data": {"ca.crt": "simulated"}})
        return
    if not world.wait(key, "terminate", clock.TERMINATE):
        return
    for inside, stored in world.objects.contents(key.name):
        if "deletionTimestamp" not in stored.manifest["metadata"] and world.objects.find(inside) is not None:
            delete(world, inside, propagation="Background")
    left: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for inside, stored in world.objects.contents(key.name):
        left[inside.kind.resource] += 1
        held.update(stored.manifest["metadata"].get("finalizers") or ())
    if fault := world.fault({"metadata": {**namespace["metadata"], "namespace": key.name}}, ("Namespace",), "stuck"):
        left["simulated"] += 1
        held[fault.message or "storefleet.dev/simulated"] += 1
    rows = _conditions(left, held)
    status = {**namespace["status"], "conditions": conditions(namespace["status"].get("conditions"), *rows)}
    namespace = set_status(world, key, namespace, status)
    if not left:
        settle(world, key, {**namespace, "spec": {"finalizers": []}})


def _conditions(left: Counter[str], held: Counter[str]) -> list[Manifest]:
    remaining = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(left.items()))
    finalizers = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(held.items()))
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
            status=bool(left),
            reason="SomeResourcesRemain" if left else "ContentRemoved",
            message=f"Some resources are remaining: {remaining}" if left else "All content successfully removed",
        ),
        condition(
            "NamespaceFinalizersRemaining",
            status=bool(held),
            reason="SomeFinalizersRemain" if held else "ContentHasNoFinalizers",
            message=f"Some content in the namespace has finalizers remaining: {finalizers}"
            if held
            else "All content-preserving finalizers finished",
        ),
    ]
