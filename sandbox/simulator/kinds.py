"""What kinds of objects the simulated API serves: one table, from which paths and discovery are made."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Manifest = dict[str, Any]
VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0+simulated", "platform": "linux/amd64"}


@dataclass(frozen=True, eq=False)  # compared and hashed by identity: there is one of each
class Kind:
    """One kind; `generation` says whether the API server counts changes of its spec, `status` whether it has one."""

    name: str
    plural: str
    group: str = ""
    namespaced: bool = True
    generation: bool = False
    status: bool = False
    short: str = ""
    version: str = "v1"
    fields: tuple[str, ...] = ()
    """What a field selector may name besides metadata.name and metadata.namespace."""

    @cached_property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def resource(self) -> str:
        """As in messages and quotas: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified(self) -> str:
        """As in messages about invalid objects: `Deployment.apps`."""
        return f"{self.name}.{self.group}" if self.group else self.name

    @cached_property
    def head(self) -> bytes:
        """How the JSON of such an object begins."""
        return f'{{"apiVersion":"{self.api_version}","kind":"{self.name}",'.encode()


POD_FIELDS = ("spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase", "status.podIP")
EVENT_FIELDS = (
    *(f"involvedObject.{part}" for part in ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath")),
    *("reason", "type"),
)

KINDS = [
    Kind("Namespace", "namespaces", namespaced=False, status=True, short="ns", fields=("status.phase",)),
    Kind("Node", "nodes", namespaced=False, status=True, short="no"),
    Kind("PersistentVolume", "persistentvolumes", namespaced=False, status=True, short="pv"),
    Kind("PersistentVolumeClaim", "persistentvolumeclaims", status=True, short="pvc"),
    Kind("Pod", "pods", generation=True, status=True, short="po", fields=POD_FIELDS),
    Kind("Event", "events", short="ev", fields=EVENT_FIELDS),
    Kind("Secret", "secrets", fields=("type",)),
    Kind("ConfigMap", "configmaps", short="cm"),
    Kind("Service", "services", status=True, short="svc"),
    Kind("ServiceAccount", "serviceaccounts", short="sa"),
    Kind("ResourceQuota", "resourcequotas", status=True, short="quota"),
    Kind("LimitRange", "limitranges", short="limits"),
    Kind("Deployment", "deployments", "apps", generation=True, status=True, short="deploy"),
    Kind("StatefulSet", "statefulsets", "apps", generation=True, status=True, short="sts"),
    Kind("ReplicaSet", "replicasets", "apps", generation=True, status=True, short="rs"),
    Kind("Job", "jobs", "batch", generation=True, status=True, fields=("status.successful",)),
    Kind("CronJob", "cronjobs", "batch", generation=True, status=True, short="cj"),
    Kind("NetworkPolicy", "networkpolicies", "networking.k8s.io", generation=True, short="netpol"),
    Kind("Ingress", "ingresses", "networking.k8s.io", generation=True, status=True, short="ing"),
    Kind("IngressClass", "ingressclasses", "networking.k8s.io", namespaced=False, generation=True),
    Kind("HTTPRoute", "httproutes", "gateway.networking.k8s.io", generation=True, status=True),
    Kind("Gateway", "gateways", "gateway.networking.k8s.io", generation=True, status=True, short="gtw"),
    Kind("Role", "roles", "rbac.authorization.k8s.io"),
    Kind("RoleBinding", "rolebindings", "rbac.authorization.k8s.io"),
    Kind("ClusterRole", "clusterroles", "rbac.authorization.k8s.io", namespaced=False),
    Kind("ClusterRoleBinding", "clusterrolebindings", "rbac.authorization.k8s.io", namespaced=False),
    Kind("StorageClass", "storageclasses", "storage.k8s.io", namespaced=False, short="sc"),
    Kind("PodDisruptionBudget", "poddisruptionbudgets", "policy", generation=True, status=True, short="pdb"),
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
REVIEW = ("authorization.k8s.io", "v1", "selfsubjectaccessreviews")
"""The one path that takes objects and keeps none."""
COMMON = {"Pod", "Service", "Deployment", "StatefulSet", "ReplicaSet", "Job", "CronJob"}
"""What `kubectl get all` shows."""
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

NAMESPACE, POD, CLAIM, VOLUME = (
    BY_NAME[name] for name in ("Namespace", "Pod", "PersistentVolumeClaim", "PersistentVolume")
)
DEPLOYMENT, STATEFULSET, REPLICASET, JOB = (
    BY_NAME[name] for name in ("Deployment", "StatefulSet", "ReplicaSet", "Job")
)
QUOTA, LIMITS, ACCOUNT, CLASS, EVENT = (
    BY_NAME[name] for name in ("ResourceQuota", "LimitRange", "ServiceAccount", "StorageClass", "Event")
)
SECRET, CONFIGMAP = BY_NAME["Secret"], BY_NAME["ConfigMap"]


def discover(parts: list[str]) -> Manifest | None:
    """The discovery document at `/api`, `/api/v1`, `/apis`, `/apis/<group>` or `/apis/<group>/<version>`."""
    match parts:
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
    return [*dict.fromkeys(kind.group for kind in KINDS if kind.group), REVIEW[0]]


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
        short = {"shortNames": [kind.short]} if kind.short else {}
        common = {"categories": ["all"]} if kind.name in COMMON else {}
        yield {"name": kind.plural, "singularName": kind.name.lower(), **entry, **short, **common, "verbs": VERBS}
        if kind.status:
            yield {"name": f"{kind.plural}/status", "singularName": "", **entry, "verbs": ["get", "patch", "update"]}
        if kind.name == "Pod":
            yield {"name": "pods/log", "singularName": "", **entry, "verbs": ["get"]}
    if group == REVIEW[0]:
        name = "SelfSubjectAccessReview"
        yield {"name": REVIEW[2], "singularName": "", "kind": name, "namespaced": False, "verbs": ["create"]}


def _openapi(group: str) -> Manifest:
    """No more than kubectl wants to know before it applies: that objects are validated here and not by itself."""
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
