"""The chart as Helm renders it: valid for every version of Kubernetes, and every value has its effect."""

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.chart import CHART, SCENARIOS
from tests.support.helm import NEWEST, Helm, container, environment, find, pod

JSON = dict[str, Any]
BUNDLED = SCENARIOS["bundled"]
VERSIONS = ("1.34", "1.37")
"""The oldest and the newest version that the chart claims."""
CUSTOM = {"HTTPRoute", "PodMonitor", "PrometheusRule"}
"""Kinds whose schemas aren't Kubernetes' own."""


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_is_valid(helm: Helm, scenario: str) -> None:
    files = [word for file in SCENARIOS[scenario] for word in ("--values", str(file))]
    helm.run("lint", CHART, "--strict", "--kube-version", NEWEST, *files)
    objects = helm.render(SCENARIOS[scenario])
    assert len(objects) > 10
    for item in objects:
        for version in () if item["kind"] in CUSTOM else VERSIONS:
            kubernetes_validate.validate(item, version, strict=True)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_object_has_its_place_and_its_labels(helm: Helm, scenario: str) -> None:
    objects = helm.render(SCENARIOS[scenario], name="prod", namespace="fleet")
    ours = [item for item in objects if item["metadata"]["name"] not in ("prod-more", "as-text")]
    prefix = "fleet" if scenario == "everything" else "prod-storefleet"
    fixed = {"storefleet-fence", "storefleet-store-manager", "fleet-stores", "fleet-store-manager"}
    cluster = {"ClusterRole", "ClusterRoleBinding", "PriorityClass"}
    for item in ours:
        metadata = item["metadata"]
        assert metadata["name"].startswith(f"{prefix}-") or metadata["name"] in fixed
        assert len(metadata["name"]) <= 63
        is_namespaced = item["kind"] not in cluster and not item["kind"].startswith("Validating")
        assert metadata.get("namespace") == ("fleet" if is_namespaced else None), metadata["name"]
        assert metadata["labels"]["app.kubernetes.io/instance"] == "prod"
        assert metadata["labels"]["app.kubernetes.io/version"] == "0.1.0"
    keys = [(item["kind"], item["metadata"]["name"]) for item in objects]
    assert len(keys) == len(set(keys))


def test_long_names_are_cut(helm: Helm) -> None:
    objects = helm.render(BUNDLED, name="a" * 53)
    for item in objects:
        most = 52 if item["kind"] == "StatefulSet" else 63  # its pods have a label with its name and a hash
        assert len(item["metadata"]["name"]) <= most
        kubernetes_validate.validate(item, NEWEST, strict=True)


def test_a_release_of_the_chart_name_has_short_names(helm: Helm) -> None:
    find(helm.render(BUNDLED), "Deployment", "storefleet-api")
    assert find(helm.render(BUNDLED), "Deployment", "-api")["metadata"]["name"] == "storefleet-api"


def test_roles_and_policy_are_those_that_are_proven(helm: Helm) -> None:
    """test_denials.py and test_admission_policy.py test the files. The default release has the same objects."""
    objects = helm.render(BUNDLED)
    for file in (CHART / "files").iterdir():
        for proven in yaml.safe_load_all(file.read_text()):
            rendered = find(objects, proven["kind"], proven["metadata"]["name"])
            del rendered["metadata"]["labels"]
            for variable in (rendered["spec"] if "variables" in rendered.get("spec", {}) else {}).get("variables", ()):
                if variable["name"] == "images":
                    variable["expression"] = "['storefleet/', 'mysql:', 'mariadb:', 'postgres:', 'valkey/valkey:']"
            assert rendered == proven


