"""The objects that isolate a store: the same for every engine, which only declares its components."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from runtime.settings import ClusterProfile
from stores.engines import Manifest, StoreSpec
from stores.names import store_host
from workers.engines.description import store_config_map
from workers.engines.labels import HOST, labels, metadata, namespace_name, selector
from workers.engines.pods import Resources

POD_SECURITY_VERSION = "v1.34"

_PRIVATE_V4 = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
)  # fmt: skip
"""Private, shared and link-local addresses (cloud metadata), and Azure's host agent, which has a public address."""
_PRIVATE_V6 = (
    "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16",
    "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip
"""The same for IPv6, and the prefixes that embed an IPv4 address."""
_SOLVER = {"acme.cert-manager.io/http01-solver": "true"}
_SOLVER_PORT = 8089
"""The port of cert-manager's ACME HTTP-01 solver pods, which run in the namespace of the certificate."""
WEB_SERVERS = (443, 80)
MAIL_SERVERS = (465, 587)
"""Ports for authenticated submission. Port 25 isn't one of them: it would allow spam."""


@dataclass(frozen=True)
class Component:
    """The part of a store that has one value of the label app.kubernetes.io/component: web, database, install, …"""

    name: str
    resources: Resources
    """Limits of one pod."""
    port: int | None = None
    clients: Sequence[str] = ()
    """Names of the components that may connect to the port."""
    public: bool = False
    """The ingress controller may connect to the port."""
    internet_ports: Sequence[int] = ()
    """Ports that it may connect to at public addresses, never at private ones."""
    mail: bool = False
    """It may connect to the mail server of the cluster's profile, if there is one."""
    disk: str | None = None
    """Size of its volume, such as `2Gi`."""
    pods: int = 1
    """0: it doesn't run on this plan."""


def namespace(spec: StoreSpec, engine: str, profile: ClusterProfile) -> Manifest:
    """The namespace: enforces Pod Security; its annotation with the host is read by the admission policy.

    A namespace is created once and never patched, so it has nothing that an update may change.
    """
    security = {
        f"pod-security.kubernetes.io/{mode}{suffix}": value
        for mode in ("enforce", "audit", "warn")
        for suffix, value in (("", "restricted"), ("-version", POD_SECURITY_VERSION))
    }
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": namespace_name(spec.store_id),
            "labels": {**labels(spec, engine), **security},
            "annotations": {HOST: store_host(spec.slug, profile)},
        },
    }


def isolation(spec: StoreSpec, engine: str, profile: ClusterProfile, components: Sequence[Component]) -> list[Manifest]:
    """RoleBinding, ConfigMap `store`, quota, limits, network policies and one ServiceAccount for each component."""
    return [
        _role_binding(spec, engine, profile),
        store_config_map(spec, engine),
        _quota(spec, engine, components),
        _limit_range(spec, engine),
        *(_service_account(spec, engine, component) for component in components),
        *_network(spec, engine, profile, components),
    ]


def _role_binding(spec: StoreSpec, engine: str, profile: ClusterProfile) -> Manifest:
    """Never patched, so it has no annotation with the release, and its name is that of what it binds: another service
    account or role gets a RoleBinding of its own."""
    worker_namespace, _, name = profile.worker_service_account.partition("/")
    digest = hashlib.sha256(f"{profile.manager_role} {profile.worker_service_account}".encode()).hexdigest()
    own_metadata = metadata(spec, engine, f"storefleet-{digest[:8]}")
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {key: value for key, value in own_metadata.items() if key != "annotations"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": profile.manager_role},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": worker_namespace}],
    }


def _quota(spec: StoreSpec, engine: str, components: Sequence[Component]) -> Manifest:
    """Enough for one pod of each component, and for a second pod of public ones (maxSurge of a rolling update)."""
    running = [component for component in components if component.pods]
    pods = [*running, *(component for component in running if component.public)]
    cpu = sum(component.resources.cpu for component in pods)
    memory = sum(component.resources.memory for component in pods)
    ephemeral_storage = sum(component.resources.ephemeral_storage for component in pods)
    disks = [component.disk for component in components if component.disk is not None]
    gibibytes = sum(int(disk.removesuffix("Gi")) for disk in disks)
    hard = {
        "limits.cpu": f"{cpu}m",
        "limits.memory": f"{memory}Mi",
        "limits.ephemeral-storage": f"{ephemeral_storage}Mi",
        "requests.cpu": f"{cpu // 5}m",
        "requests.memory": f"{memory // 2}Mi",
        "requests.ephemeral-storage": f"{ephemeral_storage // 2}Mi",
        "requests.storage": f"{gibibytes}Gi",
        "persistentvolumeclaims": str(len(disks)),
        "pods": str(2 * len(running)),  # terminating pods count until they are deleted
        "services": "5",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
        "secrets": "20",
        "configmaps": "10",
        "count/jobs.batch": "10",
        "count/cronjobs.batch": "3",
        "count/deployments.apps": "5",
        "count/statefulsets.apps": "5",
        "count/ingresses.networking.k8s.io": "3",
    }
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata(spec, engine, "store"),
        "spec": {"hard": hard},
    }


