"""The admission policy, rule by rule, on a real API server: our engines' objects pass; each violation is denied."""

import asyncio
import copy
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import aiohttp
import pytest

from tests.cluster.platform import NAMESPACE, Platform, chart_files
from tests.contract.objects import eventually
from tests.support.cluster_objects import POLICY_NAME
from tests.support.kubernetes_user import KubernetesUser
from tests.support.rendered import get_object, objects, of_kind, profile, render
from workers import apply
from workers.cluster.api_resources import API_RESOURCES
from workers.cluster.client import connect

JSON = dict[str, Any]
Change = Callable[[JSON], object]
STORE_ID = uuid.uuid4()
MADE = render(store_id=STORE_ID)
STORE = MADE.namespace["metadata"]["name"]
BINDING = of_kind(MADE, "RoleBinding")[0]["metadata"]["name"]
DOMAIN = "shops.example.com"
HOST = f"fig-olive.{DOMAIN}"
TLS = ({"cluster_issuer": "letsencrypt"}, {"wildcard_certificate": "default"}, {"wildcard_certificate": "edge/all"})


@pytest.fixture(scope="module", autouse=True)
def store(platform: Platform) -> Iterator[None]:
    """A store's namespace, created by the service account."""

    async def make() -> None:
        async with connect(platform.account) as cluster:
            await cluster.create(MADE.namespace)
            await cluster.create(of_kind(MADE, "RoleBinding")[0])
            await eventually(partial(cluster.is_allowed, "patch", "services", "", STORE), bool)

    async def remove() -> None:
        async with connect(platform.admin) as cluster:
            await cluster.delete("Namespace", STORE)

    asyncio.run(make())
    yield
    asyncio.run(remove())


async def dry_run(platform: Platform, http: aiohttp.ClientSession, item: JSON, verb: str = "apply") -> tuple[int, str]:
    """Dry run of an apply (or create) as the service account. Returns the status and the message."""
    path = API_RESOURCES[item["kind"]].path(item["metadata"].get("namespace"))
    account = KubernetesUser.from_kubeconfig(platform.account)
    if verb == "create":
        status, answer = await account.request(http, "POST", f"{path}?dryRun=All", item)
    else:
        query = "fieldManager=storefleet&force=true&dryRun=All"
        url, media = f"{path}/{item['metadata']['name']}?{query}", {"Content-Type": "application/apply-patch+yaml"}
        status, answer = await account.request(http, "PATCH", url, item, **media)
    return status, str(answer.get("message", ""))


@pytest.mark.parametrize(("plan", "changes"), [("small", {}), ("large", {}), *(("small", tls) for tls in TLS)])
async def test_all_that_an_engine_renders_passes(
    platform: Platform, http: aiohttp.ClientSession, plan: str, changes: dict[str, str]
) -> None:
    made = render(store_id=STORE_ID, plan=plan, cluster=profile(**changes))
    assert bool(changes) == ("tls" in get_object(made, *INGRESS)["spec"])
    for item in objects(made)[1:]:
        if item["kind"] == "RoleBinding":
            continue
        if item["kind"] == "Job":
            status, message = await dry_run(
                platform, http, apply.job_for_attempt(item, f"{item['metadata']['name']}-1", 1), "create"
            )
        else:
            status, message = await dry_run(platform, http, item)
        assert status in (200, 201), (item["kind"], item["metadata"]["name"], message)


def pod_of(item: JSON) -> JSON:
    spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
    pod: JSON = spec["template"]["spec"]
    return pod


def container(item: JSON) -> JSON:
    first: JSON = pod_of(item)["containers"][0]
    return first


def modified(kind: str, name: str, change: Change) -> JSON:
    item = copy.deepcopy(get_object(MADE, kind, name))
    change(item)
    return item


def image(name: str) -> Change:
    return lambda item: container(item).update(image=name)


def pod(**parts: Any) -> Change:
    return lambda item: pod_of(item).update(parts)


def security_context(**parts: Any) -> Change:
    return lambda item: container(item)["securityContext"].update(parts)


def volume(**source: Any) -> Change:
    return lambda item: pod_of(item)["volumes"].append({"name": "extra", **source})


