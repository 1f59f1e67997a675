"""Quotas, and which connections a store's network policies allow."""

from ipaddress import IPv6Network, ip_network
from itertools import product
from typing import Any

import pytest
from pydantic import SecretStr

from stores.engines import Engine, Manifest
from stores.plans import PLANS
from tests.support.network_policies import Endpoint, allows
from tests.support.rendered import ENGINES, get_object, objects, of_kind, profile, render, spec, template
from workers.engines.isolation import Component, isolation
from workers.engines.pods import Resources, parse_cpu, parse_memory

WEB, DATABASE = ("web", 8080), ("database", 3306)
COMPONENTS = ("web", "database", "install", "proof", "cron", "rotate")
PUBLIC = ("93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c")
PRIVATE = (
    *("10.0.0.1", "10.96.0.1", "127.0.0.1", "172.16.5.4", "172.31.255.255", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.1", "255.255.255.255", "0.1.2.3"),
    *("::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "64:ff9b::a00:1", "2002:a00:1::1", "::10.0.0.1"),
    *("198.18.0.1", "198.19.255.255", "64:ff9b:1::a00:1", "2001:0:a00:1::1"),
)


def policies(**changes: object) -> list[Manifest]:
    return of_kind(render(cluster=profile(**changes)), "NetworkPolicy")


def test_who_reaches_whom_within_a_store() -> None:
    rules = policies()
    ports = [WEB[1], DATABASE[1], 22, 33060]
    found = {
        (source, target, port)
        for source, target, port in product(COMPONENTS, COMPONENTS, ports)
        if allows(rules, Endpoint(source), Endpoint(target), port)
    }
    assert found == {
        *((source, *WEB) for source in ("install", "proof", "cron")),
        *((source, *DATABASE) for source in ("web", "install", "proof", "cron", "rotate")),
    }


@pytest.mark.parametrize("open_to", [{"public": True}, {"clients": ("proof",)}])
def test_a_part_that_forgot_its_port_is_refused_rather_than_opened(open_to: dict[str, Any]) -> None:
    small = Resources(cpu=100, memory=64)
    with pytest.raises(ValueError, match="'web', but it has no port"):
        isolation(spec(), "mine", profile(), [Component("web", small, **open_to), Component("proof", small)])


def test_only_the_ingress_controller_comes_in_from_elsewhere() -> None:
    rules = policies(ingress_namespace="traefik")
    for namespace, component, port in product(
        ("traefik", "default", "kube-system", "store-other"), COMPONENTS, (8080, 3306)
    ):
        come_in = allows(rules, Endpoint(namespace=namespace), Endpoint(component), port)
        assert come_in == ((namespace, component, port) == ("traefik", *WEB)), (namespace, component, port)
    assert not allows(rules, Endpoint(address="93.184.215.14"), Endpoint("web"), 8080)


def test_a_challenge_over_http_is_answered_to_the_ingress_controller_alone() -> None:
    plain, issued = policies(), policies(ingress_namespace="edge", cluster_issuer="letsencrypt")
    [policy] = [item for item in issued if item not in policies(ingress_namespace="edge")]
    assert len(issued) == len(plain) + 1
    assert policy["spec"] == {
        "podSelector": {"matchLabels": {"acme.cert-manager.io/http01-solver": "true"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "edge"}}}],
                "ports": [{"protocol": "TCP", "port": 8089}],
            }
        ],
    }


def test_every_component_may_use_dns_only() -> None:
    rules = policies()
    for component, protocol in product(COMPONENTS, ("UDP", "TCP")):
        assert allows(rules, Endpoint(component), Endpoint(namespace="kube-system"), 53, protocol)
        assert not allows(rules, Endpoint(component), Endpoint(namespace="kube-system"), 443, protocol)
        assert not allows(rules, Endpoint(component), Endpoint(namespace="default"), 53, protocol)
        assert not allows(rules, Endpoint(component), Endpoint(address="8.8.8.8"), 53, protocol)


@pytest.mark.parametrize("address", PUBLIC)
def test_web_and_cron_reach_web_servers_of_the_internet(address: str) -> None:
    rules = policies()
    for component, port in product(COMPONENTS, (80, 443, 25, 6443)):
        reached = allows(rules, Endpoint(component), Endpoint(address=address), port)
        assert reached == (component in ("web", "cron") and port in (80, 443)), (component, port)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_plugin_reaches_the_owner_s_mail_server(address: str) -> None:
    rules = policies(plugins=("small",))
    for component, port in product(COMPONENTS, (80, 443, 465, 587, 25, 6443)):
        reached = allows(rules, Endpoint(component), Endpoint(address=address), port)
        assert reached == (component in ("web", "cron") and port in (80, 443, 465, 587)), (component, port)
    assert not any(allows(rules, Endpoint("web"), Endpoint(address=address), 587) for address in PRIVATE)


@pytest.mark.parametrize("address", PRIVATE)
def test_nothing_reaches_private_addresses(address: str) -> None:
    rules = policies()
    assert not [
        component for component in COMPONENTS if allows(rules, Endpoint(component), Endpoint(address=address), 80)
    ]