def _limit_range(spec: StoreSpec, engine: str) -> Manifest:
    """Defaults for containers without resources. The engines' containers all have resources."""
    small = Resources(cpu=100, memory=128, ephemeral_storage=64)
    default = {"type": "Container", "default": small.limits, "defaultRequest": small.requests}
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": metadata(spec, engine, "store"),
        "spec": {"limits": [default]},
    }


def _service_account(spec: StoreSpec, engine: str, component: Component) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(spec, engine, component.name, component.name),
        "automountServiceAccountToken": False,
    }


def _network(spec: StoreSpec, engine: str, profile: ClusterProfile, components: Sequence[Component]) -> list[Manifest]:
    def policy(name: str, pods: Manifest, **rules: object) -> Manifest:
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata(spec, engine, name),
            "spec": {"podSelector": pods, **rules},
        }

    dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return [
        policy("deny-all", {}, policyTypes=["Ingress", "Egress"]),
        policy("dns", {}, policyTypes=["Egress"], egress=[{"to": [_namespace("kube-system")], "ports": dns}]),
        *([policy("acme", {"matchLabels": _SOLVER}, **_acme_solver_rules(profile))] if profile.cluster_issuer else []),
        *(
            policy(
                component.name,
                {"matchLabels": selector(component.name)},
                policyTypes=["Ingress", "Egress"],
                # no empty lists: the API server drops them, and every later apply would be a change
                **({"ingress": rules} if (rules := _ingress(component, profile)) else {}),
                **({"egress": rules} if (rules := _egress(component, components, profile)) else {}),
            )
            for component in components
        ),
    ]


def _acme_solver_rules(profile: ClusterProfile) -> Manifest:
    ports = [{"protocol": "TCP", "port": _SOLVER_PORT}]
    rule = {"from": [_namespace(profile.ingress_namespace)], "ports": ports}
    return {"policyTypes": ["Ingress"], "ingress": [rule]}


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _pods(name: str) -> Manifest:
    return {"podSelector": {"matchLabels": selector(name)}}


def _port(component: Component) -> list[Manifest]:
    """Raises ValueError if the component has no port: a rule without ports would open all ports."""
    if component.port is None:
        raise ValueError(f"others may connect to the component {component.name!r}, but it has no port")
    return [{"protocol": "TCP", "port": component.port}]


def _ingress(component: Component, profile: ClusterProfile) -> list[Manifest]:
    sources = [_namespace(profile.ingress_namespace)] if component.public else []
    sources += [_pods(client) for client in component.clients]
    return [{"from": sources, "ports": _port(component)}] if sources else []


def _egress(component: Component, components: Sequence[Component], profile: ClusterProfile) -> list[Manifest]:
    rules = [
        {"to": [_pods(other.name)], "ports": _port(other)} for other in components if component.name in other.clients
    ]
    if component.internet_ports:
        ports = [{"protocol": "TCP", "port": port} for port in component.internet_ports]
        rules.append({"to": _internet(), "ports": ports})
    if component.mail and profile.smtp_url is not None:
        rules.append(_mail_server(profile.smtp_url.get_secret_value()))
    return rules


def _internet() -> list[Manifest]:
    return [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(_PRIVATE_V4)}},
        {"ipBlock": {"cidr": "::/0", "except": list(_PRIVATE_V6)}},
    ]


def _mail_server(url: str) -> Manifest:
    """A rule for a server on the internet, or for a Service `name.namespace.svc` whose pods listen at the same port."""
    server = urlsplit(url)
    port = server.port or (465 if server.scheme == "smtps" else 587)
    service = re.fullmatch(r"[^.]+\.([^.]+)\.svc(\..+)?", server.hostname or "")
    return {
        "to": [_namespace(service[1])] if service else _internet(),
        "ports": [{"protocol": "TCP", "port": port}],
    }