def spec(**parts: Any) -> Change:
    return lambda item: item["spec"].update(parts)


def rule(host: str | None) -> list[JSON]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    http = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    return [{**http, "host": host} if host is not None else http]


def annotated(name: str, value: str = "bank.example") -> Change:
    return lambda item: item["metadata"]["annotations"].update({name: value})


def init(**parts: Any) -> Change:
    def change(item: JSON) -> None:
        fields = container(item).items()
        plain = {key: value for key, value in fields if key != "lifecycle" and not key.endswith("Probe")}
        pod_of(item)["initContainers"] = [copy.deepcopy({**plain, "name": "init", **parts})]

    return change


def token_secret(item: JSON) -> None:
    item["type"] = "kubernetes.io/service-account-token"
    item["metadata"]["annotations"] = {"kubernetes.io/service-account.name": "web"}


IMAGES, PATHS = "not from an allowed registry", "never paths of the host or tokens"
HOSTS, UNPRIVILEGED, TOKENS = "nothing of the host's", "unprivileged", "no token of a service account"
TYPES, ADDRESS = "Services are of the type ClusterIP", "only the host that its namespace"
OWN = "brings no configuration"
WEB, DATABASE, CRON = ("Deployment", "web"), ("StatefulSet", "database"), ("CronJob", "cron")
INGRESS, SERVICE = ("Ingress", "web"), ("Service", "web")
LOOKALIKES = (
    *("storefleet-evil/x:1", "evil.example/storefleet/x:1", "mysqlx:1", "mysql", "xstorefleet/y:1"),
    "mysql@sha256:" + "a" * 64,  # a digest without a tag could be of another registry
)
ANNOTATIONS = (
    *("nginx.ingress.kubernetes.io/server-snippet", "nginx.ingress.kubernetes.io/backend-protocol", "example.com/x"),
    *("cert-manager.io/alt-names", "cert-manager.io/common-name", "cert-manager.io/issuer"),
)
REFUSED: list[tuple[tuple[str, str], Change, str]] = [
    *((workload, image("evil/x:1"), IMAGES) for workload in (WEB, DATABASE, CRON)),
    *((WEB, image(name), IMAGES) for name in LOOKALIKES),
    (WEB, init(image="evil/x:1"), IMAGES),
    *((workload, volume(hostPath={"path": "/"}), PATHS) for workload in (WEB, DATABASE, CRON)),
    (WEB, volume(projected={"sources": [{"serviceAccountToken": {"path": "token"}}]}), PATHS),
    (WEB, volume(nfs={"server": "192.0.2.1", "path": "/"}), PATHS),
    (WEB, volume(csi={"driver": "evil"}), PATHS),
    (WEB, volume(secret={"secretName": "admin"}), PATHS),
    *((WEB, pod(**{name: True}), HOSTS) for name in ("hostNetwork", "hostPID", "hostIPC")),
    (WEB, lambda item: container(item)["ports"][0].update(hostPort=80), HOSTS),
    (WEB, security_context(privileged=True, allowPrivilegeEscalation=True), UNPRIVILEGED),
    (WEB, security_context(allowPrivilegeEscalation=True), UNPRIVILEGED),
    (WEB, security_context(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}), UNPRIVILEGED),
    (CRON, lambda item: container(item).pop("securityContext"), UNPRIVILEGED),
    (WEB, init(securityContext={"privileged": True}), UNPRIVILEGED),
    (WEB, pod(automountServiceAccountToken=True), TOKENS),
    (CRON, lambda item: pod_of(item).pop("automountServiceAccountToken"), TOKENS),
    (WEB, pod(nodeName="fake-0"), "choose neither their node"),
    (WEB, pod(priorityClassName="system-cluster-critical"), "nor their priority"),
    (SERVICE, spec(type="NodePort"), TYPES),
    (SERVICE, spec(type="LoadBalancer"), TYPES),
    (SERVICE, lambda item: item.update(spec={"type": "ExternalName", "externalName": "kubernetes.default.svc"}), TYPES),
    (SERVICE, spec(externalIPs=["192.0.2.1"]), TYPES),
    *((INGRESS, spec(rules=rule(host)), ADDRESS) for host in (f"other.{DOMAIN}", f"*.{DOMAIN}", None)),
    (INGRESS, spec(rules=[*rule(HOST), *rule("bank.example")]), ADDRESS),
    (INGRESS, spec(tls=[{"hosts": ["bank.example"], "secretName": "x"}]), ADDRESS),
    (INGRESS, spec(tls=[{"secretName": "x"}]), ADDRESS),
    *((INGRESS, spec(tls=[{"hosts": hosts}]), ADDRESS) for hosts in ([], [HOST, "bank.example"], [f"*.{DOMAIN}"])),
    (INGRESS, spec(defaultBackend={"service": {"name": "web", "port": {"number": 80}}}), ADDRESS),
    *((INGRESS, annotated(name), OWN) for name in ANNOTATIONS),
    (("Secret", "admin"), token_secret, "never tokens"),
    (("Secret", "admin"), lambda item: item.update(type="example.com/other"), "never tokens"),
    (("ServiceAccount", "web"), lambda item: item.update(automountServiceAccountToken=True), "give no token to pods"),
    (("PersistentVolumeClaim", "database"), spec(volumeName="pvc-of-another-store"), "asks for a new volume"),
    (("PersistentVolumeClaim", "database"), spec(selector={"matchLabels": {"a": "b"}}), "asks for a new volume"),
    (
        ("PersistentVolumeClaim", "database"),
        spec(dataSource={"kind": "PersistentVolumeClaim", "name": "other"}),
        "asks for a new volume",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "change", "reason"), REFUSED, ids=[f"{p[1]}-{w}-{n}" for n, (p, _, w) in enumerate(REFUSED)]
)
async def test_what_a_rule_is_for_is_refused(
    platform: Platform, http: aiohttp.ClientSession, target: tuple[str, str], change: Change, reason: str
) -> None:
    item = modified(*target, change)
    status, message = await dry_run(platform, http, item)
    assert status == 422, message
    assert POLICY_NAME in message
    assert reason in message


