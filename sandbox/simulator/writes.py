"""Making, changing and deleting objects: what an API server does between a request and etcd; for controllers too."""

import uuid
from typing import Any

from sandbox.simulator import quota
from sandbox.simulator.defaults import BIRTH, complete, fold_string_data, suffix
from sandbox.simulator.errors import already_exists, bad_request, conflict, forbidden, invalid, modified, not_found
from sandbox.simulator.kinds import ACCOUNT, CLAIM, CLASS, DEPLOYMENT, NAMESPACE, POD, SECRET, VOLUME, Kind, Manifest
from sandbox.simulator.objects import Key, Stored, encoded
from sandbox.simulator.statuses import stamp
from sandbox.simulator.validation import check_change, check_new
from sandbox.simulator.world import World

GIVEN = ("name", "generateName", "labels", "annotations", "finalizers", "ownerReferences")
"""What of the metadata is the caller's; the rest is the server's."""
FOREGROUND = "foregroundDeletion"
PROTECTION = {CLAIM: "kubernetes.io/pvc-protection", VOLUME: "kubernetes.io/pv-protection"}
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def create(
    world: World,
    kind: Kind,
    namespace: str,
    manifest: Manifest,
    *,
    applied: dict[str, Manifest] | None = None,
    dry: bool = False,
) -> Stored:
    """Raises ApiError as the real API: 404 without the namespace, 403, 409, 422."""
    manifest = _checked(kind, namespace, manifest)
    metadata = {name: manifest["metadata"][name] for name in GIVEN if manifest["metadata"].get(name)}
    if not metadata.get("name"):
        if not metadata.get("generateName"):
            raise invalid(kind, "", [("metadata.name", "Required value: name or generateName is required")])
        metadata["name"] = metadata["generateName"] + suffix()
    name = metadata["name"]
    if kind.namespaced:
        metadata["namespace"] = namespace
        if world.objects.manifest(NAMESPACE, "", namespace) is None:
            raise not_found(NAMESPACE, namespace)
        if quota.terminating(world.objects, namespace):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise forbidden(kind, name, why, cause="NamespaceTerminating")
    key = Key(kind, namespace, name)
    if isinstance(name, str) and world.objects.find(key) is not None:
        raise already_exists(kind, name)
    metadata.update(uid=str(uuid.uuid4()), creationTimestamp=stamp())
    if kind.generation:
        metadata["generation"] = 1
    if kind in PROTECTION:
        metadata["finalizers"] = [*metadata.get("finalizers", ()), PROTECTION[kind]]
    made = {name: part for name, part in manifest.items() if name != "status"} | {"metadata": metadata}
    check_new(kind, made)
    made = complete(kind, made)
    if kind.status:
        made["status"] = BIRTH.get(kind.name, {})
    if kind is POD:
        _need_account(world, made)
        made = quota.with_limits(world.objects, namespace, made)
    elif kind is CLAIM:
        made = _with_class(world, made)
    quota.admit(world, kind, made, None)
    return encoded(kind, made, {}) if dry else world.objects.write(key, made, applied or {})


def update(
    world: World, key: Key, wanted: Manifest, *, part: str = "", applied: dict[str, Manifest] | None = None
) -> Stored:
    """Replace an object (`part` "": all but its status) or only its status; a change of nothing changes no version.

    Raises ApiError 404, 409 when `wanted` names another version or uid, 422.
    """
    stored = world.objects.get(key)
    before = stored.manifest
    kind, old = key.kind, before["metadata"]
    wanted = _checked(kind, key.namespace, wanted)
    given: Manifest = wanted["metadata"]
    if given.get("name", key.name) != key.name:
        raise bad_request(f"the name of the object ({given['name']}) does not match the name on the URL ({key.name})")
    if given.get("resourceVersion") not in (None, "", old["resourceVersion"]):
        raise modified(kind, key.name)
    if given.get("uid") not in (None, "", old["uid"]):
        raise conflict(
            kind,
            key.name,
            f"Precondition failed: UID in precondition: {given['uid']}, UID in object meta: {old['uid']}",
        )
    if part == "status":
        after = {**before, "status": wanted.get("status") or {}}
    else:
        kept = {name: value for name, value in old.items() if name not in GIVEN[2:]}
        metadata = {**kept, **{name: given[name] for name in GIVEN[2:] if given.get(name)}}
        after = {"apiVersion": kind.api_version, "kind": kind.name, **wanted, "metadata": metadata}
        if kind.status:
            after["status"] = before.get("status") or {}
        if kind is NAMESPACE and part != "finalize":
            after["spec"] = before["spec"]
        after = complete(kind, _with_server_fields(kind, before, after))
        check_change(kind, before, after)
        if kind.generation and _asks(kind, before) != _asks(kind, after):
            metadata["generation"] = old["generation"] + 1
        quota.admit(world, kind, after, before)
    if after == before and applied in (None, stored.applied):
        return stored
    return settle(world, key, after, applied)


def _asks(kind: Kind, manifest: Manifest) -> Manifest:
    """What of it counts as a change of the spec: a Deployment's annotations do as well."""
    annotations = manifest["metadata"].get("annotations") if kind is DEPLOYMENT else None
    return {**manifest, "status": None, "metadata": annotations}


def set_status(world: World, key: Key, before: Manifest, status: Manifest) -> Manifest:
    """A controller's write of a status; writes nothing when nothing changed. Returns the manifest as it is now."""
    if before.get("status") == status:
        return before
    return world.objects.write(key, {**before, "status": status}).manifest


