"""Evaluates NetworkPolicies as Kubernetes does, for tests of allowed connections."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from stores.engines import Manifest


@dataclass(frozen=True)
class Endpoint:
    """One end of a connection: a pod of the store (`component`), a pod of another namespace, or an IP address."""

    component: str | None = None
    namespace: str | None = None
    address: str | None = None


def allows(policies: list[Manifest], source: Endpoint, target: Endpoint, port: int, protocol: str = "TCP") -> bool:
    """Whether both ends allow the connection. An end outside the store's namespace has no policies."""
    return _allows_side(policies, source, target, port, protocol, "Egress") and _allows_side(
        policies, target, source, port, protocol, "Ingress"
    )


def _allows_side(
    policies: list[Manifest], pod: Endpoint, peer: Endpoint, port: int, protocol: str, direction: str
) -> bool:
    if pod.component is None:
        return True
    applying = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"] and _selects(policy["spec"]["podSelector"], pod)
    ]
    side = "to" if direction == "Egress" else "from"
    return not applying or any(
        any(_matches_peer(row, peer) for row in rule[side])
        and any(row["port"] == port and row["protocol"] == protocol for row in rule["ports"])
        for spec in applying
        for rule in spec.get(direction.lower(), ())
    )


def _selects(selector: Manifest, pod: Endpoint) -> bool:
    wanted = selector.get("matchLabels", {})
    assert wanted.keys() <= {"app.kubernetes.io/component"}
    return not wanted or wanted["app.kubernetes.io/component"] == pod.component


def _matches_peer(row: Manifest, peer: Endpoint) -> bool:
    if "ipBlock" in row:
        block, address = row["ipBlock"], peer.address and ip_address(peer.address)
        if not address or address not in ip_network(block["cidr"]):
            return False
        return not any(address in ip_network(cidr) for cidr in block.get("except", ()))
    if "namespaceSelector" in row:
        return bool(row["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": peer.namespace})
    return peer.component is not None and _selects(row["podSelector"], peer)
