"""NetworkPolicies enforced on one node by nft: one table, computed from the API's objects, replaced as a whole.

What packets may pass is what Kubernetes' documentation says; between the node itself and its pods everything may, as
Kubernetes asks (probes). Limits: IPv4, TCP and UDP. It proves what our policies mean, not how a CNI reads them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes.node.tools import run_tool

TABLE = "storefleet_policies"
Objects = Sequence[dict[str, Any]]
NEEDED = {"ingress": ("daddr", "saddr", "from"), "egress": ("saddr", "daddr", "to")}
"""Of each direction: which end of a packet is ours, which the peer's, and how a rule names its peers."""
ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Pod:
    """What a policy can select, and where it is."""

    namespace: str
    labels: Mapping[str, str]
    address: str
    ports: Sequence[dict[str, Any]]


def pods_of(objects: Objects) -> list[Pod]:
    """Those that have an address of their own and aren't over."""
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
    """The node's own name server, which in other clusters is a pod of kube-system."""
    ports = [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}]
    return Pod("kube-system", {"k8s-app": "kube-dns"}, address, ports)


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector selects what has those labels."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(rule, labels) for rule in selector.get("matchExpressions") or [])


def _holds(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = rule["key"], rule.get("values") or []
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[rule["operator"]]


def table(policies: Objects, pods: Sequence[Pod], namespaces: Objects) -> str:
    """The nft table that enforces the policies."""
    labels = {item["metadata"]["name"]: item["metadata"].get("labels") or {} for item in namespaces}
    isolated: dict[str, set[str]] = {"ingress": set(), "egress": set()}
    allowed: dict[str, set[str]] = {"ingress": set(), "egress": set()}
    for policy in policies:
        namespace, spec = policy["metadata"]["namespace"], policy["spec"]
        types = spec.get("policyTypes") or ["Ingress"] + (["Egress"] if spec.get("egress") else [])
        chosen = [
            pod for pod in pods if pod.namespace == namespace and selects(spec.get("podSelector") or {}, pod.labels)
        ]
        for direction in NEEDED:
            if direction.capitalize() in types:
                isolated[direction] |= {pod.address for pod in chosen}
                for rule in spec.get(direction) or []:
                    for pod in chosen:
                        allowed[direction] |= set(_passes(direction, rule, pod, namespace, pods, labels))
    return _text(isolated, allowed)


def _passes(
    direction: str,
    rule: Mapping[str, Any],
    pod: Pod,
    namespace: str,
    pods: Sequence[Pod],
    labels: Mapping[str, Mapping[str, str]],
) -> Iterator[str]:
    ours, theirs, names = NEEDED[direction]
    peers = (
        [found for peer in rule[names] for found in _peers(peer, namespace, pods, labels)] if rule.get(names) else None
    )
    for peer, kept_out in peers if peers is not None else [(ANYWHERE, [])]:
        but = f"ip {theirs} != {{ {', '.join(kept_out)} }} " if kept_out else ""
        receiver = pod if direction == "ingress" else next((other for other in pods if other.address == peer), None)
        for port in _ports(rule.get("ports") or [], receiver):
            yield f"ip {ours} {pod.address} ip {theirs} {peer} {but}{port} return"


def _peers(
    peer: Mapping[str, Any], namespace: str, pods: Sequence[Pod], labels: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, list[str]]]:
    """Addresses, each with those that are left out of it; IPv6 blocks have nobody here."""
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return [] if ":" in block["cidr"] else [(block["cidr"], block.get("except") or [])]
    return [
        (pod.address, [])
        for pod in pods
        if selects(peer.get("podSelector") or {}, pod.labels)
        and (
            selects(peer["namespaceSelector"], labels.get(pod.namespace, {}))
            if "namespaceSelector" in peer
            else pod.namespace == namespace
        )
    ]


def _ports(ports: Objects, receiver: Pod | None) -> Iterator[str]:
    """nft's matches; a named port is the receiving pod's, and none where it has no such port."""
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


def _text(isolated: Mapping[str, set[str]], allowed: Mapping[str, set[str]]) -> str:
    lines = [f"table inet {TABLE} {{"]
    for direction in NEEDED:
        elements = f" elements = {{ {', '.join(sorted(isolated[direction]))} }};" if isolated[direction] else ""
        lines += [f" set {direction}_isolated {{ type ipv4_addr;{elements} }}", f" chain {direction} {{"]
        lines += [f"  {rule}" for rule in sorted(allowed[direction])]
        lines += ["  counter drop", " }"]
    for hook, jumps in (("forward", ("egress", "ingress")), ("input", ("egress",))):
        lines += [f" chain {hook} {{ type filter hook {hook} priority 0; ct state established,related accept;"]
        lines += [f"  ip {NEEDED[direction][0]} @{direction}_isolated jump {direction}" for direction in jumps]
        lines += [" }"]
    return "\n".join([*lines, "}"])


class Enforcer:
    """Replaces the table when it has to be another."""

    def __init__(self, dns: str) -> None:
        self._dns = dns_pod(dns)
        self._last = ""

    def enforce(self, policies: Objects, pods: Objects, namespaces: Objects) -> None:
        """Raises SandboxError when nft refuses."""
        text = table(policies, [*pods_of(pods), self._dns], namespaces)
        if text == self._last:
            return
        whole = f"table inet {TABLE} {{}}\ndelete table inet {TABLE}\n{text}"  # in one: never a moment without rules
        run_tool("nft", "-f", "-", given=whole)
        self._last = text
