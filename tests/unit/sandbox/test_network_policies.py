"""The nftables rules that the node's enforcer renders: of our NetworkPolicies, and of the documentation's cases."""

from typing import Any

import pytest

from sandbox.kubernetes.node.network_policies import dns_pod, matches_selector, pods_of, render_table
from tests.support.rendered import render

JSON = dict[str, Any]
NAMESPACES: list[JSON] = [
    {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}} for name in ("a", "b", "kube-system")
]
ADDRESSES = {"web": "10.0.0.1", "db": "10.0.0.2", "other": "10.0.0.3"}


def pod(name: str, namespace: str = "a", **status: str) -> JSON:
    port = {"name": "main", "containerPort": 8080}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"containers": [{"ports": [port]}]},
        "status": {"podIP": ADDRESSES[name], "phase": "Running"} | status,
    }


PODS = pods_of([pod("web"), pod("db"), pod("other", "b")])


def policy(namespace: str = "a", **spec: Any) -> JSON:
    return {"metadata": {"name": "p", "namespace": namespace}, "spec": {"podSelector": {}, **spec}}


def rules(*policies: JSON) -> list[str]:
    """The rules that allow packets."""
    text = render_table(policies, [*PODS, dns_pod("10.0.0.53")], NAMESPACES)
    return [line.strip() for line in text.splitlines() if line.endswith(" return")]


def isolated(text: str, direction: str) -> bool:
    return f"set {direction}_isolated {{ type ipv4_addr; elements = {{ 10.0.0.1, 10.0.0.2 }}; }}" in text


def test_without_policies_nobody_is_isolated() -> None:
    assert "elements" not in render_table([], PODS, NAMESPACES)


def test_a_policy_without_rules_lets_nothing_pass() -> None:
    both = render_table([policy(policyTypes=["Ingress", "Egress"])], PODS, NAMESPACES)
    assert isolated(both, "ingress")
    assert isolated(both, "egress")
    assert "return" not in both


@pytest.mark.parametrize(
    ("spec", "direction", "other"),
    [({}, "ingress", "egress"), ({"egress": [{}]}, "egress", ""), ({"policyTypes": ["Egress"]}, "egress", "ingress")],
    ids=["ingress by default", "egress where there are rules", "as the types say"],
)
def test_directions(spec: JSON, direction: str, other: str) -> None:
    text = render_table([policy(**spec)], PODS, NAMESPACES)
    assert isolated(text, direction)
    assert not other or not isolated(text, other)


def test_an_empty_rule_lets_everybody_pass() -> None:
    assert rules(policy(podSelector={"matchLabels": {"app": "web"}}, ingress=[{}])) == [
        "ip daddr 10.0.0.1 ip saddr 0.0.0.0/0  return"
    ]


def test_peers_are_of_the_same_namespace_unless_another_is_selected() -> None:
    web = {"matchLabels": {"app": "web"}}
    anyone: JSON = {"podSelector": {}}
    assert rules(policy(podSelector=web, ingress=[{"from": [anyone]}])) == [
        "ip daddr 10.0.0.1 ip saddr 10.0.0.1  return",
        "ip daddr 10.0.0.1 ip saddr 10.0.0.2  return",
    ]
    there = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "b"}}}
    assert rules(policy(podSelector=web, ingress=[{"from": [there]}])) == [
        "ip daddr 10.0.0.1 ip saddr 10.0.0.3  return"
    ]
    nobody = {**there, "podSelector": web}
    assert rules(policy(podSelector=web, ingress=[{"from": [nobody]}])) == []


def test_ports() -> None:
    ports = [{"port": 80}, {"protocol": "UDP", "port": 1000, "endPort": 1010}, {"protocol": "TCP"}]
    found = rules(policy(podSelector={"matchLabels": {"app": "web"}}, egress=[{"ports": ports}]))
    assert [line.removeprefix("ip saddr 10.0.0.1 ip daddr 0.0.0.0/0 ") for line in found] == [
        "meta l4proto tcp return",
        "tcp dport 80 return",
        "udp dport 1000-1010 return",
    ]


