"""What keeps a store to itself: the same for every engine, which only tells its parts and what they need."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from runtime.settings import ClusterProfile
from stores.engines import Manifest, StoreSpec
from workers.engines.description import describe
from workers.engines.labels import HOST, labels, metadata, namespace_name, selector
from workers.engines.pods import Resources

POD_SECURITY_VERSION = "v1.34"
MANAGER_ROLE = "storefleet-store-manager"
"""The ClusterRole that a RoleBinding gives the worker in each store's namespace."""

_PRIVATE_V4 = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
)  # fmt: skip
"""Private, shared, link-local with the clouds' metadata, and Azure's host agent, whose address looks public."""
_PRIVATE_V6 = (
    "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16",
    "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip
"""The same, and the prefixes that carry an IPv4 address within."""
_SOLVER = {"acme.cert-manager.io/http01-solver": "true"}
_SOLVER_PORT = 8089
"""Of the pods by which cert-manager answers a challenge over HTTP, in the namespace of the certificate."""
WEB_SERVERS = (443, 80)
MAIL_SERVERS = (465, 587)
"""Those that know who sends; port 25 would take anybody's mail."""


@dataclass(frozen=True)
class Part:
    """A component: which of its ports others may reach, and what one pod of it may use."""

    name: str
    resources: Resources
    port: int | None = None
    callers: Sequence[str] = ()
    """Components that may reach the port."""
    public: bool = False
    """The ingress controller may reach the port."""
    internet: Sequence[int] = ()
    """Ports that it may reach at the internet's addresses, but at no private one."""
    mail: bool = False
    """It may reach the mail server of the cluster's profile, if there is one."""
    disk: str | None = None
    """Size of its disk, in Gi."""


def host_of(spec: StoreSpec, profile: ClusterProfile) -> str:
    """The store's host name."""
    return f"{spec.slug}.{profile.base_domain}"


def address_of(spec: StoreSpec, profile: ClusterProfile) -> str:
    """The store's URL as shoppers type it, without a path."""
    port = f":{profile.store_port}" if profile.store_port else ""
    return f"{profile.store_scheme}://{host_of(spec, profile)}{port}"


def namespace(spec: StoreSpec, engine: str, profile: ClusterProfile) -> Manifest:
    """Enforces Pod Security; the host is fixed here for the admission policy that guards Ingresses.

    It is never patched, so nothing that an update may change belongs here.
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
            "annotations": {HOST: host_of(spec, profile)},
        },
    }


def isolation(spec: StoreSpec, engine: str, profile: ClusterProfile, parts: Sequence[Part]) -> list[Manifest]:
    """RoleBinding, description, quota, limits, network policies and one ServiceAccount a part."""
    return [
        _role_binding(spec, engine, profile),
        describe(spec, engine),
        _quota(spec, engine, parts),
        _limits(spec, engine),
        *(_account(spec, engine, part) for part in parts),
        *_network(spec, engine, profile, parts),
    ]


def _role_binding(spec: StoreSpec, engine: str, profile: ClusterProfile) -> Manifest:
    """Never patched either, so it doesn't name the release."""
    owner, _, name = profile.worker_service_account.partition("/")
    lasting = {key: value for key, value in metadata(spec, engine, "storefleet").items() if key != "annotations"}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": lasting,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": MANAGER_ROLE},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": owner}],
    }


