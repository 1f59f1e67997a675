"""Drift: changes that others made to the objects of a store. It is found, corrected, and reported to the owner.

Server-side apply restores our fields and creates missing objects. It keeps the fields of other managers, even a
container that somebody added to our pod template: an object with such a field is deleted and created again.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from stores.engines import Manifest
from stores.leases import Lease
from stores.texts import text
from workers import apply
from workers.cluster.client import FIELD_MANAGER, Cluster
from workers.cluster.errors import NotFound
from workers.context import Context
from workers.snapshot import ATTEMPT_LABEL

log = structlog.get_logger()

LiveObjects = Mapping[tuple[str, str], Manifest]
"""By kind and name."""

IGNORED_FIELDS = ("f:metadata", "f:status")
"""Labels and annotations don't change what was proven, not even on a pod template (`kubectl rollout restart`)."""
EXTENSIBLE_KINDS = ("PersistentVolumeClaim", "ServiceAccount")
"""Never recreated because of foreign fields: a claim holds data, and Kubernetes or a platform adds fields to both."""


async def correct_drift(
    context: Context, lease: Lease, namespace: str, manifests: Sequence[Manifest], messages: list[str]
) -> None:
    """Apply all manifests. Appends to `messages` a sentence for each object that had drifted, even if this raises.

    RoleBindings first, and without a message: they give us the permissions for the other objects. Raises ClusterError,
    LeaseLost.
    """
    binding_created = await apply.create_bindings(context, lease, manifests)
    if binding_created:
        # no message: perhaps nobody removed it, and the workers have another service account now
        log.warning("drift.role_binding_created", namespace=namespace)
    others = [manifest for manifest in manifests if manifest["kind"] != "RoleBinding"]
    before = await _live_objects(context.cluster, namespace, others)
    await apply.ensure_lease(context, lease)
    async with apply.forbidden_is_transient(binding_created):
        await apply.gather([_correct_object(context, lease, manifest, before, messages) for manifest in others])


async def _correct_object(
    context: Context, lease: Lease, manifest: Manifest, before: LiveObjects, messages: list[str]
) -> None:
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    old = before.get((kind, name))
    recreate = old is not None and kind not in EXTENSIBLE_KINDS and has_foreign_fields(old, manifest)
    if old is not None and recreate:
        namespace, uid = manifest["metadata"]["namespace"], old["metadata"]["uid"]
        await context.cluster.delete(kind, name, namespace, apply.lease_guard(lease), uid=uid)
    new = await context.cluster.apply(manifest, apply.lease_guard(lease))
    if old is None or (old["metadata"]["uid"] != new["metadata"]["uid"] and not recreate):
        messages.append(text("event.object_removed", kind=kind, name=name))
    elif has_foreign_fields(new, manifest) and kind not in EXTENSIBLE_KINDS:
        return  # added after our list; the watch event of that change starts another pass
    elif _managed_part(old, manifest) != _managed_part(new, manifest):
        messages.append(text("event.object_changed", kind=kind, name=name))


async def _live_objects(cluster: Cluster, namespace: str, manifests: Sequence[Manifest]) -> LiveObjects:
    """Lists each kind of the manifests. Gets Secrets by name: we may not list them. Raises ClusterError."""
    kinds = sorted({manifest["kind"] for manifest in manifests} - {"Secret"})
    secrets = [manifest["metadata"]["name"] for manifest in manifests if manifest["kind"] == "Secret"]
    calls = [_list(cluster, kind, namespace) for kind in kinds]
    calls += [_get_secret(cluster, name, namespace) for name in secrets]
    return {(item["kind"], item["metadata"]["name"]): item for items in await apply.gather(calls) for item in items}


async def _list(cluster: Cluster, kind: str, namespace: str) -> list[Manifest]:
    items, _ = await cluster.list(kind, namespace)
    return items


async def _get_secret(cluster: Cluster, name: str, namespace: str) -> list[Manifest]:
    try:
        return [await cluster.get("Secret", name, namespace)]
    except NotFound:
        return []


def _managed_part(item: Manifest, manifest: Manifest) -> Manifest:
    """The object without its status, and with only that metadata that we write or that counts changes."""
    content = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    metadata = {name: item["metadata"].get(name) for name in ("uid", "generation")}
    for part in ("labels", "annotations"):
        found = item["metadata"].get(part) or {}
        metadata[part] = {key: found.get(key) for key in manifest["metadata"].get(part, {}) if key != ATTEMPT_LABEL}
    return {**content, "metadata": metadata}


def has_foreign_fields(item: Manifest, manifest: Manifest) -> bool:
    """Whether another field manager owns a field of the live object that the manifest doesn't have."""
    return any(
        _adds_fields(entry.get("fieldsV1") or {}, manifest)
        for entry in item["metadata"].get("managedFields") or ()
        if entry.get("manager") != FIELD_MANAGER and not entry.get("subresource")
    )


def _adds_fields(fields: Mapping[str, Any], value: Any) -> bool:
    """`fields` is FieldsV1: `f:name` is a field, `k:{…}` a list item by its keys, `v:…` a list item by its value."""
    for path, nested in fields.items():
        if path == "." or path in IGNORED_FIELDS:
            continue
        found, child = _resolve(path, value)
        if not found or (nested and _adds_fields(nested, child)):
            return True
    return False


def _resolve(path: str, value: Any) -> tuple[bool, Any]:
    """Whether the value has what one FieldsV1 path element names, and that child."""
    kind, _, name = path.partition(":")
    if kind == "f":
        return (name in value, value.get(name)) if isinstance(value, dict) else (False, None)
    expected = json.loads(name)
    for item in value if isinstance(value, list) else ():
        if item == expected if kind == "v" else all(item.get(key) == child for key, child in expected.items()):
            return True, item
    return False, None
