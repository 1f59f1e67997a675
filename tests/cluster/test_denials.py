"""Requests that the workers' service account must not make: RBAC or the admission policy denies each.

The matrix is generated from verbs, resources and namespaces. The administrator makes the same requests, to show that
nothing else denies them, and that they name resources that exist.
"""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cluster.platform import ACCOUNT, NAMESPACE, Platform
from tests.support.cluster_objects import POLICY_NAME
from tests.support.kubernetes_user import KubernetesUser
from tests.support.rendered import of_kind, render
from workers.cluster.api_resources import API_RESOURCES

JSON = dict[str, Any]
STORE_ID = uuid.uuid4()
STORE = f"store-{STORE_ID}"
OTHER_NAMESPACES = ("kube-system", "default", NAMESPACE)
RBAC = "/apis/rbac.authorization.k8s.io/v1"
MERGE = "application/merge-patch+json"
POD: JSON = {"spec": {"containers": [{"name": "a", "image": "storefleet/a:1"}]}}
BINDING = of_kind(render(), "RoleBinding")[0]["metadata"]["name"]
Request = tuple[str, str, JSON | None, str]
"""Method, path, body, media type."""


def _request(method: str, path: str, body: JSON | None = None, media: str = "application/json") -> Request:
    """A request as dry run, so that nothing changes."""
    dry = "" if method == "GET" else "?dryRun=All"
    return method, path + dry, body, media


def _object(kind: str, name: str = "x", **parts: Any) -> JSON:
    return {"apiVersion": API_RESOURCES[kind].api_version, "kind": kind, "metadata": {"name": name}, **parts}


def _matrix() -> Iterator[tuple[str, Request]]:
    for namespace in OTHER_NAMESPACES:
        yield f"read secrets of {namespace}", _request("GET", f"/api/v1/namespaces/{namespace}/secrets")
        yield f"read a secret of {namespace}", _request("GET", f"/api/v1/namespaces/{namespace}/secrets/x")
        yield f"read events of {namespace}", _request("GET", f"/api/v1/namespaces/{namespace}/events")
        for kind in ("Secret", "ConfigMap", "ServiceAccount", "Service", "Pod", "Deployment", "Job", "CronJob", "Role"):
            body = _object(kind, **(POD if kind == "Pod" else {}))
            yield f"make a {kind} in {namespace}", _request("POST", API_RESOURCES[kind].path(namespace), body)
        yield f"read logs of {namespace}", _request("GET", f"/api/v1/namespaces/{namespace}/pods/x/log")
        yield f"delete pods of {namespace}", _request("DELETE", f"/api/v1/namespaces/{namespace}/pods")
        yield (
            f"relabel {namespace}",
            _request("PATCH", f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": {}}}, MERGE),
        )
        for role in ("cluster-admin", "storefleet-store-manager"):
            yield (
                f"bind itself to {role} in {namespace}",
                _request("POST", f"{RBAC}/namespaces/{namespace}/rolebindings", _bind(role)),
            )
        token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token"
        yield f"a token of {namespace}", _request("POST", path, token)
    yield (
        "delete its own namespace",
        _request("DELETE", f"/api/v1/namespaces/{NAMESPACE}"),
    )  # the API server lets no user delete the others
    yield from _in_a_store()
    yield from _in_the_cluster()


def _bind(role: str, account: str = ACCOUNT) -> JSON:
    return _object(
        "RoleBinding",
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
    )


def _in_a_store() -> Iterator[tuple[str, Request]]:
    """Requests in a namespace that the service account manages."""
    core, apps = f"/api/v1/namespaces/{STORE}", f"/apis/apps/v1/namespaces/{STORE}"
    yield "list a store's secrets", _request("GET", f"{core}/secrets")
    yield "watch a store's secrets", _request("GET", f"{core}/secrets?watch=1")
    yield "delete all of a store's secrets", _request("DELETE", f"{core}/secrets")
    for name in ("exec?command=id", "attach", "portforward?ports=80", "proxy/"):
        yield f"{name.partition('?')[0]} in a store's pod", ("GET", f"{core}/pods/web/{name}", None, "application/json")
    yield "make a pod by itself", _request("POST", f"{core}/pods", _object("Pod", **POD))
    yield "delete a store's pod", _request("DELETE", f"{core}/pods/web")
    yield "evict a store's pod", _request("POST", f"{core}/pods/web/eviction", _eviction())
    yield "bind a pod to a node", _request("POST", f"{core}/pods/web/binding", {"apiVersion": "v1", "kind": "Binding"})
    yield "add an ephemeral container", _request("PATCH", f"{core}/pods/web/ephemeralcontainers", {}, MERGE)
    yield "resize a pod", _request("PATCH", f"{core}/pods/web/resize", {}, MERGE)
    yield "a token of a store's account", _request("POST", f"{core}/serviceaccounts/web/token", {})
    yield "delete a store's account", _request("DELETE", f"{core}/serviceaccounts/web")
    yield "delete a store's disk", _request("DELETE", f"{core}/persistentvolumeclaims/database")
    yield "relabel a store's namespace", _request("PATCH", core, {"metadata": {"labels": {"x": "y"}}}, MERGE)
    yield "finalize a store's namespace", _request("PUT", f"{core}/finalize", _object("Namespace", STORE))
    yield "a namespace's status", _request("PATCH", f"{core}/status", {}, MERGE)
    yield "make a role", _request("POST", f"{RBAC}/namespaces/{STORE}/roles", _object("Role"))
    yield "change a role", _request("PATCH", f"{RBAC}/namespaces/{STORE}/roles/x", {}, MERGE)
    bindings = f"{RBAC}/namespaces/{STORE}/rolebindings"
    yield "change its RoleBinding", _request("PATCH", f"{bindings}/{BINDING}", {}, MERGE)
    yield "delete its RoleBinding", _request("DELETE", f"{bindings}/{BINDING}")
    yield "read RoleBindings", _request("GET", bindings)
    for role in ("cluster-admin", "admin", "edit", "storefleet-worker"):
        yield f"bind itself to {role} in a store", _request("POST", bindings, _bind(role))
    yield "bind somebody else in a store", _request("POST", bindings, _bind("storefleet-store-manager", "default"))
    for name in ("deployments/web", "statefulsets/database"):
        yield f"scale {name}", _request("PATCH", f"{apps}/{name}/scale", {"spec": {"replicas": 9}}, MERGE)
        yield f"the status of {name}", _request("PATCH", f"{apps}/{name}/status", {}, MERGE)
    for kind, path in (
        *(("DaemonSet", f"{apps}/daemonsets"), ("ReplicaSet", f"{apps}/replicasets")),
        ("ControllerRevision", f"{apps}/controllerrevisions"),
        *(("Endpoints", f"{core}/endpoints"), ("ReplicationController", f"{core}/replicationcontrollers")),
        ("EndpointSlice", f"/apis/discovery.k8s.io/v1/namespaces/{STORE}/endpointslices"),
        ("Lease", f"/apis/coordination.k8s.io/v1/namespaces/{STORE}/leases"),
        ("PodDisruptionBudget", f"/apis/policy/v1/namespaces/{STORE}/poddisruptionbudgets"),
        ("HorizontalPodAutoscaler", f"/apis/autoscaling/v2/namespaces/{STORE}/horizontalpodautoscalers"),
    ):
        version = path.removeprefix("/apis/").removeprefix("/api/").partition("/namespaces")[0]
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}
        yield f"make a {kind} in a store", _request("POST", path, body)