def _quota(spec: StoreSpec, engine: str, parts: Sequence[Part]) -> Manifest:
    """Room for one pod of each part, and for a second one of what shoppers reach: it comes before the first goes."""
    rooms = [*parts, *(part for part in parts if part.public)]
    cpu = sum(part.resources.cpu for part in rooms)
    memory = sum(part.resources.memory for part in rooms)
    scratch = sum(part.resources.scratch for part in rooms)
    disks = [part.disk for part in parts if part.disk is not None]
    gibibytes = sum(int(disk.removesuffix("Gi")) for disk in disks)
    hard = {
        "limits.cpu": f"{cpu}m",
        "limits.memory": f"{memory}Mi",
        "limits.ephemeral-storage": f"{scratch}Mi",
        "requests.cpu": f"{cpu // 5}m",
        "requests.memory": f"{memory // 2}Mi",
        "requests.ephemeral-storage": f"{scratch // 2}Mi",
        "requests.storage": f"{gibibytes}Gi",
        "persistentvolumeclaims": str(len(disks)),
        "pods": str(2 * len(parts)),  # those on their way out count until they are gone
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


def _limits(spec: StoreSpec, engine: str) -> Manifest:
    """For containers that name no resources of their own; ours all do."""
    small = Resources(cpu=100, memory=128, scratch=64)
    default = {"type": "Container", "default": small.limits, "defaultRequest": small.requests}
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": metadata(spec, engine, "store"),
        "spec": {"limits": [default]},
    }


def _account(spec: StoreSpec, engine: str, part: Part) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(spec, engine, part.name, part.name),
        "automountServiceAccountToken": False,
    }


def _network(spec: StoreSpec, engine: str, profile: ClusterProfile, parts: Sequence[Part]) -> list[Manifest]:
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
        *([policy("acme", {"matchLabels": _SOLVER}, **_challenged(profile))] if profile.cluster_issuer else []),
        *(
            policy(
                part.name,
                {"matchLabels": selector(part.name)},
                policyTypes=["Ingress", "Egress"],
                # no rules, no list: the API server would leave an empty one out, and see a change at every apply
                **({"ingress": rules} if (rules := _ingress(part, profile)) else {}),
                **({"egress": rules} if (rules := _egress(part, parts, profile)) else {}),
            )
            for part in parts
        ),
    ]


def _challenged(profile: ClusterProfile) -> Manifest:
    ports = [{"protocol": "TCP", "port": _SOLVER_PORT}]
    come_in = {"from": [_namespace(profile.ingress_namespace)], "ports": ports}
    return {"policyTypes": ["Ingress"], "ingress": [come_in]}


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _pods(name: str) -> Manifest:
    return {"podSelector": {"matchLabels": selector(name)}}


def _port(part: Part) -> list[Manifest]:
    """Raises ValueError without one: Kubernetes would open them all."""
    if part.port is None:
        raise ValueError(f"others may reach the part {part.name!r}, but it has no port")
    return [{"protocol": "TCP", "port": part.port}]


def _ingress(part: Part, profile: ClusterProfile) -> list[Manifest]:
    sources = [_namespace(profile.ingress_namespace)] if part.public else []
    sources += [_pods(caller) for caller in part.callers]
    return [{"from": sources, "ports": _port(part)}] if sources else []


def _egress(part: Part, parts: Sequence[Part], profile: ClusterProfile) -> list[Manifest]:
    rules = [{"to": [_pods(other.name)], "ports": _port(other)} for other in parts if part.name in other.callers]
    if part.internet:
        ports = [{"protocol": "TCP", "port": port} for port in part.internet]
        rules.append({"to": _internet(), "ports": ports})
    if part.mail and profile.smtp_url is not None:
        rules.append(_mail_server(profile.smtp_url.get_secret_value()))
    return rules


def _internet() -> list[Manifest]:
    return [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(_PRIVATE_V4)}},
        {"ipBlock": {"cidr": "::/0", "except": list(_PRIVATE_V6)}},
    ]


def _mail_server(url: str) -> Manifest:
    """On the internet, or a Service of the cluster, `name.namespace.svc`, whose pods listen at its port."""
    server = urlsplit(url)
    port = server.port or (465 if server.scheme == "smtps" else 587)
    service = re.fullmatch(r"[^.]+\.([^.]+)\.svc(\..+)?", server.hostname or "")
    return {
        "to": [_namespace(service[1])] if service else _internet(),
        "ports": [{"protocol": "TCP", "port": port}],
    }