def test_roles_and_policy_have_the_names_of_the_release(helm: Helm) -> None:
    values = {"worker": {"managerRole": "managers"}, "admissionPolicy": {"name": "stores"}}
    objects = helm.render(BUNDLED, values, name="prod", namespace="fleet")
    account = {"kind": "ServiceAccount", "name": "prod-storefleet-worker", "namespace": "fleet"}
    assert find(objects, "ClusterRoleBinding", "")["subjects"] == [account]
    assert pod(objects, "Deployment", "worker")["serviceAccountName"] == account["name"]
    rules = find(objects, "ClusterRole", "prod-storefleet-worker")["rules"]
    assert [rule["resourceNames"] for rule in rules if "bind" in rule["verbs"]] == [["managers"]]
    assert find(objects, "ClusterRole", "managers")
    policy = find(objects, "ValidatingAdmissionPolicy", "stores")["spec"]
    user = "request.userInfo.username == 'system:serviceaccount:fleet:prod-storefleet-worker'"
    assert policy["matchConditions"] == [{"name": "the-workers-account", "expression": user}]
    assert "roleRef.name == 'managers'" in str(policy["validations"])
    assert "storefleet-store-manager'" not in str(policy["validations"])
    assert find(objects, "ValidatingAdmissionPolicyBinding", "stores")["spec"]["policyName"] == "stores"
    settings = find(objects, "ConfigMap", "settings")["data"]
    assert settings["STOREFLEET_WORKER_SERVICE_ACCOUNT"] == "fleet/prod-storefleet-worker"
    assert settings["STOREFLEET_MANAGER_ROLE"] == "managers"
    assert settings["STOREFLEET_ADMISSION_POLICY"] == "stores"


@pytest.mark.parametrize(
    ("registry", "image", "expected"),
    [
        ("storefleet", "mysql:8.4", "['storefleet/', 'mysql:', 'postgres:', 'valkey/valkey:']"),
        ("r.example.com:5000/a", "mysql", "['r.example.com:5000/a/', 'mysql:', 'postgres:', 'valkey/valkey:']"),
        (
            "r.example.com",
            "r.example.com:5000/mysql",
            "['r.example.com/', 'r.example.com:5000/mysql:', 'postgres:', 'valkey/valkey:']",
        ),
        (
            "a",
            "r.example.com:5000/b/mysql:8@sha256:00",
            "['a/', 'r.example.com:5000/b/mysql:', 'postgres:', 'valkey/valkey:']",
        ),
        (
            "a",
            "r.example.com:5000/mysql@sha256:00",
            "['a/', 'r.example.com:5000/mysql@', 'postgres:', 'valkey/valkey:']",
        ),
        ("a", "mysql@sha256:00", "['a/', 'mysql@', 'postgres:', 'valkey/valkey:']"),
    ],
)
def test_the_policy_allows_the_images_of_the_settings(helm: Helm, registry: str, image: str, expected: str) -> None:
    objects = helm.render(BUNDLED, {"settings": {"imageRegistry": registry, "databaseImage": image}})
    variables = find(objects, "ValidatingAdmissionPolicy", "")["spec"]["variables"]
    assert [variable["expression"] for variable in variables if variable["name"] == "images"] == [expected]


def test_the_worker_alone_has_the_worker_keys_and_with_the_api_the_mail_server(helm: Helm) -> None:
    objects = helm.render(BUNDLED, {"smtp": {"existingSecret": {"name": "mail", "key": "k"}}})
    mail = {"STOREFLEET_SMTP_URL": ("mail", "k")}
    names = {"STOREFLEET_WORKER_KEYS": ("storefleet-keys", "worker-keys"), **mail}
    assert names.items() <= environment(objects, "Deployment", "worker").items()
    api = environment(objects, "Deployment", "api")
    assert mail.items() <= api.items()
    assert "STOREFLEET_WORKER_KEYS" not in api
    for kind, name in (("Job", "smoke-test"), ("Job", find_migration(objects))):
        assert not names.keys() & environment(objects, kind, name).keys()


def test_the_api_alone_has_the_client_secret_of_the_openid_provider(helm: Helm) -> None:
    objects = helm.render(BUNDLED, {"oidc": {"clientSecret": "hunter2"}})
    assert find(objects, "Secret", "-oidc")["stringData"] == {"client-secret": "hunter2"}
    api = environment(objects, "Deployment", "api")
    assert api["STOREFLEET_OIDC_CLIENT_SECRET"] == ("storefleet-oidc", "client-secret")
    for kind, name in (("Deployment", "worker"), ("Job", "smoke-test"), ("Job", find_migration(objects))):
        assert "STOREFLEET_OIDC_CLIENT_SECRET" not in environment(objects, kind, name)


def find_migration(objects: list[JSON]) -> str:
    [name] = [
        item["metadata"]["name"] for item in objects if re.search(r"-migration-[0-9a-f]{8}$", item["metadata"]["name"])
    ]
    return str(name)


