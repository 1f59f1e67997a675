"""What others did to the objects of a READY store: found, undone, and told.

Applying takes back what was changed of our fields, and makes what was removed. It leaves what others added, be it a
container in our pods: an object with such an addition is made anew.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from stores.engines import Manifest
from stores.leases import Lease
from workers import apply
from workers.cluster.client import FIELD_MANAGER, Cluster
from workers.cluster.errors import NotFound
from workers.context import Context
from workers.view import ATTEMPT

Objects = Mapping[tuple[str, str], Manifest]
"""By kind and name."""

NOT_OURS = ("f:metadata", "f:status")
"""Labels and annotations, also those of a pod template (kubectl rollout restart), change nothing that we prove."""
GROWS = ("PersistentVolumeClaim", "ServiceAccount")
"""Kubernetes adds to a claim, and what holds data is never made anew; some platforms add to accounts."""


async def undo(context: Context, lease: Lease, namespace: str, manifests: Sequence[Manifest], told: list[str]) -> None:
    """Bring everything back to the manifests; `told` gets a sentence for each object that somebody had changed.

    RoleBindings first: the rights to do the rest come from them. Raises ClusterError and LeaseLost, with what was
    undone until then in `told`.
    """
    await apply.keep(context, lease)
    for manifest in manifests:
        if manifest["kind"] == "RoleBinding" and await apply.make(context, lease, manifest):
            told.append(_sentence("removed", manifest))
    bound = bool(told)
    rest = [manifest for manifest in manifests if manifest["kind"] != "RoleBinding"]
    before = await _objects(context.cluster, namespace, rest)
    await apply.keep(context, lease)
    async with apply.newly_bound(bound):
        await apply.at_once([_undo(context, lease, manifest, before, told) for manifest in rest])


async def _undo(context: Context, lease: Lease, manifest: Manifest, before: Objects, told: list[str]) -> None:
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    there = before.get((kind, name))
    anew = there is not None and kind not in GROWS and others_added(there, manifest)
    if there is not None and anew:
        namespace, uid = manifest["metadata"]["namespace"], there["metadata"]["uid"]
        await context.cluster.delete(kind, name, namespace, apply.guard(lease), uid=uid)
    now = await context.cluster.apply(manifest, apply.guard(lease))
    if there is None or (there["metadata"]["uid"] != now["metadata"]["uid"] and not anew):
        told.append(_sentence("removed", manifest))
    elif others_added(now, manifest) and kind not in GROWS:
        return  # since the look; its own event brings another pass
    elif _own(there, manifest) != _own(now, manifest):
        told.append(_sentence("changed", manifest))


def _sentence(did: str, manifest: Manifest) -> str:
    return f"Somebody {did} the {manifest['kind']} {manifest['metadata']['name']} in the cluster; it is put back."


async def _objects(cluster: Cluster, namespace: str, manifests: Sequence[Manifest]) -> Objects:
    """What is there of the kinds of the manifests; Secrets by name, since nobody may list them. Raises ClusterError."""
    kinds = sorted({manifest["kind"] for manifest in manifests} - {"Secret"})
    secrets = [manifest["metadata"]["name"] for manifest in manifests if manifest["kind"] == "Secret"]
    calls = [_all(cluster, kind, namespace) for kind in kinds] + [_one(cluster, name, namespace) for name in secrets]
    return {(item["kind"], item["metadata"]["name"]): item for items in await apply.at_once(calls) for item in items}


async def _all(cluster: Cluster, kind: str, namespace: str) -> list[Manifest]:
    items, _ = await cluster.list(kind, namespace)
    return items


async def _one(cluster: Cluster, name: str, namespace: str) -> list[Manifest]:
    try:
        return [await cluster.get("Secret", name, namespace)]
    except NotFound:
        return []


def _own(item: Manifest, manifest: Manifest) -> Manifest:
    """What may not differ: all but the status, and of the metadata only what we write and what counts changes."""
    content = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    metadata = {name: item["metadata"].get(name) for name in ("uid", "generation")}
    for part in ("labels", "annotations"):
        found = item["metadata"].get(part) or {}
        metadata[part] = {key: found.get(key) for key in manifest["metadata"].get(part, {}) if key != ATTEMPT}
    return {**content, "metadata": metadata}


def others_added(item: Manifest, manifest: Manifest) -> bool:
    """Whether another field manager put something into the object that the manifest doesn't have."""
    return any(
        _adds(entry.get("fieldsV1") or {}, manifest)
        for entry in item["metadata"].get("managedFields") or ()
        if entry.get("manager") != FIELD_MANAGER and not entry.get("subresource")
    )


def _adds(fields: Mapping[str, Any], ours: Any) -> bool:
    """`fields` is FieldsV1: `f:name` is a field, `k:{…}` an item of a list by its keys, `v:…` one by its value."""
    for path, below in fields.items():
        if path == "." or path in NOT_OURS:
            continue
        there, child = _step(path, ours)
        if not there or (below and _adds(below, child)):
            return True
    return False


def _step(path: str, ours: Any) -> tuple[bool, Any]:
    """Whether ours has what the path names, and that."""
    kind, _, name = path.partition(":")
    if kind == "f":
        return (name in ours, ours.get(name)) if isinstance(ours, dict) else (False, None)
    wanted = json.loads(name)
    for item in ours if isinstance(ours, list) else ():
        if item == wanted if kind == "v" else all(item.get(key) == value for key, value in wanted.items()):
            return True, item
    return False, None
