"""PATCH, by content type."""

from typing import Any

from sandbox.simulator import merging
from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.defaults import encode_string_data
from sandbox.simulator.errors import ApiError, bad_request, conflict, invalid
from sandbox.simulator.kinds import SECRET, Manifest
from sandbox.simulator.objects import Key, StoredObject
from sandbox.simulator.writes import CLIENT_METADATA, create, update

APPLY_PATCH = "application/apply-patch+yaml"
MERGES = {
    "application/merge-patch+json": merging.json_merge,
    "application/strategic-merge-patch+json": merging.strategic_merge,
}


def patch(cluster: ClusterState, key: Key, body: Any, content_type: str, subresource: str) -> StoredObject:
    """Apply a merge patch to an existing object. Raises ApiError 404, 409, 415, 422."""
    merge = MERGES.get(content_type)
    if merge is None:
        raise ApiError(415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {content_type}")
    if not isinstance(body, dict):
        raise bad_request("a patch is an object")
    return update(cluster, key, merge(cluster.objects.get(key).manifest, body), subresource=subresource)


def apply(
    cluster: ClusterState, key: Key, body: Any, manager: str, *, force: bool, subresource: str
) -> tuple[StoredObject, bool]:
    """Server-side apply. Returns the object, and whether it is new. Raises as create and update; 409 on conflicts."""
    if not manager:
        raise invalid(key.kind, key.name, [("fieldManager", "Required value: is required for apply patch")])
    if not isinstance(body, dict) or not isinstance(body.get("metadata", {}), dict):
        raise bad_request("the object provided is unrecognized")
    metadata: Manifest = body.get("metadata", {})
    if metadata.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    if key.kind is SECRET:
        body = encode_string_data(body)
    wanted = {name: value for name, value in body.items() if name not in ("apiVersion", "kind")}
    wanted["metadata"] = {name: metadata[name] for name in CLIENT_METADATA[2:] if name in metadata}
    if subresource != "status":
        wanted.pop("status", None)
    stored = cluster.objects.find(key)
    if stored is None:
        if metadata.get("uid"):
            message = (
                f"uid mismatch: the provided object specified uid {metadata['uid']}, and no existing object was found"
            )
            raise conflict(key.kind, key.name, message)
        named = {**body, "metadata": {**metadata, "name": key.name}}
        return create(cluster, key.kind, key.namespace, named, last_applied={manager: wanted}), True
    _check_conflicts(key, wanted, stored, manager, force=force)
    merged = merging.server_side_apply(stored.last_applied.get(manager), wanted, stored.manifest)
    preconditions = {name: metadata[name] for name in ("resourceVersion", "uid", "name") if metadata.get(name)}
    type_meta = {name: body[name] for name in ("apiVersion", "kind") if name in body}
    merged = {**merged, **type_meta, "metadata": {**merged["metadata"], **preconditions}}
    return update(
        cluster, key, merged, subresource=subresource, last_applied={**stored.last_applied, manager: wanted}
    ), False


def _check_conflicts(key: Key, wanted: Manifest, stored: StoredObject, manager: str, *, force: bool) -> None:
    """Raises ApiError 409 when another field manager applied a different value, except with `force`."""
    for other, theirs in stored.last_applied.items():
        if other == manager or force:
            continue
        if paths := merging.conflicts(wanted, theirs):
            message = f'Apply failed with {len(paths)} conflict: conflict with "{other}": {", ".join(paths)}'
            causes = [
                {"reason": "FieldManagerConflict", "message": f'conflict with "{other}"', "field": p} for p in paths
            ]
            raise ApiError(409, "Conflict", message, details={"name": key.name, "causes": causes})
