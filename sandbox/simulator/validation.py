"""Validation: what the API server refuses with 422 on create and update."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from sandbox.simulator.errors import invalid
from sandbox.simulator.kinds import Kind, Manifest
from sandbox.simulator.quantities import parse_quantity

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(rf"{LABEL.pattern}(\.{LABEL.pattern})*")
VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")
DNS_LABEL_NAMES = {"Namespace", "Service"}
"""Kinds whose names are DNS labels; other names are DNS subdomains."""
PATH_SEGMENT_NAMES = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
Causes = Iterator[tuple[str, str]]


def validate_create(kind: Kind, manifest: Manifest) -> None:
    """Raises ApiError 422 with all causes."""
    name = manifest["metadata"]["name"]
    if causes := [*_name(kind, name), *_labels(manifest["metadata"], "metadata"), *_content(kind, manifest)]:
        raise invalid(kind, name, causes)


def validate_update(kind: Kind, before: Manifest, after: Manifest) -> None:
    """Raises ApiError 422 for invalid content or a change of an immutable field."""
    content = [*_labels(after["metadata"], "metadata"), *_content(kind, after)]
    if causes := content or list(_immutable(kind, before, after)):
        raise invalid(kind, after["metadata"]["name"], causes)


def _name(kind: Kind, name: Any) -> Causes:
    short = kind.name in DNS_LABEL_NAMES
    longest = 63 if short else 253
    pattern, word = (LABEL, "label") if short else (SUBDOMAIN, "subdomain")
    if not isinstance(name, str) or len(name) > longest:
        yield "metadata.name", f"Invalid value: must be no more than {longest} characters"
    elif kind.name in PATH_SEGMENT_NAMES:
        if "/" in name or "%" in name or name in (".", ".."):
            yield "metadata.name", f"Invalid value: {name!r}: may not contain '/' or '%'"
    elif not pattern.fullmatch(name):
        yield (
            "metadata.name",
            (
                f'Invalid value: "{name}": a lowercase RFC 1123 {word} must consist of lower case alphanumeric '
                "characters or '-', and must start and end with an alphanumeric character"
            ),
        )


def _labels(metadata: Manifest, path: str) -> Causes:
    for name, value in (metadata.get("labels") or {}).items():
        if not isinstance(value, str) or len(value) > 63 or not VALUE.fullmatch(value):
            yield (
                f"{path}.labels",
                f"Invalid value: {value!r} of {name}: a valid label must be an empty string or "
                "consist of alphanumeric characters, '-', '_' or '.', of 63 characters at most",
            )
    for name, value in (metadata.get("annotations") or {}).items():
        if not isinstance(value, str):
            yield f"{path}.annotations", f"Invalid value: {name} must be a string"


def _content(kind: Kind, manifest: Manifest) -> Causes:
    spec: Any = manifest.get("spec")
    if kind.name in SPEC_REQUIRED and not isinstance(spec, dict):
        yield "spec", "Required value"
        return
    match kind.name:
        case "Pod":
            yield from _pod(spec, "spec", {"Always", "OnFailure", "Never"}, set())
        case "Deployment" | "StatefulSet" | "ReplicaSet":
            yield from _template(spec, {"Always"})
            yield from _selector(spec)
            if not isinstance(spec.get("replicas", 1), int) or spec.get("replicas", 1) < 0:
                yield "spec.replicas", "Invalid value: must be greater than or equal to 0"
        case "Job":
            yield from _template(spec, {"OnFailure", "Never"})
        case "CronJob":
            if not isinstance(spec.get("schedule"), str) or len(spec["schedule"].split()) not in (1, 5):
                yield "spec.schedule", "Invalid value: expected exactly 5 fields"
            inner = (spec.get("jobTemplate") or {}).get("spec") or {}
            for field, why in _template(inner, {"OnFailure", "Never"}):
                yield f"spec.jobTemplate.{field}", why
        case "Service":
            if (
                spec.get("type", "ClusterIP") != "ExternalName"
                and spec.get("clusterIP") != "None"
                and not spec.get("ports")
            ):
                yield "spec.ports", "Required value"
            for port in spec.get("ports") or []:
                if not isinstance(port.get("port"), int) or not 0 < port["port"] < 65536:
                    yield "spec.ports[].port", "Invalid value: must be between 1 and 65535, inclusive"
        case "PersistentVolumeClaim":
            if not spec.get("accessModes"):
                yield "spec.accessModes", "Required value: at least 1 access mode is required"
            if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
                yield "spec.resources[storage]", "Required value"
        case "Ingress":
            if not spec.get("rules") and not spec.get("defaultBackend"):
                yield "spec", "Invalid value: either `defaultBackend` or `rules` must be specified"
        case "ConfigMap" | "Secret":
            yield from _data(kind, manifest.get("data") or {})


SPEC_REQUIRED = {
    *("Pod", "Deployment", "StatefulSet", "ReplicaSet", "Job", "CronJob", "Service", "PersistentVolumeClaim"),
    *("Ingress", "NetworkPolicy", "HTTPRoute"),
}


def _template(spec: Manifest, policies: set[str]) -> Causes:
    template = spec.get("template")
    if not isinstance(template, dict) or not isinstance(template.get("spec"), dict):
        yield "spec.template.spec", "Required value"
        return
    yield from _labels(template.get("metadata") or {}, "spec.template")
    claims = {(claim.get("metadata") or {}).get("name", "") for claim in spec.get("volumeClaimTemplates") or []}
    yield from _pod(template["spec"], "spec.template.spec", policies, claims)


def _selector(spec: Manifest) -> Causes:
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if not spec.get("selector"):
        yield "spec.selector", "Required value"
    elif any(labels.get(name) != value for name, value in wanted.items()):
        yield "spec.template.metadata.labels", "Invalid value: `selector` does not match template `labels`"


def _pod(spec: Manifest, path: str, policies: set[str], claims: set[str]) -> Causes:
    if not spec.get("containers"):
        yield f"{path}.containers", "Required value"
    if (policy := spec.get("restartPolicy", "Always")) not in policies:
        supported = ", ".join(f'"{name}"' for name in sorted(policies))
        yield f"{path}.restartPolicy", f'Unsupported value: "{policy}": supported values: {supported}'
    names = set()
    for list_ in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(list_) or []):
            at = f"{path}.{list_}[{index}]"
            if not container.get("name"):
                yield f"{at}.name", "Required value"
            elif container["name"] in names:
                yield f"{at}.name", f'Duplicate value: "{container["name"]}"'
            names.add(container.get("name"))
            if not container.get("image"):
                yield f"{at}.image", "Required value"
    volumes = {volume.get("name") for volume in spec.get("volumes") or []} | claims
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        for mount in container.get("volumeMounts") or []:
            if mount.get("name") not in volumes:
                yield f"{path}.containers[].volumeMounts[].name", f'Not found: "{mount.get("name")}"'


def _data(kind: Kind, data: Manifest) -> Causes:
    for name, value in data.items():
        if not DATA_KEY.fullmatch(name) or len(name) > 253:
            yield (
                f"data[{name}]",
                "Invalid value: a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            )
        if not isinstance(value, str):
            yield f"data[{name}]", "Invalid value: must be a string"
        elif kind.name == "Secret":
            try:
                base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                yield f"data[{name}]", "Invalid value: illegal base64 data"


def _immutable(kind: Kind, before: Manifest, after: Manifest) -> Causes:
    old, new = before.get("spec") or {}, after.get("spec") or {}
    match kind.name:
        case "Job":
            for field in ("template", "selector", "completions", "completionMode"):
                if old.get(field) != new.get(field):
                    yield f"spec.{field}", "Invalid value: field is immutable"
        case "Deployment" | "ReplicaSet":
            if old["selector"] != new["selector"]:
                yield "spec.selector", "Invalid value: field is immutable"
        case "StatefulSet":
            if {k: v for k, v in old.items() if k not in MUTABLE} != {k: v for k, v in new.items() if k not in MUTABLE}:
                allowed = "', '".join(MUTABLE[:-1])
                yield (
                    "spec",
                    (
                        f"Forbidden: updates to statefulset spec for fields other than '{allowed}' and '{MUTABLE[-1]}' "
                        "are forbidden"
                    ),
                )
        case "PersistentVolumeClaim":
            yield from _claim(before, old, new)
        case "Service":
            if old.get("clusterIP") and old["clusterIP"] != new.get("clusterIP") and new["type"] != "ExternalName":
                yield "spec.clusterIP", "Invalid value: field is immutable"
        case "Pod":
            if _immutable_pod_spec(old) != _immutable_pod_spec(new):
                yield (
                    "spec",
                    (
                        "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
                        "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
                        "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds`"
                    ),
                )
        case "RoleBinding" | "ClusterRoleBinding":
            if before.get("roleRef") != after.get("roleRef"):
                yield "roleRef", "Invalid value: cannot change roleRef"
        case "Secret" | "ConfigMap":
            if before.get("type") != after.get("type"):
                yield "type", "Invalid value: field is immutable"
            if before.get("immutable") and (before.get("data") != after.get("data") or not after.get("immutable")):
                yield "data", "Forbidden: field is immutable when `immutable` is set"


MUTABLE = (
    *("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit"),
    *("persistentVolumeClaimRetentionPolicy", "minReadySeconds"),
)


def _claim(before: Manifest, old: Manifest, new: Manifest) -> Causes:
    """Only the size of a bound claim may change, and only grow."""
    if {**old, "resources": None, "volumeName": None} != {**new, "resources": None, "volumeName": None}:
        yield (
            "spec",
            (
                "Forbidden: spec is immutable after creation except resources.requests and "
                "volumeAttributesClassName for bound claims"
            ),
        )
        return
    had, wants = (
        parse_quantity(old["resources"]["requests"]["storage"]),
        parse_quantity(new["resources"]["requests"]["storage"]),
    )
    if wants < had:
        yield "spec.resources.requests.storage", "Forbidden: field can not be less than status.capacity"
    elif wants > had and (before.get("status") or {}).get("phase") != "Bound":
        yield "spec", "Forbidden: spec is immutable after creation except resources.requests for bound claims"


def _immutable_pod_spec(spec: Manifest) -> Manifest:
    kept = {
        k: v
        for k, v in spec.items()
        if k not in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds")
    }
    for list_ in ("containers", "initContainers"):
        kept[list_] = [{**container, "image": None} for container in spec.get(list_) or []]
    return kept