def test_servers_are_bundled_or_elsewhere(helm: Helm) -> None:
    objects = helm.render(SCENARIOS["external"])
    assert not [item for item in objects if item["kind"] == "StatefulSet"]
    assert environment(objects, "Deployment", "api")["STOREFLEET_DATABASE_LISTEN_URL"] == (
        "storefleet-database-roles",
        "api-listen-uri",
    )
    assert find(objects, "Secret", "-redis")["stringData"] == {"url": "rediss://:hunter2@redis.example.com:6379/0"}
    objects = helm.render(SCENARIOS["gateway"])
    assert not [item for item in objects if item["kind"] == "Secret"]
    found = environment(objects, "Deployment", "worker")
    assert found["STOREFLEET_DATABASE_URL"] == ("fleet-app", "uri")
    assert found["STOREFLEET_DATABASE_LISTEN_URL"] == ("fleet-app", "direct-uri")
    assert found["STOREFLEET_REDIS_URL"] == ("fleet-redis", "url")


ROLE_URLS = ("STOREFLEET_API_DATABASE_URL", "STOREFLEET_WORKER_DATABASE_URL")


def database_variables(objects: list[JSON], kind: str, name: str) -> JSON:
    return {name: value for name, value in environment(objects, kind, name).items() if "DATABASE" in name}


@pytest.mark.parametrize(
    ("scenario", "owner", "api", "worker"),
    [
        (
            "bundled",
            {"": ("storefleet-database", "uri")},
            {"": ("storefleet-database-roles", "api-uri")},
            {"": ("storefleet-database-roles", "worker-uri")},
        ),
        (
            "external",
            {"": ("storefleet-database", "uri"), "LISTEN_": ("storefleet-database", "listen-uri")},
            {"": ("storefleet-database-roles", "api-uri"), "LISTEN_": ("storefleet-database-roles", "api-listen-uri")},
            {
                "": ("storefleet-database-roles", "worker-uri"),
                "LISTEN_": ("storefleet-database-roles", "worker-listen-uri"),
            },
        ),
        (
            "production",
            {"": ("storefleet-database", "uri")},
            {"": ("storefleet-database", "api-uri")},
            {"": ("storefleet-database", "worker-uri")},
        ),
    ],
)
def test_only_migrations_and_backups_have_the_role_that_owns_the_tables(
    helm: Helm, scenario: str, owner: JSON, api: JSON, worker: JSON
) -> None:
    objects = helm.render(SCENARIOS[scenario], {"backup": {"enabled": True}})

    def named(urls: JSON) -> JSON:
        return {f"STOREFLEET_DATABASE_{kind}URL": reference for kind, reference in urls.items()}

    assert database_variables(objects, "Deployment", "api") == named(api)
    assert database_variables(objects, "Job", "smoke-test") == named(api)
    assert database_variables(objects, "Deployment", "worker") == named(worker)
    of_roles = dict(zip(ROLE_URLS, (api[""], worker[""]), strict=True))
    assert database_variables(objects, "Job", find_migration(objects)) == named(owner) | of_roles
    for suffix in ("-backup", "-restore"):
        [item] = [item for item in objects if item["kind"] == "CronJob" and item["metadata"]["name"].endswith(suffix)]
        assert owner[""][1] in str(item)
        assert "storefleet-database-roles" not in str(item)


def test_one_url_is_for_all_processes(helm: Helm) -> None:
    """As before there were roles: an upgrade with the same values works."""
    objects = helm.render(values={"database": {"url": "postgresql://u:p@h/d"}, "redis": {"url": "redis://h"}})
    url = {"STOREFLEET_DATABASE_URL": ("storefleet-database", "uri")}
    for kind, name in (("Deployment", "api"), ("Deployment", "worker"), ("Job", find_migration(objects))):
        assert database_variables(objects, kind, name) == url
    secrets = {item["metadata"]["name"] for item in objects if item["kind"] == "Secret"}
    assert secrets == {"storefleet-database", "storefleet-redis"}


def test_no_keys_are_generated_without_a_cluster(helm: Helm) -> None:
    """Each `helm template` would generate others."""
    assert not [item for item in helm.render(BUNDLED) if item["kind"] == "Secret"]