def _eviction() -> JSON:
    return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web", "namespace": STORE}}


def _in_the_cluster() -> Iterator[tuple[str, Request]]:
    yield "list all secrets", _request("GET", "/api/v1/secrets")
    yield "watch all secrets", _request("GET", "/api/v1/secrets?watch=1")
    yield "make any namespace", _request("POST", "/api/v1/namespaces", _object("Namespace", "mine"))
    yield "delete all namespaces", _request("DELETE", "/api/v1/namespaces?labelSelector=a=b")
    yield "watch nodes", _request("GET", "/api/v1/nodes?watch=1")
    yield "change a node", _request("PATCH", "/api/v1/nodes/fake-0", {"metadata": {"labels": {}}}, MERGE)
    yield "delete a node", _request("DELETE", "/api/v1/nodes/fake-0")
    yield "a kubelet's own API", _request("GET", "/api/v1/nodes/fake-0/proxy/pods")
    yield "list volumes", _request("GET", "/api/v1/persistentvolumes")
    yield "delete a volume", _request("DELETE", "/api/v1/persistentvolumes/x")
    for kind in ("clusterroles", "clusterrolebindings", "roles", "rolebindings"):
        yield f"read {kind}", _request("GET", f"{RBAC}/{kind}")
    yield "escalate a role", _request("PATCH", f"{RBAC}/clusterroles/storefleet-worker", _everything(), MERGE)
    yield (
        "make a role of everything",
        _request("POST", f"{RBAC}/clusterroles", {**_everything(), "metadata": {"name": "x"}}),
    )
    binding = {**_bind("cluster-admin"), "kind": "ClusterRoleBinding"}
    yield "bind itself to cluster-admin", _request("POST", f"{RBAC}/clusterrolebindings", binding)
    admission = "/apis/admissionregistration.k8s.io/v1"
    for name in ("validatingadmissionpolicies", "validatingadmissionpolicybindings"):
        yield f"delete the policy's {name}", _request("DELETE", f"{admission}/{name}/{POLICY_NAME}")
        yield f"change the policy's {name}", _request("PATCH", f"{admission}/{name}/{POLICY_NAME}", {"spec": {}}, MERGE)
    for name in ("validatingwebhookconfigurations", "mutatingwebhookconfigurations"):
        yield f"list {name}", _request("GET", f"{admission}/{name}")
    yield "define kinds", _request("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    yield "serve an API", _request("GET", "/apis/apiregistration.k8s.io/v1/apiservices")
    yield "sign certificates", _request("GET", "/apis/certificates.k8s.io/v1/certificatesigningrequests")
    yield "give priority", _request("GET", "/apis/scheduling.k8s.io/v1/priorityclasses")
    yield "attach volumes", _request("GET", "/apis/storage.k8s.io/v1/volumeattachments")
    yield "shape traffic to the API", _request("GET", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas")
    yield "ask what others may do", _request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", _review())
    yield "check others' tokens", _request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", _token_review())
    yield "read metrics of the API server", _request("GET", "/metrics")
    yield "read its configuration", _request("GET", "/configz")


def _everything() -> JSON:
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": rules}


def _review() -> JSON:
    spec = {"user": "x", "nonResourceAttributes": {"path": "/", "verb": "get"}}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def _token_review() -> JSON:
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "x"}}


