"""The chart on a real API server of its own: every scenario is deployed, and keys outlive the release.

The namespace enforces the Pod Security Standard `restricted`. Pods are simulated: tests/node runs them.
"""

import json
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from runtime.settings import ClusterProfile
from sandbox.kubernetes.__main__ import ClusterOptions, running_cluster
from tests.support.chart import CHART, SCENARIOS
from tests.support.harness import run_harness
from tests.support.helm import Helm, HelmError
from tests.support.kubernetes_server import Server

JSON = dict[str, Any]
WAIT = ("--wait", "--wait-for-jobs", "--timeout", "2m")
CUSTOM_RESOURCES = {
    "gateway.networking.k8s.io": ("v1", "HTTPRoute"),
    "monitoring.coreos.com": ("v1", "PodMonitor", "PrometheusRule"),
}
"""By group: the version, and kinds whose schemas a cluster gets from elsewhere."""


@pytest.fixture(scope="module", name="helm")
def helm_with_a_cluster(helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helm]:
    """Helm with a cluster of its own: there is one installation in a cluster, and other tests have theirs."""
    interrupt = signal.getsignal(signal.SIGINT)
    with running_cluster(tmp_path_factory.mktemp("cluster"), ClusterOptions(nodes=2)) as cluster:
        server = Server(cluster.kubeconfig)
        for group, (version, *kinds) in CUSTOM_RESOURCES.items():
            for kind in kinds:
                server.define(group, version, kind)
        yield replace(helm, kubeconfig=cluster.kubeconfig)
    signal.signal(signal.SIGINT, interrupt)  # a stopping cluster ignores it, and children of later tests would, too


@pytest.fixture
def server(helm: Helm) -> Server:
    assert helm.kubeconfig is not None
    return Server(helm.kubeconfig)


def status(helm: Helm, name: str, namespace: str) -> str:
    found: str = json.loads(helm.run("status", name, "--namespace", namespace, "--output", "json"))["info"]["status"]
    return found


