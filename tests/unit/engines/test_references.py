"""Every reference from one object to another resolves."""

import re
from collections.abc import Iterator

import pytest

from runtime.settings import ClusterProfile
from stores.engines import Engine, Manifest, Manifests
from tests.support.rendered import (
    ACCOUNT_ID,
    ENGINES,
    STORE_ID,
    get_object,
    objects,
    of_kind,
    profile,
    render,
    template,
    templates,
)

COMPONENT = "app.kubernetes.io/component"


@pytest.fixture(params=list(ENGINES.values()), ids=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.param
    return found


def named(manifests: Manifests, kind: str) -> set[str]:
    return {item["metadata"]["name"] for item in of_kind(manifests, kind)}


def secret_references(manifests: Manifests) -> Iterator[tuple[str, str]]:
    for pod in templates(manifests):
        for container in pod["spec"]["containers"]:
            for item in container["env"]:
                if "valueFrom" in item:
                    reference = item["valueFrom"]["secretKeyRef"]
                    yield reference["name"], reference["key"]


def test_names_are_taken_once(engine: Engine) -> None:
    names = [(item["kind"], item["metadata"]["name"]) for item in objects(render(engine))]
    assert len(names) == len(set(names))


def test_all_says_whose_it_is(engine: Engine) -> None:
    for item in objects(render(engine)):
        labels = item["metadata"]["labels"]
        assert (labels["storefleet.dev/store"], labels["storefleet.dev/account"]) == (str(STORE_ID), str(ACCOUNT_ID))


def test_secret_values_are_in_secrets_alone(engine: Engine) -> None:
    assert "secret-" not in str([item for item in objects(render(engine)) if item["kind"] != "Secret"])


def test_policies_speak_of_parts_that_are_there(engine: Engine) -> None:
    manifests = render(engine)
    components = re.findall(
        f"'{COMPONENT}': '([^']*)'", str([item["spec"] for item in of_kind(manifests, "NetworkPolicy")])
    )
    assert set(components) == {pod["metadata"]["labels"][COMPONENT] for pod in templates(manifests)}


def test_secrets_are_there_and_each_is_used(engine: Engine) -> None:
    manifests = render(engine)
    there = {(item["metadata"]["name"], key) for item in of_kind(manifests, "Secret") for key in item["data"]}
    assert set(secret_references(manifests)) == there


def test_volumes_accounts_and_services_are_there(engine: Engine) -> None:
    manifests = render(engine)
    for pod in templates(manifests):
        assert pod["spec"]["serviceAccountName"] in named(manifests, "ServiceAccount")
        for volume in pod["spec"]["volumes"]:
            if "configMap" in volume:
                assert volume["configMap"]["name"] in named(manifests, "ConfigMap")
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in named(manifests, "PersistentVolumeClaim")
    for item in of_kind(manifests, "StatefulSet"):
        assert item["spec"]["serviceName"] in named(manifests, "Service")


def test_services_lead_to_a_port_of_their_pods(engine: Engine) -> None:
    manifests = render(engine)
    for service in of_kind(manifests, "Service"):
        [pod] = [
            pod
            for pod in templates(manifests)
            if service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        ]
        ports = {port["name"] for container in pod["spec"]["containers"] for port in container.get("ports", ())}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_workloads_select_no_other_s_pods(engine: Engine) -> None:
    manifests = render(engine)
    for kind in ("Deployment", "StatefulSet"):
        for item in of_kind(manifests, kind):
            wanted = item["spec"]["selector"]["matchLabels"].items()
            found = [pod for pod in templates(manifests) if wanted <= pod["metadata"]["labels"].items()]
            assert found == [template(item)]


def test_the_steps_wait_for_what_is_there(engine: Engine) -> None:
    manifests = render(engine)
    for step in engine.steps:
        item = get_object(manifests, step.kind, step.object)
        assert item["metadata"]["labels"][COMPONENT] == step.object
    assert set() != set(engine.essential) <= {step.object for step in engine.steps if step.kind != "Job"}
    assert (manifests.install is None) == ("install" not in {step.object for step in engine.steps})


def test_the_jobs_are_found_by_their_component(engine: Engine) -> None:
    manifests = render(engine)
    for job, name in ((manifests.install, "install"), (manifests.proof, "proof")):
        if job is not None:
            labels = job["spec"]["template"]["metadata"]["labels"]
            assert (job["metadata"]["name"], labels[COMPONENT], job["metadata"]["labels"][COMPONENT]) == (name,) * 3
            assert len(f"{name}-12345678-1000000") <= 63


def test_an_ingress_leads_to_the_shop(engine: Engine) -> None:
    manifests = render(engine, profile(base_domain="a.example"))
    [ingress] = of_kind(manifests, "Ingress")
    [rule] = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]
    backend = path["backend"]["service"]
    assert (rule["host"], path["path"], path["pathType"]) == ("fig-olive.a.example", "/", "Prefix")
    assert_port(manifests, backend["name"], backend["port"]["number"])
    assert "ingressClassName" not in ingress["spec"]
    [chosen] = of_kind(render(engine, profile(ingress_class="traefik")), "Ingress")
    assert chosen["spec"]["ingressClassName"] == "traefik"


