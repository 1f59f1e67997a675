"""Create, update and delete with defaulting, validation and admission; for requests and controllers."""

import uuid
from typing import Any

from sandbox.simulator import quota
from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.defaults import INITIAL_STATUS, apply_defaults, encode_string_data, random_suffix
from sandbox.simulator.errors import already_exists, bad_request, conflict, forbidden, invalid, modified, not_found
from sandbox.simulator.kinds import (
    CLAIM,
    DEPLOYMENT,
    NAMESPACE,
    POD,
    SECRET,
    SERVICE_ACCOUNT,
    STORAGE_CLASS,
    VOLUME,
    Kind,
    Manifest,
)
from sandbox.simulator.objects import Key, StoredObject, encode
from sandbox.simulator.quantities import parse_quantity
from sandbox.simulator.statuses import timestamp
from sandbox.simulator.validation import validate_create, validate_update

CLIENT_METADATA = ("name", "generateName", "labels", "annotations", "finalizers", "ownerReferences")
"""The metadata that clients set; the server sets the rest."""
FOREGROUND = "foregroundDeletion"
PROTECTION_FINALIZERS = {CLAIM: "kubernetes.io/pvc-protection", VOLUME: "kubernetes.io/pv-protection"}
DEFAULT_CLASS_ANNOTATION = "storageclass.kubernetes.io/is-default-class"


def create(
    cluster: ClusterState,
    kind: Kind,
    namespace: str,
    manifest: Manifest,
    *,
    last_applied: dict[str, Manifest] | None = None,
    dry_run: bool = False,
) -> StoredObject:
    """Create an object. Raises ApiError 400, 403, 404 without the namespace, 409, 422."""
    manifest = _validated(kind, namespace, manifest)
    metadata = {name: manifest["metadata"][name] for name in CLIENT_METADATA if manifest["metadata"].get(name)}
    if not metadata.get("name"):
        if not metadata.get("generateName"):
            raise invalid(kind, "", [("metadata.name", "Required value: name or generateName is required")])
        metadata["name"] = metadata["generateName"] + random_suffix()
    name = metadata["name"]
    if kind.namespaced:
        metadata["namespace"] = namespace
        if cluster.objects.manifest(NAMESPACE, "", namespace) is None:
            raise not_found(NAMESPACE, namespace)
        if quota.is_terminating(cluster.objects, namespace):
            message = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise forbidden(kind, name, message, cause="NamespaceTerminating")
    key = Key(kind, namespace, name)
    if isinstance(name, str) and cluster.objects.find(key) is not None:
        raise already_exists(kind, name)
    metadata.update(uid=str(uuid.uuid4()), creationTimestamp=timestamp())
    if kind.generation:
        metadata["generation"] = 1
    if kind in PROTECTION_FINALIZERS:
        metadata["finalizers"] = [*metadata.get("finalizers", ()), PROTECTION_FINALIZERS[kind]]
    created = {name: value for name, value in manifest.items() if name != "status"} | {"metadata": metadata}
    validate_create(kind, created)
    created = apply_defaults(kind, created)
    if kind.status:
        created["status"] = INITIAL_STATUS.get(kind.name, {})
    if kind is POD:
        _require_service_account(cluster, created)
        created = quota.apply_limit_ranges(cluster.objects, namespace, created)
    elif kind is CLAIM:
        created = _with_default_storage_class(cluster, created)
    quota.admit(cluster, kind, created, None)
    return encode(kind, created, {}) if dry_run else cluster.objects.put(key, created, last_applied or {})


