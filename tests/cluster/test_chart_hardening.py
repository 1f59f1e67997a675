"""The chart's objects keep the rules of chart_rules.py, and each weaker object breaks one.

The weaker objects are generated from the rendered ones: each security field is removed, or gets each weaker value.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chart import SCENARIOS
from tests.support.chart_rules import problems
from tests.support.helm import Helm

JSON = dict[str, Any]
PLATFORM = ("api", "worker", "migration", "smoke-test")
EVERYWHERE = {
    *(f"{component} → anyone 53/{protocol}" for component in PLATFORM for protocol in ("TCP", "UDP")),
    *("api ← smoke-test http/TCP", "smoke-test → api http/TCP"),
}
FROM_INGRESS = {"api ← namespace ingress http/TCP"}
METRICS = {f"{component} ← namespace monitoring metrics/TCP" for component in ("api", "worker")}
API_SERVER = {f"worker → {network} {port}/TCP" for network in ("0.0.0.0/0", "::/0") for port in (443, 6443)}
PRIVATE = "10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16"
PUBLIC = (f"0.0.0.0/0 except {PRIVATE}", "::/0 except ::1/128, fc00::/7, fe80::/10")
WEBHOOKS = {f"worker → {network} 443/TCP" for network in PUBLIC}
ALWAYS = EVERYWHERE | WEBHOOKS
MAIL = {f"api → anyone {port}/TCP" for port in (25, 465, 587)}
BUNDLED = {
    *(f"{component} → {server}/TCP" for component in PLATFORM for server in ("postgres 5432", "valkey 6379")),
    *(
        f"{server}/TCP"
        for component in PLATFORM
        for server in (f"postgres ← {component} postgres", f"valkey ← {component} redis")
    ),
}
BACKUP = {
    *(f"backup → anyone {port}" for port in ("53/TCP", "53/UDP", "9000/TCP")),
    *("backup → postgres 5432/TCP", "postgres ← backup postgres/TCP"),
}


def external(*ports: int) -> set[str]:
    return {f"{component} → anyone {port}/TCP" for component in PLATFORM for port in ports}


CONNECTIONS = {
    "bundled": ALWAYS | FROM_INGRESS | METRICS | API_SERVER | BUNDLED,
    "local": ALWAYS | FROM_INGRESS | METRICS | API_SERVER | BUNDLED,
    "everything": ALWAYS
    | FROM_INGRESS
    | {"api ← 192.0.2.0/24 http/TCP", "api → anyone 443/TCP"}
    | API_SERVER
    | BUNDLED
    | BACKUP
    | MAIL,
    "external": ALWAYS
    | FROM_INGRESS
    | METRICS
    | {"worker → 192.0.2.1/32 6443/TCP"}
    | external(5432, 6432, 6379)
    | MAIL,
    "production": ALWAYS | FROM_INGRESS | METRICS | API_SERVER | external(5432, 6379),
    "gateway": ALWAYS | {"api ← namespace edge http/TCP"} | METRICS | API_SERVER | external(5432, 6379),
}
"""What network policies allow, by scenario. `minimal` has none."""

WEAKER: dict[str, list[Any]] = {
    "allowPrivilegeEscalation": [True],
    "readOnlyRootFilesystem": [False],
    "runAsNonRoot": [False],
    "runAsUser": [0],
    "capabilities": [{}, {"drop": ["NET_RAW"]}, {"drop": ["ALL"], "add": ["NET_ADMIN"]}],
    "seccompProfile": [{"type": "Unconfined"}],
    "securityContext": [{}],
    "automountServiceAccountToken": [True, False],
    "enableServiceLinks": [True],
    "serviceAccountName": ["default"],
    "emptyDir": [{}],
    "limits": [{}],
    "requests": [{}],
    "image": ["docker.io/storefleet/platform", "docker.io/storefleet/platform:latest"],
    "valueFrom": [{"configMapKeyRef": {"name": "plain", "key": "text"}}],
    "policyTypes": [["Ingress"], ["Egress"], []],
    "ingress": [[{}]],
    "egress": [[{}]],
    "from": [[]],
    "to": [[]],
    "port": [1],
    "cidr": ["::/1"],
    "matchLabels": [{}],
}
"""By field: weaker values. Each field is removed, too."""
ADDED: dict[str, JSON] = {
    "pod": {"hostNetwork": True, "hostPID": True, "hostIPC": True, "shareProcessNamespace": True, "hostUsers": True},
    "container": {"stdin": True, "tty": True, "volumeDevices": [{"name": "data", "devicePath": "/dev/sda"}]},
    "securityContext": {"privileged": True, "procMount": "Unmasked", "runAsUser": 0, "supplementalGroups": [0]},
}
SECURITY_KINDS = {"CronJob", "Deployment", "StatefulSet", "Job", "NetworkPolicy", "ServiceAccount"}
"""test_chart_rendering.py compares roles and the admission policy as a whole with the files that other tests attack."""
NOT_SECURITY = {
    *("affinity", "labelSelector", "selector", "volumeClaimTemplates"),
    *("livenessProbe", "readinessProbe", "startupProbe"),
}
"""Parts of objects in which fields with these names are no fields of security."""


@pytest.mark.parametrize("scenario", CONNECTIONS)
def test_every_object_keeps_the_rules(helm: Helm, scenario: str) -> None:
    assert list(problems(helm.render(SCENARIOS[scenario]), CONNECTIONS[scenario])) == []


def test_without_network_policies_only_they_are_missed(helm: Helm) -> None:
    found = list(problems(helm.render(SCENARIOS["minimal"]), set()))
    assert {problem.rpartition(" ")[0] for problem in found} == {"no network policy selects"}


def mutations(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """(path, new value) of each weaker object; `REMOVED` for none."""
    if isinstance(node, list):
        for index, child in enumerate(node):
            yield from mutations(child, (*path, index))
    if not isinstance(node, dict):
        return
    for key, child in node.items():
        if key in NOT_SECURITY:
            continue
        if key in WEAKER:
            yield (*path, key), REMOVED
            yield from (((*path, key), value) for value in WEAKER[key] if value != child)
        yield from mutations(child, (*path, key))
    kind = "pod" if "containers" in node else "container" if "image" in node else str(path[-1]) if path else ""
    yield from (((*path, key), value) for key, value in ADDED.get(kind, {}).items() if node.get(key) != value)


REMOVED = object()


def mutated(item: JSON, path: tuple[str | int, ...], value: Any) -> JSON:
    changed = copy.deepcopy(item)
    *parents, last = path
    parent: Any = changed
    for key in parents:
        parent = parent[key]
    if value is REMOVED:
        del parent[last]
    else:
        parent[last] = value
    return changed


@pytest.mark.parametrize("scenario", ["bundled", "external", "everything"])
def test_every_weaker_object_is_found(helm: Helm, scenario: str) -> None:
    objects = helm.render(SCENARIOS[scenario])
    tried, unnoticed = 0, []
    for index, item in enumerate(objects):
        for path, value in mutations(item) if item["kind"] in SECURITY_KINDS else ():
            weaker = [*objects[:index], mutated(item, path, value), *objects[index + 1 :]]
            tried += 1
            if not any(True for _ in problems(weaker, CONNECTIONS[scenario])):
                what = "removed" if value is REMOVED else value
                unnoticed.append(f"{item['kind']} {item['metadata']['name']}: {'.'.join(map(str, path))} = {what}")
    assert unnoticed == []
    assert tried > 250


def test_every_weakness_is_tried(helm: Helm) -> None:
    items = [item for item in helm.render(SCENARIOS["bundled"]) if item["kind"] in SECURITY_KINDS]
    assert WEAKER.keys() <= {path[-1] for item in items for path, _ in mutations(item)}
