"""PATCH: what each content type means."""

from typing import Any

from sandbox.simulator import merging
from sandbox.simulator.defaults import fold_string_data
from sandbox.simulator.errors import ApiError, bad_request, conflict, invalid
from sandbox.simulator.kinds import SECRET, Manifest
from sandbox.simulator.objects import Key, Stored
from sandbox.simulator.world import World
from sandbox.simulator.writes import GIVEN, create, update

APPLY = "application/apply-patch+yaml"
MERGES = {
    "application/merge-patch+json": merging.json_merge,
    "application/strategic-merge-patch+json": merging.strategic_merge,
}


def patch(world: World, key: Key, body: Any, content_type: str, part: str) -> Stored:
    """Merge into what is there. Raises ApiError 404, 409, 415, 422."""
    merge = MERGES.get(content_type)
    if merge is None:
        raise ApiError(415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {content_type}")
    if not isinstance(body, dict):
        raise bad_request("a patch is an object")
    return update(world, key, merge(world.objects.get(key).manifest, body), part=part)


def apply(world: World, key: Key, body: Any, manager: str, *, force: bool, part: str) -> tuple[Stored, bool]:
    """Server-side apply: the object, and whether it is new. Raises as create and update, and 409 on conflicts."""
    if not manager:
        raise invalid(key.kind, key.name, [("fieldManager", "Required value: is required for apply patch")])
    if not isinstance(body, dict) or not isinstance(body.get("metadata", {}), dict):
        raise bad_request("the object provided is unrecognized")
    metadata: Manifest = body.get("metadata", {})
    if metadata.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    if key.kind is SECRET:
        body = fold_string_data(body)
    wanted = {name: value for name, value in body.items() if name not in ("apiVersion", "kind")}
    wanted["metadata"] = {name: metadata[name] for name in GIVEN[2:] if name in metadata}
    if part != "status":
        wanted.pop("status", None)
    stored = world.objects.find(key)
    if stored is None:
        if metadata.get("uid"):
            why = f"uid mismatch: the provided object specified uid {metadata['uid']}, and no existing object was found"
            raise conflict(key.kind, key.name, why)
        named = {**body, "metadata": {**metadata, "name": key.name}}
        return create(world, key.kind, key.namespace, named, applied={manager: wanted}), True
    _check_conflicts(key, wanted, stored, manager, force=force)
    merged = merging.apply(stored.applied.get(manager), wanted, stored.manifest)
    checked = {name: metadata[name] for name in ("resourceVersion", "uid", "name") if metadata.get(name)}
    given = {name: body[name] for name in ("apiVersion", "kind") if name in body}
    merged = {**merged, **given, "metadata": {**merged["metadata"], **checked}}
    return update(world, key, merged, part=part, applied={**stored.applied, manager: wanted}), False


def _check_conflicts(key: Key, wanted: Manifest, stored: Stored, manager: str, *, force: bool) -> None:
    """Another applier's value may only be changed by force."""
    for other, theirs in stored.applied.items():
        if other == manager or force:
            continue
        if paths := merging.conflicts(wanted, theirs):
            message = f'Apply failed with {len(paths)} conflict: conflict with "{other}": {", ".join(paths)}'
            causes = [
                {"reason": "FieldManagerConflict", "message": f'conflict with "{other}"', "field": p} for p in paths
            ]
            raise ApiError(409, "Conflict", message, details={"name": key.name, "causes": causes})
