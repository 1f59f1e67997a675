"""What a namespace may hold: ResourceQuota and LimitRange, at admission and in the quota's status."""

from collections import defaultdict
from decimal import Decimal

from sandbox.simulator.clock import RECOUNT
from sandbox.simulator.errors import forbidden
from sandbox.simulator.kinds import CLAIM, LIMITS, NAMESPACE, POD, QUOTA, Kind, Manifest
from sandbox.simulator.objects import Key, Objects
from sandbox.simulator.quantities import quantity, shown
from sandbox.simulator.world import World

Use = dict[str, Decimal]
BARE = {
    *("pods", "services", "secrets", "configmaps", "persistentvolumeclaims", "resourcequotas"),
}
"""Kinds a quota may count by their plural alone; any can be counted as count/<resource>."""


def use_of(kind: Kind, manifest: Manifest) -> Use:
    """What one object takes of a quota; finished pods take nothing."""
    used: defaultdict[str, Decimal] = defaultdict(Decimal)
    if kind is POD and (manifest.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return {"count/pods": Decimal(1)}
    used[f"count/{kind.resource}"] += 1
    if kind.plural in BARE:
        used[kind.plural] += 1
    spec = manifest.get("spec") or {}
    if kind is POD:
        for sort in ("requests", "limits"):
            for resource, amount in _of_pod(spec, sort).items():
                used[f"{sort}.{resource}"] += amount
                if sort == "requests":
                    used[resource] += amount
    elif kind is CLAIM:
        used["requests.storage"] += quantity(spec["resources"]["requests"]["storage"])
    elif kind.name == "Service":
        if spec.get("type") == "LoadBalancer":
            used["services.loadbalancers"] += 1
        if spec.get("type") in ("LoadBalancer", "NodePort"):
            used["services.nodeports"] += len(spec.get("ports") or ())
    return dict(used)


def _of_pod(spec: Manifest, sort: str) -> Use:
    """The sum of the containers, or the largest init container if that is more."""
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    for container in spec.get("containers") or ():
        for resource, amount in ((container.get("resources") or {}).get(sort) or {}).items():
            total[resource] += quantity(amount)
    for container in spec.get("initContainers") or ():
        for resource, amount in ((container.get("resources") or {}).get(sort) or {}).items():
            total[resource] = max(total[resource], quantity(amount))
    return total


def used_in(objects: Objects, namespace: str, names: set[str]) -> Use:
    """What the namespace uses of these."""
    total = dict.fromkeys(names, Decimal(0))
    for key, stored in objects.contents(namespace):
        for name, amount in use_of(key.kind, stored.manifest).items():
            if name in total:
                total[name] += amount
    return total


def with_limits(objects: Objects, namespace: str, pod: Manifest) -> Manifest:
    """The pod with what the namespace's LimitRanges say for containers that say nothing."""
    for _, stored in objects.within(LIMITS, namespace):
        for row in stored.manifest["spec"].get("limits") or ():
            if row.get("type") == "Container":
                pod = {**pod, "spec": {**pod["spec"], **_limited(pod["spec"], row)}}
    return pod


def _limited(spec: Manifest, row: Manifest) -> Manifest:
    changed: dict[str, list[Manifest]] = {}
    for list_ in ("containers", "initContainers"):
        if containers := spec.get(list_):
            changed[list_] = []
            for container in containers:
                given = container.get("resources") or {}
                limits = {**(row.get("default") or {}), **(given.get("limits") or {})}
                # a request not given is the limit given, before it is the default
                requests = {
                    **(row.get("defaultRequest") or {}),
                    **(given.get("limits") or {}),
                    **(given.get("requests") or {}),
                }
                changed[list_].append({**container, "resources": {**given, "limits": limits, "requests": requests}})
    return changed


def admit(world: World, kind: Kind, manifest: Manifest, before: Manifest | None) -> None:
    """Raises ApiError 403 when a quota of the namespace has no room for the object, or it doesn't say what it takes."""
    metadata = manifest["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace", "")
    if before is None and (
        fault := world.faults.rows and world.faults.take(world.subject(manifest, kind.name), "quota")
    ):
        why = fault.message or f"exceeded quota: store, requested: count/{kind.resource}=1, used: 1, limited: 1"
        raise forbidden(kind, name, why)
    quotas = list(world.objects.within(QUOTA, namespace)) if namespace else []
    if not quotas:
        return
    wanted, had = use_of(kind, manifest), use_of(kind, before) if before else {}
    grown = {name: amount - had.get(name, 0) for name, amount in wanted.items() if amount > had.get(name, 0)}
    for key, stored in quotas:
        hard = {name: quantity(amount) for name, amount in (stored.manifest["spec"].get("hard") or {}).items()}
        if kind is POD and before is None and (unsaid := sorted(hard.keys() & COMPUTE - wanted.keys())):
            raise forbidden(kind, name, f"failed quota: {key.name}: must specify {','.join(unsaid)}")
        asked = {name for name in grown if name in hard}
        used = used_in(world.objects, namespace, asked) if asked else {}
        if over := sorted(name for name in asked if used[name] + grown[name] > hard[name]):
            parts = [",".join(f"{name}={shown(value[name])}" for name in over) for value in (grown, used, hard)]
            why = f"exceeded quota: {key.name}, requested: {parts[0]}, used: {parts[1]}, limited: {parts[2]}"
            raise forbidden(kind, name, why)


COMPUTE = {
    *("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"),
    *("requests.ephemeral-storage", "limits.ephemeral-storage"),
}


def sync(world: World, key: Key, quota: Manifest) -> None:
    """Count again, a little after something changed in the namespace."""
    hard = quota["spec"].get("hard") or {}
    current = (quota.get("status") or {}).get("hard") == hard
    if current and not world.wait(key, "recount", RECOUNT):
        return
    world.forget(key)
    used = {name: shown(amount) for name, amount in used_in(world.objects, key.namespace, set(hard)).items()}
    status = {"hard": hard, "used": used}
    if status != quota.get("status"):
        world.objects.write(key, {**quota, "status": status})


def terminating(objects: Objects, namespace: str) -> bool:
    manifest = objects.manifest(NAMESPACE, "", namespace)
    return manifest is not None and "deletionTimestamp" in manifest["metadata"]
