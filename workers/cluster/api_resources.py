"""The API resource of each kind: its API version, and its plural name in URLs and RBAC rules."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ApiResource:
    """`api_version`: as in manifests. `plural`: as in URLs and RBAC rules."""

    api_version: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    def path(self, namespace: str | None) -> str:
        """The path of the collection in a namespace, or in all namespaces if None."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace is not None else ""
        return f"{root}{scope}/{self.plural}"


API_RESOURCES = {
    "Namespace": ApiResource("v1", "namespaces", namespaced=False),
    "Node": ApiResource("v1", "nodes", namespaced=False),
    "PersistentVolume": ApiResource("v1", "persistentvolumes", namespaced=False),
    "PersistentVolumeClaim": ApiResource("v1", "persistentvolumeclaims"),
    "Pod": ApiResource("v1", "pods"),
    "Event": ApiResource("v1", "events"),
    "Secret": ApiResource("v1", "secrets"),
    "ConfigMap": ApiResource("v1", "configmaps"),
    "Service": ApiResource("v1", "services"),
    "ServiceAccount": ApiResource("v1", "serviceaccounts"),
    "ResourceQuota": ApiResource("v1", "resourcequotas"),
    "LimitRange": ApiResource("v1", "limitranges"),
    "Deployment": ApiResource("apps/v1", "deployments"),
    "StatefulSet": ApiResource("apps/v1", "statefulsets"),
    "Job": ApiResource("batch/v1", "jobs"),
    "CronJob": ApiResource("batch/v1", "cronjobs"),
    "NetworkPolicy": ApiResource("networking.k8s.io/v1", "networkpolicies"),
    "Ingress": ApiResource("networking.k8s.io/v1", "ingresses"),
    "IngressClass": ApiResource("networking.k8s.io/v1", "ingressclasses", namespaced=False),
    "HTTPRoute": ApiResource("gateway.networking.k8s.io/v1", "httproutes"),
    "Role": ApiResource("rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ApiResource("rbac.authorization.k8s.io/v1", "rolebindings"),
    "StorageClass": ApiResource("storage.k8s.io/v1", "storageclasses", namespaced=False),
}