def files(scenario: str) -> list[str]:
    return [word for file in SCENARIOS[scenario] for word in ("--values", str(file))]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_is_deployed_tested_and_removed(helm: Helm, server: Server, scenario: str) -> None:
    name, namespace = f"try-{scenario}", f"fleet-{scenario}"
    server.create_namespace(namespace)
    helm.run("install", name, CHART, "--namespace", namespace, *WAIT, *files(scenario))
    assert status(helm, name, namespace) == "deployed"
    api = server.call("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"]
    assert all(item["status"]["availableReplicas"] == item["status"]["replicas"] > 0 for item in api)
    jobs = server.names(f"/apis/batch/v1/namespaces/{namespace}/jobs")
    assert any("-migration-" in job for job in jobs) == (scenario != "minimal")
    helm.run("test", name, "--namespace", namespace, "--timeout", "2m")
    helm.run("uninstall", name, "--namespace", namespace, "--wait", "--timeout", "2m")
    mine = f"?labelSelector=app.kubernetes.io/instance={name}"
    for path in (
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
        "/apis/scheduling.k8s.io/v1/priorityclasses",
        f"/apis/apps/v1/namespaces/{namespace}/deployments",
        f"/api/v1/namespaces/{namespace}/services",
        f"/api/v1/namespaces/{namespace}/configmaps",
    ):
        assert server.names(path + mine) == set(), path
    bundled = scenario in ("bundled", "local", "everything", "minimal")
    volumes = bundled + (scenario == "everything")  # of the database, and of its backups
    assert len(server.names(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims")) == volumes


@pytest.fixture
def release(helm: Helm, server: Server) -> Iterator[str]:
    """The namespace of a release `prod` with the bundled servers; afterwards everything of it is removed."""
    namespace = "fleet"
    if namespace not in server.names("/api/v1/namespaces"):
        server.create_namespace(namespace)
    helm.run("install", "prod", CHART, "--namespace", namespace, *WAIT, *files("bundled"))
    yield namespace
    helm.run("uninstall", "prod", "--namespace", namespace, "--wait", "--ignore-not-found")


SECRETS = tuple(f"prod-storefleet-{name}" for name in ("keys", "database", "redis", "database-roles"))


def test_keys_and_passwords_outlive_the_release(helm: Helm, server: Server, release: str) -> None:
    def secrets() -> list[JSON]:
        return [server.secret(release, name) for name in SECRETS]

    generated = secrets()
    assert generated[0].keys() == {"admin-keys", "worker-keys"}
    assert len({value for data in generated for value in data.values()}) == 8
    pods = server.pods(release)

    helm.run("upgrade", "prod", CHART, "--namespace", release, *WAIT, *files("bundled"))
    assert secrets() == generated
    assert server.pods(release) == pods

    changed = ("--set", "settings.storeQuota=7", "--set", "image.tag=0.2.0")
    helm.run("upgrade", "prod", CHART, "--namespace", release, *WAIT, *files("bundled"), *changed)
    assert secrets() == generated
    assert not server.pods(release) & pods
    migrations = server.names(f"/apis/batch/v1/namespaces/{release}/jobs")

    helm.run("rollback", "prod", "--namespace", release, *WAIT)
    assert secrets() == generated
    assert server.names(f"/apis/batch/v1/namespaces/{release}/jobs") != migrations

    helm.run("uninstall", "prod", "--namespace", release, "--wait")
    assert secrets() == generated
    helm.run("install", "prod", CHART, "--namespace", release, *WAIT, *files("bundled"))
    assert secrets() == generated


def test_a_second_installation_is_refused_before_anything_is_made(helm: Helm, server: Server, release: str) -> None:
    server.create_namespace("second")
    with pytest.raises(
        HelmError, match=r'"storefleet-(fence|store-manager)" in namespace "" exists and cannot be imported'
    ):
        helm.run("install", "other", CHART, "--namespace", "second", *files("bundled"))
    for kind in ("/apis/apps/v1/namespaces/second/deployments", "/api/v1/namespaces/second/secrets"):
        assert not {name for name in server.names(kind) if not name.startswith("sh.helm.release")}
    assert status(helm, "prod", release) == "deployed"


def test_switches_can_be_turned_on_and_off(helm: Helm, server: Server, release: str) -> None:
    """With every switch on and then off again, as an upgrade of a running release."""
    on = [f"--set={name}.enabled=true" for name in ("api.autoscaling", "ingress", "httpRoute")]
    on += [f"--set=metrics.{name}.enabled=true" for name in ("podMonitor", "prometheusRule", "grafanaDashboard")]
    on += ["--set=settings.publicUrl=http://fleet.localhost", '--set-json=httpRoute.parentRefs=[{"name": "a"}]']
    helm.run("upgrade", "prod", CHART, "--namespace", release, *WAIT, *files("bundled"), *on)
    scaler = f"/apis/autoscaling/v2/namespaces/{release}/horizontalpodautoscalers"
    assert server.names(scaler) == {"prod-storefleet-api"}
    ingresses = f"/apis/networking.k8s.io/v1/namespaces/{release}/ingresses"
    assert server.names(ingresses) == {"prod-storefleet-dashboard", "prod-storefleet-stores"}
    off = [f"--set={name}.enabled=false" for name in ("migration", "networkPolicy", "podDisruptionBudget", "smokeTest")]
    off += ["--set=priorityClass.create=false"]
    helm.run("upgrade", "prod", CHART, "--namespace", release, *WAIT, *files("bundled"), *off)
    for path in (scaler, ingresses, f"/apis/networking.k8s.io/v1/namespaces/{release}/networkpolicies"):
        assert server.names(path) == set()
    assert status(helm, "prod", release) == "deployed"


async def test_a_worker_of_the_release_has_the_rights_for_a_store(
    helm: Helm, server: Server, release: str, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """By the account, the roles and the admission policy of a release with its own names."""
    admin = helm.kubeconfig
    assert admin is not None
    path = f"/api/v1/namespaces/{release}/serviceaccounts/prod-storefleet-worker/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    async with aiohttp.ClientSession() as http:
        status, answer = await server.user.request(http, "POST", path, request)
    assert status == 201, answer
    config = json.loads(admin.read_text())
    config["users"][0]["user"] = {"token": answer["status"]["token"]}
    account = tmp_path / "account"
    account.write_text(json.dumps(config))
    profile = ClusterProfile(worker_service_account=f"{release}/prod-storefleet-worker")
    async with run_harness(
        database_url, redis_url, tmp_path, cluster=(account, admin), profile=profile, environment="production"
    ) as harness:
        store = await harness.create_store()
        await harness.wait_for_status(store["id"], "READY")
        [row] = await harness.sql("SELECT id FROM stores")
        await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/store-{row['id']}")


def notes(helm: Helm, scenario: str) -> str:
    output = helm.run("install", "prod", CHART, "--dry-run=client", "--namespace", "notes", *files(scenario))
    return output.partition("NOTES:")[2]


def test_the_notes_say_what_to_open_and_how_to_sign_in(helm: Helm) -> None:
    local = notes(helm, "local")
    assert "Open http://storefleet.localhost\n" in local
    assert "kubectl -n notes exec deployment/prod-storefleet-api -- storefleet users link you@example.com" in local
    assert "helm test prod --namespace notes" in local
    assert "WARNING: the bundled database is for trying Storefleet" in local
    assert "Back up the Secret prod-storefleet-keys" in local
    production = notes(helm, "production")
    assert "Open https://fleet.example.com\n" in production
    assert not re.search("WARNING|Back up", production)
    assert "port-forward service/prod-storefleet-api 8000:80" in notes(helm, "bundled")
    minimal = notes(helm, "minimal")
    assert "until you have installed an admission policy named storefleet-fence" in minimal
    assert "run `storefleet migrate` yourself" in minimal