MATRIX = dict(_matrix())
IMPERSONATION = {
    "a user": {"Impersonate-User": "admin"},
    "a group": {"Impersonate-User": "admin", "Impersonate-Group": "system:masters"},
    "another account": {"Impersonate-User": "system:serviceaccount:kube-system:namespace-controller"},
    "the store's account": {"Impersonate-User": f"system:serviceaccount:{STORE}:web"},
}


@pytest.fixture(scope="module")
def store(platform: Platform) -> Iterator[None]:
    """A namespace that the service account created and manages."""
    made = render(store_id=STORE_ID)
    binding = next(item for item in made.isolation if item["kind"] == "RoleBinding")

    async def send(who: Path, method: str, path: str, body: JSON | None = None) -> None:
        async with aiohttp.ClientSession() as http:
            status, answer = await KubernetesUser.from_kubeconfig(who).request(http, method, path, body)
        assert status in (200, 201), answer

    asyncio.run(send(platform.account, "POST", "/api/v1/namespaces", made.namespace))
    asyncio.run(send(platform.account, "POST", f"{RBAC}/namespaces/{STORE}/rolebindings", binding))
    yield
    asyncio.run(send(platform.admin, "DELETE", f"/api/v1/namespaces/{STORE}"))


def is_denied(status: int, answer: Any) -> bool:
    """Whether RBAC or the admission policy denied the request."""
    message = str(answer.get("message") if isinstance(answer, dict) else answer)
    by_roles = status == 403 and ("cannot" in message or "attempting to grant" in message)
    return by_roles or (status == 422 and POLICY_NAME in message)


def test_the_matrix_is_large() -> None:
    assert len(MATRIX) + len(IMPERSONATION) >= 100


@pytest.mark.usefixtures("store")
async def test_everything_in_the_matrix_is_refused(platform: Platform, http: aiohttp.ClientSession) -> None:
    account = KubernetesUser.from_kubeconfig(platform.account)
    allowed = {}
    for name, (method, path, body, media) in MATRIX.items():
        answer = await account.request(http, method, path, body, **{"Content-Type": media})
        if not is_denied(*answer):
            allowed[name] = answer
    assert allowed == {}


@pytest.mark.usefixtures("store")
async def test_nothing_else_would_have_refused_it(platform: Platform, http: aiohttp.ClientSession) -> None:
    """The administrator is allowed everything, so each denial is about the service account."""
    admin = KubernetesUser.from_kubeconfig(platform.admin)
    for name, (method, path, body, media) in MATRIX.items():
        if "watch=1" in path:
            continue  # a watch doesn't end
        status, answer = await admin.request(http, method, path, body, **{"Content-Type": media})
        assert not is_denied(status, answer), (name, answer)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("headers", IMPERSONATION.values(), ids=IMPERSONATION)
async def test_impersonation_is_denied(
    platform: Platform, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    account = KubernetesUser.from_kubeconfig(platform.account)
    status, answer = await account.request(http, "GET", "/api/v1/namespaces", **headers)
    assert is_denied(status, answer), answer
    assert "impersonate" in answer["message"]