def settle(world: World, key: Key, manifest: Manifest, applied: dict[str, Manifest] | None = None) -> Stored:
    """Write the object, or remove it when it is being deleted and nothing holds it any more."""
    metadata = manifest["metadata"]
    held = metadata.get("finalizers") or (manifest.get("spec") or {}).get("finalizers")
    if "deletionTimestamp" in metadata and not held and not metadata.get("deletionGracePeriodSeconds"):
        return world.objects.remove(key)
    return world.objects.write(key, manifest, applied)


def delete(
    world: World,
    key: Key,
    *,
    preconditions: dict[str, Any] | None = None,
    propagation: str | None = None,
    grace: int | None = None,
) -> Stored:
    """Begin the end of an object, or end it when nothing holds it. Raises ApiError 404, 409 for other preconditions."""
    stored = world.objects.get(key)
    manifest, metadata = stored.manifest, stored.manifest["metadata"]
    for name, value in (preconditions or {}).items():
        if value and metadata[name] != value:
            label = "UID" if name == "uid" else "ResourceVersion"
            why = f"Precondition failed: {label} in precondition: {value}, {label} in object meta: {metadata[name]}"
            raise conflict(key.kind, key.name, why)
    if propagation == "Orphan" or (propagation is None and key.kind.name == "Job"):  # a trap of the real API as well
        _orphan(world, metadata["uid"])
    finalizers = list(metadata.get("finalizers") or ())
    if propagation == "Foreground" and FOREGROUND not in finalizers and world.objects.dependents(metadata["uid"]):
        finalizers.append(FOREGROUND)
    seconds = _grace(key.kind, manifest, grace)
    if "deletionTimestamp" in metadata:
        if finalizers == (metadata.get("finalizers") or []) and seconds >= metadata["deletionGracePeriodSeconds"]:
            return stored
        marked = {**metadata, "deletionGracePeriodSeconds": min(seconds, metadata["deletionGracePeriodSeconds"])}
    else:
        marked = {**metadata, "deletionTimestamp": stamp(seconds), "deletionGracePeriodSeconds": seconds}
        if key.kind.generation:
            marked["generation"] = metadata["generation"] + 1
    if finalizers:
        marked["finalizers"] = finalizers
    deleted = {**manifest, "metadata": marked}
    if key.kind is NAMESPACE:
        deleted["status"] = {**manifest["status"], "phase": "Terminating"}
    return settle(world, key, deleted)


def release(world: World, key: Key, manifest: Manifest, finalizer: str) -> None:
    """Take that finalizer off."""
    metadata = manifest["metadata"]
    kept = [name for name in metadata.get("finalizers") or () if name != finalizer]
    rest = {name: value for name, value in metadata.items() if name != "finalizers"}
    settle(world, key, {**manifest, "metadata": {**rest, **({"finalizers": kept} if kept else {})}})


def _checked(kind: Kind, namespace: str, manifest: Any) -> Manifest:
    """Raises ApiError 400 when the manifest is none of this kind and namespace."""
    if not isinstance(manifest, dict) or not isinstance(manifest.get("metadata"), dict):
        raise bad_request("the object provided is unrecognized: it needs metadata")
    given = (manifest.get("apiVersion", kind.api_version), manifest.get("kind", kind.name))
    if given != (kind.api_version, kind.name):
        raise bad_request(
            f"the API version in the data ({given[0]}, Kind={given[1]}) does not match the expected API version "
            f"({kind.api_version}, Kind={kind.name})"
        )
    if kind.namespaced and manifest["metadata"].get("namespace") not in (None, "", namespace):
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    return fold_string_data(manifest) if kind is SECRET else manifest


def _with_server_fields(kind: Kind, before: Manifest, after: Manifest) -> Manifest:
    """What the server chose once and a replacement that leaves it out does not take away."""
    if kind.name == "Service" and not (after.get("spec") or {}).get("clusterIP"):
        after["spec"] = {**(after.get("spec") or {}), "clusterIP": before["spec"].get("clusterIP")}
    if kind is CLAIM and isinstance(after.get("spec"), dict):
        chosen = {name: before["spec"][name] for name in ("storageClassName", "volumeName") if name in before["spec"]}
        after["spec"] = {**chosen, **after["spec"]}
    return after


def _need_account(world: World, pod: Manifest) -> None:
    """Pods need their ServiceAccount at once; other kinds may name what does not exist yet."""
    namespace, account = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]
    if world.objects.manifest(ACCOUNT, namespace, account) is None:
        why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
        raise forbidden(POD, pod["metadata"]["name"], why)


def _with_class(world: World, claim: Manifest) -> Manifest:
    if "storageClassName" in claim["spec"]:
        return claim
    for key, stored in world.objects.within(CLASS, ""):
        if (stored.manifest["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true":
            return {**claim, "spec": {**claim["spec"], "storageClassName": key.name}}
    return claim


def _grace(kind: Kind, manifest: Manifest, grace: int | None) -> int:
    """Seconds a pod has; what never started, or has ended, has none, like all other kinds."""
    started = bool(manifest.get("spec", {}).get("nodeName"))
    if kind is not POD or not started or manifest["status"].get("phase") in ("Succeeded", "Failed"):
        return 0
    return int(manifest["spec"]["terminationGracePeriodSeconds"]) if grace is None else grace


def _orphan(world: World, uid: str) -> None:
    for key, stored in world.objects.dependents(uid):
        metadata = stored.manifest["metadata"]
        kept = [owner for owner in metadata["ownerReferences"] if owner["uid"] != uid]
        rest = {name: value for name, value in metadata.items() if name != "ownerReferences"}
        metadata = {**rest, **({"ownerReferences": kept} if kept else {})}
        world.objects.write(key, {**stored.manifest, "metadata": metadata})