REDIRECT = {"ingress.kubernetes.io/force-ssl-redirect": "true"}


@pytest.mark.parametrize(
    ("changes", "annotations", "secret"),
    [
        ({"cluster_issuer": "ca"}, {**REDIRECT, "cert-manager.io/cluster-issuer": "ca"}, {"secretName": "web-tls"}),
        ({"wildcard_certificate": "default"}, REDIRECT, {}),
        (
            {"wildcard_certificate": "edge/all"},
            {**REDIRECT, "projectcontour.io/tls-cert-namespace": "edge"},
            {"secretName": "all"},
        ),
    ],
)
def test_an_ingress_has_tls_for_its_host(
    engine: Engine, changes: dict[str, str], annotations: dict[str, str], secret: dict[str, str]
) -> None:
    plain, tls = (
        of_kind(render(engine, profile(base_domain="a.example", store_scheme="https", **more)), "Ingress")[0]
        for more in ({}, changes)
    )
    assert tls["spec"].pop("tls") == [{"hosts": ["fig-olive.a.example"], **secret}]
    assert tls["metadata"]["annotations"] == {**plain["metadata"]["annotations"], **annotations}
    assert tls["spec"] == plain["spec"]  # without a setting, TLS ends elsewhere


def test_a_route_leads_to_the_shop(engine: Engine) -> None:
    cluster = profile(base_domain="a.example", routing="gateway", gateway="edge/public")
    manifests = render(engine, cluster)
    assert not of_kind(manifests, "Ingress")
    [route] = of_kind(manifests, "HTTPRoute")
    assert route["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert route["spec"].keys() == {"hostnames", "parentRefs", "rules"}
    assert route["spec"]["hostnames"] == ["fig-olive.a.example"]
    assert route["spec"]["parentRefs"] == [{"name": "public", "namespace": "edge"}]
    [rule] = route["spec"]["rules"]
    [backend] = rule["backendRefs"]
    assert_port(manifests, backend["name"], backend["port"])
    [secure] = of_kind(render(engine, profile(routing="gateway", gateway_listener="https")), "HTTPRoute")
    assert [parent["sectionName"] for parent in secure["spec"]["parentRefs"]] == ["https"]


def assert_port(manifests: Manifests, service: str, number: int) -> None:
    ports: list[Manifest] = get_object(manifests, "Service", service)["spec"]["ports"]
    assert number in [port["port"] for port in ports]


@pytest.mark.parametrize(("cluster", "wanted"), [(profile(), None), (profile(storage_class="fast"), "fast")])
def test_disks_are_of_the_chosen_class(cluster: ClusterProfile, wanted: str | None) -> None:
    claims = of_kind(render(cluster=cluster), "PersistentVolumeClaim")
    assert [claim["spec"].get("storageClassName") for claim in claims] == [wanted, wanted]


def test_the_workloads_are_the_components_that_have_pods(engine: Engine) -> None:
    manifests = {pod["metadata"]["labels"][COMPONENT] for pod in templates(render(engine))}
    assert sorted(engine.components) == sorted(manifests)