@pytest.mark.parametrize(
    ("url", "server", "port"),
    [
        ("smtps://mail.example.com", Endpoint(address=PUBLIC[0]), 465),
        ("smtp://mail.example.com", Endpoint(address=PUBLIC[0]), 587),
        ("smtp://me:p%40ss@mail.example.com:2525/?from=a@b.example", Endpoint(address=PUBLIC[2]), 2525),
        ("smtp://relay.mail.svc:25", Endpoint(namespace="mail"), 25),
        ("smtp://relay.mail.svc.cluster.local:25", Endpoint(namespace="mail"), 25),
    ],
)
def test_web_and_cron_reach_the_mail_server(url: str, server: Endpoint, port: int) -> None:
    rules = policies(smtp_url=SecretStr(url))
    assert {component for component in COMPONENTS if allows(rules, Endpoint(component), server, port)} == {
        "web",
        "cron",
    }
    for other in (Endpoint(address="10.0.0.1"), Endpoint(namespace="default")):
        assert not any(allows(rules, Endpoint(component), other, port) for component in COMPONENTS)
    assert not any(allows(policies(), Endpoint(component), server, port) for component in COMPONENTS)


def test_the_api_server_takes_the_exceptions() -> None:
    blocks = [
        row["ipBlock"]
        for policy in policies()
        for rule in policy["spec"].get("egress", ())
        for row in rule["to"]
        if "ipBlock" in row
    ]
    assert {block["cidr"] for block in blocks} == {"0.0.0.0/0", "::/0"}
    for block in blocks:
        for cidr in block["except"]:
            inner, outer = ip_network(cidr), ip_network(block["cidr"])
            assert inner.version == outer.version
            assert inner.prefixlen > outer.prefixlen
            # Go reads these as IPv4, so the API server finds them outside of ::/0
            assert inner.version == 4 or not inner.overlaps(IPv6Network("::ffff:0:0/96"))


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_all_that_may_run_at_once_fits_the_quota(engine: Engine, plan: str) -> None:
    manifests = render(engine, plan=plan)
    hard = get_object(manifests, "ResourceQuota", "store")["spec"]["hard"]
    running = [item for item in objects(manifests) if item.get("spec", {}).get("replicas") != 0]
    pods = [found["spec"] for item in running if (found := template(item))]
    doubled = [
        item["spec"]["template"]["spec"]
        for item in running
        if item["kind"] == "Deployment" and item["spec"]["strategy"]["type"] != "Recreate"
    ]  # while one is replaced
    containers = [container["resources"] for pod in [*pods, *doubled] for container in pod["containers"]]
    for sort, (name, size) in product(
        ("requests", "limits"), (("cpu", parse_cpu), ("memory", parse_memory), ("ephemeral-storage", parse_memory))
    ):
        needed, room = sum(size(container[sort][name]) for container in containers), size(hard[f"{sort}.{name}"])
        assert needed <= room <= needed * 1.01 + 2, (sort, name)  # and hardly more
    assert 2 * len(pods) <= int(hard["pods"])  # those on their way out count until they are gone
    claims = of_kind(manifests, "PersistentVolumeClaim")
    assert sum(parse_memory(claim["spec"]["resources"]["requests"]["storage"]) for claim in claims) <= (
        parse_memory(hard["requests.storage"])
    )
    for kind, name in (
        ("PersistentVolumeClaim", "persistentvolumeclaims"),
        ("Service", "services"),
        ("Secret", "secrets"),
        ("ConfigMap", "configmaps"),
        ("Job", "count/jobs.batch"),
        ("CronJob", "count/cronjobs.batch"),
        ("Deployment", "count/deployments.apps"),
        ("StatefulSet", "count/statefulsets.apps"),
        ("Ingress", "count/ingresses.networking.k8s.io"),
    ):
        assert len(of_kind(manifests, kind)) <= int(hard[name]), kind


@pytest.mark.parametrize("plan", PLANS)
def test_a_container_has_what_its_plan_says(plan: str) -> None:
    manifests, wanted = render(plan=plan), PLANS[plan]
    for kind, name, cpu, memory in (
        ("Deployment", "web", wanted.web_cpu, wanted.web_memory),
        ("StatefulSet", "database", wanted.database_cpu, wanted.database_memory),
    ):
        [container] = get_object(manifests, kind, name)["spec"]["template"]["spec"]["containers"]
        limits = container["resources"]["limits"]
        assert (parse_cpu(limits["cpu"]), parse_memory(limits["memory"])) == (parse_cpu(cpu), parse_memory(memory))
    config = get_object(manifests, "ConfigMap", "database")["data"]["storefleet.cnf"]
    assert f"innodb-buffer-pool-size = {wanted.database_buffer_pool}\n" in config
    assert ("performance-schema = OFF" in config) == (plan != "large")


def test_quantities() -> None:
    assert [parse_cpu(text) for text in ("500m", "2")] == [500, 2000]
    assert [parse_memory(text) for text in ("320Mi", "2Gi")] == [320, 2048]


def test_the_namespace_and_the_worker_that_fills_it() -> None:
    manifests = render(cluster=profile(worker_service_account="fleet/its-worker", base_domain="a.example"))
    assert manifests.namespace["metadata"]["name"] == "store-3f0d2c1e-8a4b-4c6d-9e7f-0123456789ab"
    assert manifests.namespace["metadata"]["annotations"] == {"storefleet.dev/host": "fig-olive.a.example"}
    [binding] = of_kind(manifests, "RoleBinding")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "its-worker", "namespace": "fleet"}]
    assert all(item["metadata"]["namespace"] == manifests.namespace["metadata"]["name"] for item in manifests.isolation)


def test_each_part_has_an_account_and_policies_of_its_own() -> None:
    manifests = render()
    assert {item["metadata"]["name"] for item in of_kind(manifests, "ServiceAccount")} == set(COMPONENTS)
    assert {item["metadata"]["name"] for item in of_kind(manifests, "NetworkPolicy")} == {
        "deny-all",
        "dns",
        *COMPONENTS,
    }
    deny = get_object(manifests, "NetworkPolicy", "deny-all")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
