"""Enforces NetworkPolicies on one node with nftables: one table, rendered from the API's objects, replaced atomically.

It follows the Kubernetes documentation; traffic between the node and its pods is always allowed (probes). Limits: IPv4,
TCP and UDP. It tests what our policies mean, not how a particular CNI plugin implements them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes.node.tools import run_tool

TABLE = "storefleet_policies"
Objects = Sequence[dict[str, Any]]
DIRECTIONS = {"ingress": ("daddr", "saddr", "from"), "egress": ("saddr", "daddr", "to")}
"""By direction: the packet's address of the selected pod, the address of the peer, and the rule's key of its peers."""
ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Pod:
    """The parts of a pod that policies refer to."""

    namespace: str
    labels: Mapping[str, str]
    address: str
    ports: Sequence[dict[str, Any]]


def pods_of(objects: Objects) -> list[Pod]:
    """The pods that have their own IP address and haven't ended."""
    return [
        Pod(
            item["metadata"]["namespace"],
            item["metadata"].get("labels") or {},
            item["status"]["podIP"],
            [port for container in item["spec"]["containers"] for port in container.get("ports") or []],
        )
        for item in objects
        if item.get("status", {}).get("podIP")
        and not item["spec"].get("hostNetwork")
        and item["status"].get("phase") not in ("Succeeded", "Failed")
    ]


def dns_pod(address: str) -> Pod:
    """The node's DNS server as a pod: in other clusters it is a pod in kube-system."""
    ports = [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}]
    return Pod("kube-system", {"k8s-app": "kube-dns"}, address, ports)


def matches_selector(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector selects an object with these labels."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_matches_expression(rule, labels) for rule in selector.get("matchExpressions") or [])


def _matches_expression(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = rule["key"], rule.get("values") or []
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[rule["operator"]]


def render_table(policies: Objects, pods: Sequence[Pod], namespaces: Objects) -> str:
    """The nftables table that enforces the policies, as text for `nft -f`."""
    labels = {item["metadata"]["name"]: item["metadata"].get("labels") or {} for item in namespaces}
    isolated: dict[str, set[str]] = {"ingress": set(), "egress": set()}
    allowed: dict[str, set[str]] = {"ingress": set(), "egress": set()}
    for policy in policies:
        namespace, spec = policy["metadata"]["namespace"], policy["spec"]
        types = spec.get("policyTypes") or ["Ingress"] + (["Egress"] if spec.get("egress") else [])
        chosen = [
            pod
            for pod in pods
            if pod.namespace == namespace and matches_selector(spec.get("podSelector") or {}, pod.labels)
        ]
        for direction in DIRECTIONS:
            if direction.capitalize() in types:
                isolated[direction] |= {pod.address for pod in chosen}
                for rule in spec.get(direction) or []:
                    for pod in chosen:
                        allowed[direction] |= set(_render_rules(direction, rule, pod, namespace, pods, labels))
    return _render(isolated, allowed)


def _render_rules(
    direction: str,
    rule: Mapping[str, Any],
    pod: Pod,
    namespace: str,
    pods: Sequence[Pod],
    labels: Mapping[str, Mapping[str, str]],
) -> Iterator[str]:
    own_field, peer_field, peers_key = DIRECTIONS[direction]
    peers = (
        [address for peer in rule[peers_key] for address in _peers(peer, namespace, pods, labels)]
        if rule.get(peers_key)
        else None
    )
    for peer, excluded in peers if peers is not None else [(ANYWHERE, [])]:
        exclusion = f"ip {peer_field} != {{ {', '.join(excluded)} }} " if excluded else ""
        receiver = pod if direction == "ingress" else next((other for other in pods if other.address == peer), None)
        for port in _ports(rule.get("ports") or [], receiver):
            yield f"ip {own_field} {pod.address} ip {peer_field} {peer} {exclusion}{port} return"


def _peers(
    peer: Mapping[str, Any], namespace: str, pods: Sequence[Pod], labels: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, list[str]]]:
    """The peer's addresses, each with its exceptions (ipBlock.except). IPv6 blocks have no addresses here."""
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return [] if ":" in block["cidr"] else [(block["cidr"], block.get("except") or [])]
    return [
        (pod.address, [])
        for pod in pods
        if matches_selector(peer.get("podSelector") or {}, pod.labels)
        and (
            matches_selector(peer["namespaceSelector"], labels.get(pod.namespace, {}))
            if "namespaceSelector" in peer
            else pod.namespace == namespace
        )
    ]


def _ports(ports: Objects, receiver: Pod | None) -> Iterator[str]:
    """The nftables matches of the ports. A name is looked up in the receiving pod; an unknown name matches nothing."""
    if not ports:
        yield ""
    for port in ports:
        protocol, number = port.get("protocol", "TCP").lower(), port.get("port")
        if isinstance(number, str):
            known = receiver.ports if receiver is not None else []
            number = next((item["containerPort"] for item in known if item.get("name") == number), None)
            if number is None:
                continue
        if number is None:
            yield f"meta l4proto {protocol}"
        else:
            yield f"{protocol} dport {number}" + (f"-{port['endPort']}" if "endPort" in port else "")


def _render(isolated: Mapping[str, set[str]], allowed: Mapping[str, set[str]]) -> str:
    lines = [f"table inet {TABLE} {{"]
    for direction in DIRECTIONS:
        elements = f" elements = {{ {', '.join(sorted(isolated[direction]))} }};" if isolated[direction] else ""
        lines += [f" set {direction}_isolated {{ type ipv4_addr;{elements} }}", f" chain {direction} {{"]
        lines += [f"  {rule}" for rule in sorted(allowed[direction])]
        lines += ["  counter drop", " }"]
    for hook, jumps in (("forward", ("egress", "ingress")), ("input", ("egress",))):
        lines += [f" chain {hook} {{ type filter hook {hook} priority 0; ct state established,related accept;"]
        lines += [f"  ip {DIRECTIONS[direction][0]} @{direction}_isolated jump {direction}" for direction in jumps]
        lines += [" }"]
    return "\n".join([*lines, "}"])


class PolicyEnforcer:
    """Replaces the table when it changes."""

    def __init__(self, dns: str) -> None:
        self._dns = dns_pod(dns)
        self._last = ""

    def enforce(self, policies: Objects, pods: Objects, namespaces: Objects) -> None:
        """Enforce these policies. Raises SandboxError when nft fails."""
        text = render_table(policies, [*pods_of(pods), self._dns], namespaces)
        if text == self._last:
            return
        # one transaction: there is no moment without rules
        run_tool("nft", "-f", "-", stdin=f"table inet {TABLE} {{}}\ndelete table inet {TABLE}\n{text}")
        self._last = text
