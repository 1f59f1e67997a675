"""ResourceQuota and LimitRange: admission of objects, and the status of a quota."""

from collections import defaultdict
from decimal import Decimal
from functools import cache

from sandbox.simulator.clock import QUOTA_SYNC_SECONDS
from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.errors import forbidden
from sandbox.simulator.kinds import CLAIM, KINDS, LIMIT_RANGE, NAMESPACE, POD, QUOTA, Kind, Manifest
from sandbox.simulator.objects import Key, ObjectStore
from sandbox.simulator.quantities import format_quantity, parse_quantity

Usage = dict[str, Decimal]
COUNTED_BY_PLURAL = {
    *("pods", "services", "secrets", "configmaps", "persistentvolumeclaims", "resourcequotas"),
}
"""Resources that a quota can count by plural; all can be counted as count/<resource>."""
COMPUTE_RESOURCES = {
    *("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"),
    *("requests.ephemeral-storage", "limits.ephemeral-storage"),
}
RESOURCES = {
    "PersistentVolumeClaim": {"requests.storage"},
    "Service": {"services.loadbalancers", "services.nodeports"},
}
"""What objects of a kind can use in addition to their count. A pod can use any resource."""


def usage(kind: Kind, manifest: Manifest) -> Usage:
    """What one object counts for; a finished pod uses no compute resources."""
    used: defaultdict[str, Decimal] = defaultdict(Decimal)
    if kind is POD and (manifest.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return {"count/pods": Decimal(1)}
    used[f"count/{kind.resource}"] += 1
    if kind.plural in COUNTED_BY_PLURAL:
        used[kind.plural] += 1
    spec = manifest.get("spec") or {}
    if kind is POD:
        for field in ("requests", "limits"):
            for resource, amount in _pod_usage(spec, field).items():
                used[f"{field}.{resource}"] += amount
                if field == "requests":
                    used[resource] += amount
    elif kind is CLAIM:
        used["requests.storage"] += parse_quantity(spec["resources"]["requests"]["storage"])
    elif kind.name == "Service":
        if spec.get("type") == "LoadBalancer":
            used["services.loadbalancers"] += 1
        if spec.get("type") in ("LoadBalancer", "NodePort"):
            used["services.nodeports"] += len(spec.get("ports") or ())
    return dict(used)


def _pod_usage(spec: Manifest, field: str) -> Usage:
    """The sum over the containers, or the largest init container if that is more. `sort`: requests or limits."""
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    for container in spec.get("containers") or ():
        for resource, amount in ((container.get("resources") or {}).get(field) or {}).items():
            total[resource] += parse_quantity(amount)
    for container in spec.get("initContainers") or ():
        for resource, amount in ((container.get("resources") or {}).get(field) or {}).items():
            total[resource] = max(total[resource], parse_quantity(amount))
    return total


def namespace_usage(objects: ObjectStore, namespace: str, names: set[str]) -> Usage:
    """The namespace's usage of these resources."""
    total = dict.fromkeys(names, Decimal(0))
    for kind in KINDS:
        if kind is POD or (kind.namespaced and not names.isdisjoint(_resources(kind))):
            for _, stored in objects.in_namespace(kind, namespace):
                for name, amount in usage(kind, stored.manifest).items():
                    if name in total:
                        total[name] += amount
    return total


@cache
def _resources(kind: Kind) -> frozenset[str]:
    """The resources that objects of this kind, other than pods, can use."""
    counts = {f"count/{kind.resource}", *({kind.plural} & COUNTED_BY_PLURAL)}
    return frozenset(counts | RESOURCES.get(kind.name, set()))


def apply_limit_ranges(objects: ObjectStore, namespace: str, pod: Manifest) -> Manifest:
    """The pod with the default resources of the namespace's LimitRanges."""
    for _, stored in objects.in_namespace(LIMIT_RANGE, namespace):
        for row in stored.manifest["spec"].get("limits") or ():
            if row.get("type") == "Container":
                pod = {**pod, "spec": {**pod["spec"], **_with_default_resources(pod["spec"], row)}}
    return pod


def _with_default_resources(spec: Manifest, row: Manifest) -> Manifest:
    changed: dict[str, list[Manifest]] = {}
    for list_ in ("containers", "initContainers"):
        if containers := spec.get(list_):
            changed[list_] = []
            for container in containers:
                given = container.get("resources") or {}
                limits = {**(row.get("default") or {}), **(given.get("limits") or {})}
                # a missing request is the container's own limit, or else the default request
                requests = {
                    **(row.get("defaultRequest") or {}),
                    **(given.get("limits") or {}),
                    **(given.get("requests") or {}),
                }
                changed[list_].append({**container, "resources": {**given, "limits": limits, "requests": requests}})
    return changed


def admit(cluster: ClusterState, kind: Kind, manifest: Manifest, before: Manifest | None) -> None:
    """Raises ApiError 403 when the object exceeds a quota, or doesn't specify a resource that a quota limits."""
    metadata = manifest["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace", "")
    quotas = list(cluster.objects.in_namespace(QUOTA, namespace)) if namespace else []
    if before is None and (
        fault := cluster.faults.active and cluster.faults.consume(cluster.subject(manifest, kind.name), "quota")
    ):
        quota = next((key.name for key, _ in quotas), "quota")
        used_up = f"exceeded quota: {quota}, requested: count/{kind.resource}=1, used: 1, limited: 1"
        raise forbidden(kind, name, fault.message or used_up)
    if not quotas:
        return
    wanted, had = usage(kind, manifest), usage(kind, before) if before else {}
    grown = {name: amount - had.get(name, 0) for name, amount in wanted.items() if amount > had.get(name, 0)}
    for key, stored in quotas:
        hard = {name: parse_quantity(amount) for name, amount in (stored.manifest["spec"].get("hard") or {}).items()}
        if kind is POD and before is None and (missing := sorted(hard.keys() & COMPUTE_RESOURCES - wanted.keys())):
            raise forbidden(kind, name, f"failed quota: {key.name}: must specify {','.join(missing)}")
        limited = {name for name in grown if name in hard}
        used = namespace_usage(cluster.objects, namespace, limited) if limited else {}
        if over := sorted(name for name in limited if used[name] + grown[name] > hard[name]):
            parts = [
                ",".join(f"{name}={format_quantity(value[name])}" for name in over) for value in (grown, used, hard)
            ]
            message = f"exceeded quota: {key.name}, requested: {parts[0]}, used: {parts[1]}, limited: {parts[2]}"
            raise forbidden(kind, name, message)


def sync(cluster: ClusterState, key: Key, quota: Manifest) -> None:
    """Recalculate the usage, a little after a change in the namespace."""
    hard = quota["spec"].get("hard") or {}
    current = (quota.get("status") or {}).get("hard") == hard
    if current and not cluster.timer_elapsed(key, "recount", QUOTA_SYNC_SECONDS):
        return
    cluster.reset_timers(key)
    used = {
        name: format_quantity(amount)
        for name, amount in namespace_usage(cluster.objects, key.namespace, set(hard)).items()
    }
    status = {"hard": hard, "used": used}
    if status != quota.get("status"):
        cluster.objects.put(key, {**quota, "status": status})


def is_terminating(objects: ObjectStore, namespace: str) -> bool:
    manifest = objects.manifest(NAMESPACE, "", namespace)
    return manifest is not None and "deletionTimestamp" in manifest["metadata"]