async def test_foreign_annotations_of_an_ingress_may_stay(platform: Platform, http: aiohttp.ClientSession) -> None:
    admin, name = KubernetesUser.from_kubeconfig(platform.admin), ANNOTATIONS[0]
    path = API_RESOURCES["Ingress"].path(STORE)
    assert (await admin.request(http, "POST", path, modified(*INGRESS, annotated(name))))[0] == 201
    status, message = await dry_run(platform, http, get_object(MADE, *INGRESS))
    assert status == 200, message
    status, message = await dry_run(platform, http, modified(*INGRESS, annotated(name, "other")))
    assert (status, OWN in message) == (422, True), message
    assert (await admin.request(http, "DELETE", f"{path}/web"))[0] == 200


async def test_images_by_digest_and_of_our_registry_pass(platform: Platform, http: aiohttp.ClientSession) -> None:
    for name in (f"storefleet/x@sha256:{'a' * 64}", "mysql:8.4", f"mariadb:11@sha256:{'a' * 64}"):
        status, message = await dry_run(platform, http, modified(*WEB, image(name)))
        assert status in (200, 201), message


def namespace(name: str | None = None, **changes: Any) -> JSON:
    """A store's namespace with other labels or annotations; None removes one."""
    other = render(store_id=uuid.uuid4()).namespace
    metadata = copy.deepcopy(other["metadata"])
    for part, values in changes.items():
        if part in ("labels", "annotations"):
            metadata[part] = {key: value for key, value in {**metadata[part], **values}.items() if value is not None}
        else:
            metadata[part] = values
    return {**other, "metadata": {**metadata, **({"name": name} if name else {})}}


