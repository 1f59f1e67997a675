"""The kinds that the simulated API serves: one table, from which paths and discovery documents are built."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Manifest = dict[str, Any]
VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0+simulated", "platform": "linux/amd64"}


@dataclass(frozen=True, eq=False)  # compared and hashed by identity: each kind has one instance
class Kind:
    """One kind. `generation`: the API server increments metadata.generation; `status`: it has a status subresource."""

    name: str
    plural: str
    group: str = ""
    namespaced: bool = True
    generation: bool = False
    status: bool = False
    short_name: str = ""
    version: str = "v1"
    selectable_fields: tuple[str, ...] = ()
    """Fields for field selectors, in addition to metadata.name and metadata.namespace."""

    @cached_property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def resource(self) -> str:
        """The name in messages and quotas: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified(self) -> str:
        """The name in messages about invalid objects: `Deployment.apps`."""
        return f"{self.name}.{self.group}" if self.group else self.name

    @cached_property
    def json_prefix(self) -> bytes:
        """The beginning of the JSON of an object of this kind."""
        return f'{{"apiVersion":"{self.api_version}","kind":"{self.name}",'.encode()


POD_FIELDS = ("spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase", "status.podIP")
EVENT_FIELDS = (
    *(f"involvedObject.{part}" for part in ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath")),
    *("reason", "type"),
)

KINDS = [
    Kind(
        "Namespace", "namespaces", namespaced=False, status=True, short_name="ns", selectable_fields=("status.phase",)
    ),
    Kind("Node", "nodes", namespaced=False, status=True, short_name="no"),
    Kind("PersistentVolume", "persistentvolumes", namespaced=False, status=True, short_name="pv"),
    Kind("PersistentVolumeClaim", "persistentvolumeclaims", status=True, short_name="pvc"),
    Kind("Pod", "pods", generation=True, status=True, short_name="po", selectable_fields=POD_FIELDS),
    Kind("Event", "events", short_name="ev", selectable_fields=EVENT_FIELDS),
    Kind("Secret", "secrets", selectable_fields=("type",)),
    Kind("ConfigMap", "configmaps", short_name="cm"),
    Kind("Service", "services", status=True, short_name="svc"),
    Kind("ServiceAccount", "serviceaccounts", short_name="sa"),
    Kind("ResourceQuota", "resourcequotas", status=True, short_name="quota"),
    Kind("LimitRange", "limitranges", short_name="limits"),
    Kind("Deployment", "deployments", "apps", generation=True, status=True, short_name="deploy"),
    Kind("StatefulSet", "statefulsets", "apps", generation=True, status=True, short_name="sts"),
    Kind("ReplicaSet", "replicasets", "apps", generation=True, status=True, short_name="rs"),
    Kind("Job", "jobs", "batch", generation=True, status=True, selectable_fields=("status.successful",)),
    Kind("CronJob", "cronjobs", "batch", generation=True, status=True, short_name="cj"),
    Kind("NetworkPolicy", "networkpolicies", "networking.k8s.io", generation=True, short_name="netpol"),
    Kind("Ingress", "ingresses", "networking.k8s.io", generation=True, status=True, short_name="ing"),
    Kind("IngressClass", "ingressclasses", "networking.k8s.io", namespaced=False, generation=True),
    Kind("HTTPRoute", "httproutes", "gateway.networking.k8s.io", generation=True, status=True),
    Kind("Gateway", "gateways", "gateway.networking.k8s.io", generation=True, status=True, short_name="gtw"),
    Kind("Role", "roles", "rbac.authorization.k8s.io"),
    Kind("RoleBinding", "rolebindings", "rbac.authorization.k8s.io"),
    Kind("ClusterRole", "clusterroles", "rbac.authorization.k8s.io", namespaced=False),
    Kind("ClusterRoleBinding", "clusterrolebindings", "rbac.authorization.k8s.io", namespaced=False),
    Kind("StorageClass", "storageclasses", "storage.k8s.io", namespaced=False, short_name="sc"),
    Kind("PodDisruptionBudget", "poddisruptionbudgets", "policy", generation=True, status=True, short_name="pdb"),
    Kind(
        *("ValidatingAdmissionPolicy", "validatingadmissionpolicies", "admissionregistration.k8s.io"),
        namespaced=False,
        generation=True,
        status=True,
    ),
    Kind(
        *("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", "admissionregistration.k8s.io"),
        namespaced=False,
        generation=True,
    ),
]
BY_NAME = {kind.name: kind for kind in KINDS}
BY_PATH = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}
ACCESS_REVIEW = ("authorization.k8s.io", "v1", "selfsubjectaccessreviews")
"""The path of SelfSubjectAccessReview, whose objects aren't stored."""
ALL_CATEGORY = {"Pod", "Service", "Deployment", "StatefulSet", "ReplicaSet", "Job", "CronJob"}
"""The kinds in the category `all` (`kubectl get all`)."""
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