def test_another_migration_is_another_job(helm: Helm) -> None:
    one, two, again = (
        find_migration(helm.render(BUNDLED, {"image": {"tag": tag}})) for tag in ("1.0.0", "1.1.0", "1.0.0")
    )
    assert one == again != two
    assert find_migration(helm.render(BUNDLED, {"api": {"replicas": 7}, "image": {"tag": "1.0.0"}})) == one


def test_only_settings_restart_pods(helm: Helm) -> None:
    def template(**values: Any) -> JSON:
        found: JSON = find(helm.render(BUNDLED, values), "Deployment", "worker")["spec"]["template"]
        return found

    assert template() == template(api={"replicas": 5}, service={"port": 8080})
    assert template() != template(settings={"signUp": "open"})
    assert template() != template(smtp={"url": "smtps://other"})


def test_disruption_budgets_never_block_a_drain(helm: Helm) -> None:
    def budgets(**values: Any) -> set[str]:
        objects = helm.render(BUNDLED, values)
        return {item["metadata"]["name"] for item in objects if item["kind"] == "PodDisruptionBudget"}

    assert budgets() == {"storefleet-api", "storefleet-worker"}
    assert budgets(api={"replicas": 1}) == {"storefleet-worker"}
    assert budgets(api={"autoscaling": {"enabled": True, "minReplicas": 1}}) == {"storefleet-worker"}
    assert budgets(api={"replicas": 1}, worker={"replicas": 1}) == set()


def test_the_autoscaler_owns_the_number_of_pods(helm: Helm) -> None:
    objects = helm.render(BUNDLED, {"api": {"autoscaling": {"enabled": True}}})
    assert "replicas" not in find(objects, "Deployment", "api")["spec"]
    assert find(objects, "HorizontalPodAutoscaler", "api")["spec"]["scaleTargetRef"]["name"] == "storefleet-api"


def test_routes_lead_to_the_dashboard_and_to_all_stores(helm: Helm) -> None:
    objects = helm.render(SCENARIOS["everything"])
    dashboard, stores = find(objects, "Ingress", "dashboard"), find(objects, "Ingress", "stores")
    assert [rule["host"] for rule in dashboard["spec"]["rules"]] == ["fleet.example.com"]
    assert [rule["host"] for rule in stores["spec"]["rules"]] == ["*.stores.example.com"]
    assert dashboard["spec"]["tls"] == [{"secretName": "dashboard-tls", "hosts": ["fleet.example.com"]}]
    assert "tls" not in stores["spec"]
    assert "cert-manager.io/cluster-issuer" not in stores["metadata"]["annotations"]
    assert stores["metadata"]["annotations"]["projectcontour.io/websocket-routes"] == "/"
    for route, host in (("dashboard", "fleet.example.com"), ("stores", "*.stores.example.com")):
        spec = find(helm.render(SCENARIOS["gateway"]), "HTTPRoute", route)["spec"]
        assert spec["hostnames"] == [host]
        assert spec["rules"][0]["timeouts"] == {"request": "0s", "backendRequest": "0s"}


def test_the_alerts_know_the_release(helm: Helm) -> None:
    objects = helm.render(BUNDLED, {"metrics": {"prometheusRule": {"enabled": True}}}, name="prod", namespace="fleet")
    rules = find(objects, "PrometheusRule", "")["spec"]["groups"][0]["rules"]
    assert "RELEASE" not in str(rules)
    assert 'namespace="fleet"' in rules[0]["expr"]
    assert 'job_name=~"prod-storefleet-migration-.*"' in str(rules)
    assert rules[0]["annotations"]["runbook_url"].endswith("docs/OPERATIONS.md#storefleetapidown")


def test_the_api_has_an_image_by_tag_or_digest(helm: Helm) -> None:
    def image(**values: str) -> str:
        return str(container(helm.render(BUNDLED, {"image": values}), "Deployment", "api")["image"])

    assert image() == "docker.io/storefleet/platform:0.1.0"
    assert image(tag="main") == "docker.io/storefleet/platform:main"
    assert image(tag="main", digest="sha256:" + "0" * 64) == "docker.io/storefleet/platform@sha256:" + "0" * 64