NAMESPACES: list[tuple[JSON, str]] = [
    (namespace("mine"), "only the namespaces of stores"),
    (namespace("kube-flux"), "only the namespaces of stores"),
    (namespace("store-1"), "only the namespaces of stores"),
    (namespace(f"store-{uuid.uuid4()}"), "only the namespaces of stores"),
    (namespace(f"xstore-{uuid.uuid4()}"), "only the namespaces of stores"),
    (namespace(labels={"app.kubernetes.io/managed-by": "helm"}), "only the namespaces of stores"),
    (namespace(labels={"storefleet.dev/store": None}), "only the namespaces of stores"),
    *(
        (namespace(labels={f"pod-security.kubernetes.io/{mode}": level}), "Pod Security Standard restricted")
        for mode, level in (("enforce", "privileged"), ("enforce", None), ("audit", "baseline"), ("warn", None))
    ),
    (namespace(annotations={"storefleet.dev/host": None}), "names its host"),
    (namespace(finalizers=["example.com/hold"]), "nothing holds it"),
]


@pytest.mark.parametrize(("item", "reason"), NAMESPACES, ids=[str(n) for n in range(len(NAMESPACES))])
async def test_only_namespaces_of_stores_are_made(
    platform: Platform, http: aiohttp.ClientSession, item: JSON, reason: str
) -> None:
    status, message = await dry_run(platform, http, item, "create")
    assert (status, POLICY_NAME in message, reason in message) == (422, True, True), message


async def test_namespaces_of_stores_are_made_and_removed(platform: Platform, http: aiohttp.ClientSession) -> None:
    assert (await dry_run(platform, http, namespace(), "create"))[0] == 201
    account = KubernetesUser.from_kubeconfig(platform.account)
    assert (await account.request(http, "DELETE", f"/api/v1/namespaces/{STORE}?dryRun=All"))[0] == 200
    tampered = f"contract-{uuid.uuid4().hex[:8]}"
    admin = KubernetesUser.from_kubeconfig(platform.admin)
    labelled = {"labels": {"app.kubernetes.io/managed-by": "storefleet", "storefleet.dev/store": tampered}}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": tampered, **labelled}}
    assert (await admin.request(http, "POST", "/api/v1/namespaces", body))[0] == 201
    for name in (tampered, NAMESPACE, "kube-node-lease"):
        status, answer = await account.request(http, "DELETE", f"/api/v1/namespaces/{name}?dryRun=All")
        assert (status, "only the namespaces of stores" in answer["message"]) == (422, True), answer
    await admin.request(http, "DELETE", f"/api/v1/namespaces/{tampered}")


@pytest.mark.parametrize(
    "change",
    [
        lambda item: item["roleRef"].update(name="storefleet-worker"),
        lambda item: item["roleRef"].update(kind="Role"),
        lambda item: item.update(subjects=[]),
        lambda item: item["subjects"].append({"kind": "ServiceAccount", "name": "default", "namespace": "default"}),
        lambda item: item["subjects"][0].update(name="default"),
        lambda item: item.update(subjects=[{"kind": "Group", "name": "system:authenticated"}]),
    ],
)
async def test_a_role_binding_is_for_the_account_alone(
    platform: Platform, http: aiohttp.ClientSession, change: Change
) -> None:
    item = modified("RoleBinding", BINDING, change)
    item["metadata"]["name"] = "other"
    status, message = await dry_run(platform, http, item, "create")
    assert status in (403, 404, 422), message
    good = modified("RoleBinding", BINDING, lambda item: item["metadata"].update(name="other"))
    assert (await dry_run(platform, http, good, "create"))[0] == 201


async def test_it_does_not_affect_other_users(platform: Platform, http: aiohttp.ClientSession) -> None:
    admin = KubernetesUser.from_kubeconfig(platform.admin)
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"free-{uuid.uuid4().hex[:8]}"}}
    assert (await admin.request(http, "POST", "/api/v1/namespaces?dryRun=All", body))[0] == 201


def test_it_is_closed_when_it_fails_and_covers_deletion() -> None:
    [policy] = [item for item in chart_files() if item["kind"] == "ValidatingAdmissionPolicy"]
    assert policy["spec"]["failurePolicy"] == "Fail"
    [operations] = [row["operations"] for row in policy["spec"]["matchConstraints"]["resourceRules"]]
    assert set(operations) == {"CREATE", "UPDATE", "DELETE"}
    [binding] = [item for item in chart_files() if item["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert binding["spec"]["validationActions"] == ["Deny"]