def update(
    cluster: ClusterState,
    key: Key,
    wanted: Manifest,
    *,
    subresource: str = "",
    last_applied: dict[str, Manifest] | None = None,
) -> StoredObject:
    """Replace an object except its status (`subresource` ""), or only its status; without a change the version stays.

    Raises ApiError 400, 403, 404, 409 when `wanted` has another version or uid, 422.
    """
    stored = cluster.objects.get(key)
    before = stored.manifest
    kind, old = key.kind, before["metadata"]
    wanted = _validated(kind, key.namespace, wanted)
    requested: Manifest = wanted["metadata"]
    if requested.get("name", key.name) != key.name:
        raise bad_request(
            f"the name of the object ({requested['name']}) does not match the name on the URL ({key.name})"
        )
    if requested.get("resourceVersion") not in (None, "", old["resourceVersion"]):
        raise modified(kind, key.name)
    if requested.get("uid") not in (None, "", old["uid"]):
        raise conflict(
            kind,
            key.name,
            f"Precondition failed: UID in precondition: {requested['uid']}, UID in object meta: {old['uid']}",
        )
    if subresource == "status":
        after = {**before, "status": wanted.get("status") or {}}
    else:
        kept = {name: value for name, value in old.items() if name not in CLIENT_METADATA[2:]}
        metadata = {**kept, **{name: requested[name] for name in CLIENT_METADATA[2:] if requested.get(name)}}
        after = {"apiVersion": kind.api_version, "kind": kind.name, **wanted, "metadata": metadata}
        if kind.status:
            after["status"] = before.get("status") or {}
        if kind is NAMESPACE and subresource != "finalize":
            after["spec"] = before["spec"]
        after = apply_defaults(kind, _keep_server_fields(kind, before, after))
        validate_update(kind, before, after)
        if kind.generation and _desired_state(kind, before) != _desired_state(kind, after):
            metadata["generation"] = old["generation"] + 1
        quota.admit(cluster, kind, after, before)
        if kind is CLAIM:
            _require_expandable(cluster, before, after)
    if after == before and last_applied in (None, stored.last_applied):
        return stored
    return write_or_remove(cluster, key, after, last_applied)


def _require_expandable(cluster: ClusterState, before: Manifest, after: Manifest) -> None:
    """Raises ApiError 403 for a claim that grows in a StorageClass without allowVolumeExpansion."""
    had, wants = (parse_quantity(claim["spec"]["resources"]["requests"]["storage"]) for claim in (before, after))
    storage_class = cluster.objects.manifest(STORAGE_CLASS, "", after["spec"].get("storageClassName", "")) or {}
    if wants > had and not storage_class.get("allowVolumeExpansion"):
        raise forbidden(
            CLAIM,
            after["metadata"]["name"],
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support "
            "resize",
        )


def _desired_state(kind: Kind, manifest: Manifest) -> Manifest:
    """What increments metadata.generation: the spec, and the annotations of a Deployment."""
    annotations = manifest["metadata"].get("annotations") if kind is DEPLOYMENT else None
    return {**manifest, "status": None, "metadata": annotations}


def set_status(cluster: ClusterState, key: Key, before: Manifest, status: Manifest) -> Manifest:
    """Write the status if it changed. Returns the current manifest."""
    if before.get("status") == status:
        return before
    return cluster.objects.put(key, {**before, "status": status}).manifest


def write_or_remove(
    cluster: ClusterState, key: Key, manifest: Manifest, last_applied: dict[str, Manifest] | None = None
) -> StoredObject:
    """Write the object, or remove it when it is being deleted and has no finalizers."""
    metadata = manifest["metadata"]
    finalizers = metadata.get("finalizers") or (manifest.get("spec") or {}).get("finalizers")
    if "deletionTimestamp" in metadata and not finalizers and not metadata.get("deletionGracePeriodSeconds"):
        return cluster.objects.remove(key)
    return cluster.objects.put(key, manifest, last_applied)


def delete(
    cluster: ClusterState,
    key: Key,
    *,
    preconditions: dict[str, Any] | None = None,
    propagation: str | None = None,
    grace: int | None = None,
) -> StoredObject:
    """Mark an object as being deleted, or remove it when it has no finalizers. Raises ApiError 404, 409."""
    stored = cluster.objects.get(key)
    manifest, metadata = stored.manifest, stored.manifest["metadata"]
    for name, value in (preconditions or {}).items():
        if value and metadata[name] != value:
            label = "UID" if name == "uid" else "ResourceVersion"
            message = f"Precondition failed: {label} in precondition: {value}, {label} in object meta: {metadata[name]}"
            raise conflict(key.kind, key.name, message)
    if propagation == "Orphan" or (propagation is None and key.kind.name == "Job"):  # the default of the real API, too
        _orphan_dependents(cluster, metadata["uid"])
    finalizers = list(metadata.get("finalizers") or ())
    if propagation == "Foreground" and FOREGROUND not in finalizers and cluster.objects.dependents(metadata["uid"]):
        finalizers.append(FOREGROUND)
    seconds = _grace_seconds(key.kind, manifest, grace)
    if "deletionTimestamp" in metadata:
        if finalizers == (metadata.get("finalizers") or []) and seconds >= metadata["deletionGracePeriodSeconds"]:
            return stored
        marked = {**metadata, "deletionGracePeriodSeconds": min(seconds, metadata["deletionGracePeriodSeconds"])}
    else:
        marked = {**metadata, "deletionTimestamp": timestamp(seconds), "deletionGracePeriodSeconds": seconds}
        if key.kind.generation:
            marked["generation"] = metadata["generation"] + 1
    if finalizers:
        marked["finalizers"] = finalizers
    deleted = {**manifest, "metadata": marked}
    if key.kind is NAMESPACE:
        deleted["status"] = {**manifest["status"], "phase": "Terminating"}
    return write_or_remove(cluster, key, deleted)