def test_a_named_port_is_the_receivers() -> None:
    web, db = ({"matchLabels": {"app": name}} for name in ("web", "db"))
    main, none = [{"port": "main"}], [{"port": "none"}]
    assert rules(policy(podSelector=web, ingress=[{"ports": main}])) == [
        "ip daddr 10.0.0.1 ip saddr 0.0.0.0/0 tcp dport 8080 return"
    ]
    to_db = {"to": [{"podSelector": db}]}
    assert rules(policy(podSelector=web, egress=[{**to_db, "ports": main}])) == [
        "ip saddr 10.0.0.1 ip daddr 10.0.0.2 tcp dport 8080 return"
    ]
    assert rules(policy(podSelector=web, egress=[{**to_db, "ports": none}, {"ports": main}])) == []


def test_blocks_of_addresses() -> None:
    blocks = [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "192.168.0.0/16"]}},
        {"ipBlock": {"cidr": "192.0.2.0/24"}},
        {"ipBlock": {"cidr": "::/0"}},
    ]
    assert rules(policy(podSelector={"matchLabels": {"app": "web"}}, egress=[{"to": blocks}])) == [
        "ip saddr 10.0.0.1 ip daddr 0.0.0.0/0 ip daddr != { 10.0.0.0/8, 192.168.0.0/16 }  return",
        "ip saddr 10.0.0.1 ip daddr 192.0.2.0/24  return",
    ]


@pytest.mark.parametrize(
    ("operator", "values", "labels", "wanted"),
    [
        ("In", ["x", "y"], {"k": "x"}, True),
        ("In", ["x"], {}, False),
        ("NotIn", ["x"], {"k": "x"}, False),
        ("NotIn", ["x"], {}, True),
        ("Exists", [], {"k": ""}, True),
        ("Exists", [], {}, False),
        ("DoesNotExist", [], {}, True),
        ("DoesNotExist", [], {"k": "x"}, False),
    ],
)
def test_expressions(operator: str, values: list[str], labels: dict[str, str], wanted: bool) -> None:
    rule = {"key": "k", "operator": operator, "values": values}
    assert matches_selector({"matchExpressions": [rule]}, labels) is wanted


def test_pods_that_are_over_or_on_the_nodes_network_are_nobody() -> None:
    host = pod("web")
    host["spec"]["hostNetwork"] = True
    gone = [pod("web", phase="Succeeded"), pod("web", phase="Failed"), pod("web", podIP="")]
    assert pods_of([host, *gone]) == []


def test_our_own_policies() -> None:
    """A store's web pod may use DNS and its own database, and no other store's."""
    made = render()
    namespace = made.namespace["metadata"]["name"]
    labels = {**made.namespace["metadata"]["labels"], "kubernetes.io/metadata.name": namespace}
    addresses = {"web": "10.0.0.1", "database": "10.0.0.2"}
    pods = [
        {
            "metadata": {"namespace": namespace, "labels": item["spec"]["template"]["metadata"]["labels"]},
            "spec": item["spec"]["template"]["spec"],
            "status": {"podIP": addresses[item["metadata"]["name"]], "phase": "Running"},
        }
        for item in made.resources
        if item["kind"] in ("Deployment", "StatefulSet")
    ]
    policies = [item for item in made.isolation if item["kind"] == "NetworkPolicy"]
    stranger = pod("other", "b")
    text = render_table(
        policies,
        [*pods_of([*pods, stranger]), dns_pod("10.0.0.53")],
        [{"metadata": {"name": namespace, "labels": labels}}, *NAMESPACES],
    )
    found = [line.strip() for line in text.splitlines() if line.endswith(" return")]
    assert "ip saddr 10.0.0.1 ip daddr 10.0.0.2 tcp dport 3306 return" in found
    assert "ip daddr 10.0.0.2 ip saddr 10.0.0.1 tcp dport 3306 return" in found
    assert "ip saddr 10.0.0.1 ip daddr 10.0.0.53 udp dport 53 return" in found
    assert [line for line in found if line.startswith("ip saddr 10.0.0.2")] == [
        "ip saddr 10.0.0.2 ip daddr 10.0.0.53 tcp dport 53 return",
        "ip saddr 10.0.0.2 ip daddr 10.0.0.53 udp dport 53 return",
    ]
    assert not [line for line in found if ADDRESSES["other"] in line]
    assert isolated(text, "ingress")
    assert isolated(text, "egress")