NAMESPACE, POD, CLAIM, VOLUME = (
    BY_NAME[name] for name in ("Namespace", "Pod", "PersistentVolumeClaim", "PersistentVolume")
)
DEPLOYMENT, STATEFULSET, REPLICASET, JOB = (
    BY_NAME[name] for name in ("Deployment", "StatefulSet", "ReplicaSet", "Job")
)
QUOTA, LIMIT_RANGE, SERVICE_ACCOUNT, STORAGE_CLASS, EVENT = (
    BY_NAME[name] for name in ("ResourceQuota", "LimitRange", "ServiceAccount", "StorageClass", "Event")
)
SECRET, CONFIGMAP = BY_NAME["Secret"], BY_NAME["ConfigMap"]


def discovery_document(segments: list[str]) -> Manifest | None:
    """The discovery document at `/api`, `/api/v1`, `/apis`, `/apis/<group>` or `/apis/<group>/<version>`."""
    match segments:
        case ["version"]:
            return {**VERSION}
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in _groups()]}
        case ["apis", name] if name in _groups():
            return {"apiVersion": "v1", **_group(name)}
        case ["api", "v1"]:
            return _resources("")
        case ["apis", name, "v1"] if name in _groups():
            return _resources(name)
        case ["openapi", "v3"]:
            paths = ["api/v1", *(f"apis/{name}/v1" for name in _groups())]
            return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in paths}}
        case ["openapi", "v3", "api", "v1"]:
            return _openapi("")
        case ["openapi", "v3", "apis", name, "v1"] if name in _groups():
            return _openapi(name)
    return None


def _groups() -> list[str]:
    return [*dict.fromkeys(kind.group for kind in KINDS if kind.group), ACCESS_REVIEW[0]]


def _group(name: str) -> Manifest:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"kind": "APIGroup", "name": name, "versions": [version], "preferredVersion": version}


def _resources(group: str) -> Manifest:
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/v1" if group else "v1",
        "resources": list(_entries(group)),
    }


def _entries(group: str) -> Iterator[Manifest]:
    for kind in KINDS:
        if kind.group != group:
            continue
        entry = {"kind": kind.name, "namespaced": kind.namespaced}
        short_name = {"shortNames": [kind.short_name]} if kind.short_name else {}
        common = {"categories": ["all"]} if kind.name in ALL_CATEGORY else {}
        yield {"name": kind.plural, "singularName": kind.name.lower(), **entry, **short_name, **common, "verbs": VERBS}
        if kind.status:
            yield {"name": f"{kind.plural}/status", "singularName": "", **entry, "verbs": ["get", "patch", "update"]}
        if kind.name == "Pod":
            yield {"name": "pods/log", "singularName": "", **entry, "verbs": ["get"]}
    if group == ACCESS_REVIEW[0]:
        name = "SelfSubjectAccessReview"
        yield {"name": ACCESS_REVIEW[2], "singularName": "", "kind": name, "namespaced": False, "verbs": ["create"]}


def _openapi(group: str) -> Manifest:
    """The minimum that kubectl needs before an apply: the server supports the parameter fieldValidation."""
    paths = {}
    for kind in KINDS:
        if kind.group == group:
            root = f"/apis/{group}/v1" if group else "/api/v1"
            name = "/namespaces/{namespace}" if kind.namespaced else ""
            gvk = {"group": group, "version": "v1", "kind": kind.name}
            parameter = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
            patch = {"parameters": [parameter], "responses": {}, "x-kubernetes-group-version-kind": gvk}
            paths[f"{root}{name}/{kind.plural}/{{name}}"] = {"patch": patch}
    return {"openapi": "3.0.0", "info": {"title": "simulated", "version": "v1"}, "paths": paths}