def remove_finalizer(cluster: ClusterState, key: Key, manifest: Manifest, finalizer: str) -> None:
    """Remove that finalizer."""
    metadata = manifest["metadata"]
    kept = [name for name in metadata.get("finalizers") or () if name != finalizer]
    rest = {name: value for name, value in metadata.items() if name != "finalizers"}
    write_or_remove(cluster, key, {**manifest, "metadata": {**rest, **({"finalizers": kept} if kept else {})}})


def _validated(kind: Kind, namespace: str, manifest: Any) -> Manifest:
    """The manifest. Raises ApiError 400 when it has another kind or namespace."""
    if not isinstance(manifest, dict) or not isinstance(manifest.get("metadata"), dict):
        raise bad_request("the object provided is unrecognized: it needs metadata")
    requested = (manifest.get("apiVersion", kind.api_version), manifest.get("kind", kind.name))
    if requested != (kind.api_version, kind.name):
        raise bad_request(
            f"the API version in the data ({requested[0]}, Kind={requested[1]}) does not match the expected "
            f"API version ({kind.api_version}, Kind={kind.name})"
        )
    if kind.namespaced and manifest["metadata"].get("namespace") not in (None, "", namespace):
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    return encode_string_data(manifest) if kind is SECRET else manifest


def _keep_server_fields(kind: Kind, before: Manifest, after: Manifest) -> Manifest:
    """Keep fields that the server assigned and that a replacement leaves out."""
    if kind.name == "Service" and not (after.get("spec") or {}).get("clusterIP"):
        after["spec"] = {**(after.get("spec") or {}), "clusterIP": before["spec"].get("clusterIP")}
    if kind is CLAIM and isinstance(after.get("spec"), dict):
        chosen = {name: before["spec"][name] for name in ("storageClassName", "volumeName") if name in before["spec"]}
        after["spec"] = {**chosen, **after["spec"]}
    return after


def _require_service_account(cluster: ClusterState, pod: Manifest) -> None:
    """Raises ApiError 403 without the ServiceAccount: a pod needs it at creation."""
    namespace, account = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]
    if cluster.objects.manifest(SERVICE_ACCOUNT, namespace, account) is None:
        message = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
        raise forbidden(POD, pod["metadata"]["name"], message)


def _with_default_storage_class(cluster: ClusterState, claim: Manifest) -> Manifest:
    if "storageClassName" in claim["spec"]:
        return claim
    for key, stored in cluster.objects.in_namespace(STORAGE_CLASS, ""):
        if (stored.manifest["metadata"].get("annotations") or {}).get(DEFAULT_CLASS_ANNOTATION) == "true":
            return {**claim, "spec": {**claim["spec"], "storageClassName": key.name}}
    return claim


def _grace_seconds(kind: Kind, manifest: Manifest, grace: int | None) -> int:
    """The grace period in seconds; 0 for other kinds and for pods that never started or have finished."""
    started = bool(manifest.get("spec", {}).get("nodeName"))
    if kind is not POD or not started or manifest["status"].get("phase") in ("Succeeded", "Failed"):
        return 0
    return int(manifest["spec"]["terminationGracePeriodSeconds"]) if grace is None else grace


def _orphan_dependents(cluster: ClusterState, uid: str) -> None:
    for key, stored in cluster.objects.dependents(uid):
        metadata = stored.manifest["metadata"]
        kept = [owner for owner in metadata["ownerReferences"] if owner["uid"] != uid]
        rest = {name: value for name, value in metadata.items() if name != "ownerReferences"}
        metadata = {**rest, **({"ownerReferences": kept} if kept else {})}
        cluster.objects.put(key, {**stored.manifest, "metadata": metadata})
