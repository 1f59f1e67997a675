"""Every value of the chart has an effect, and every setting reaches the processes."""

from functools import reduce
from typing import Any

import pytest

from runtime.settings import ENV_PREFIX, ClusterProfile, Settings
from tests.support.chart import CHART_SETTINGS, SCENARIOS, SECRET_SETTINGS, camel_case, paths, values_schema
from tests.support.helm import Helm, find

JSON = dict[str, Any]
BUNDLED = SCENARIOS["bundled"]


def test_every_setting_reaches_the_processes(helm: Helm) -> None:
    """Numbers aren't in exponents, lists are separated by commas, and names are those that the processes read."""
    samples = {"string": "x1", "integer": 1_000_000, "number": 0.5, "boolean": True, "array": ["a", "b"]}
    schema = values_schema()["properties"]["settings"]["properties"]
    values = {name: item["enum"][0] if "enum" in item else samples[item["type"]] for name, item in schema.items()}
    values |= {"publicUrl": "https://fleet.example.com", "databaseImage": "mysql"}
    data = find(helm.render(BUNDLED, {"settings": values}, strict=False), "ConfigMap", "settings")["data"]
    fields = {**Settings.model_fields, **ClusterProfile.model_fields}
    names = {
        camel_case(name): f"{ENV_PREFIX}{name.upper()}" for name in fields.keys() - SECRET_SETTINGS - CHART_SETTINGS
    }
    assert names.keys() == values.keys()
    written = {float: "0.5", int: "1000000", list: "a,b"}
    for name, value in values.items():
        assert data[names[name]] == written.get(type(value), value)


SAMPLES: dict[str, Any] = {
    "image.digest": "sha256:" + "1" * 64,
    "image.pullPolicy": "Never",
    "imagePullSecrets": [{"name": "a"}],
    "settings.publicUrl": "https://fleet.example.com",
    "settings.storeScheme": "https",
    "settings.routing": "gateway",
    "priorityClass.value": 7,
    "service.type": "NodePort",
    "extraEnv": [{"name": "A", "value": "b"}],
    "extraEnvFrom": [{"configMapRef": {"name": "a"}}],
    "extraVolumes": [{"name": "a", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "a", "mountPath": "/a"}],
    "extraObjects": [{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}}],
    "httpRoute.parentRefs": [{"name": "other"}],
    "networkPolicy.apiFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
    "networkPolicy.metricsFrom": [],
    "networkPolicy.databasePorts": [6432],
    "networkPolicy.redisPorts": [6380],
    "networkPolicy.smtpPorts": [2525],
    "networkPolicy.oidcPorts": [8443],
    "networkPolicy.webhookPorts": [8443],
    "networkPolicy.apiServer.cidrs": ["192.0.2.0/24"],
    "networkPolicy.apiServer.ports": [8443],
    "admissionPolicy.images": ["a/"],
    "api.drainSeconds": 1,
    "api.autoscaling.maxReplicas": 8,
    "metrics.podMonitor.interval": "5s",
}
TOLERATIONS = [{"operator": "Exists"}]
SPREAD = [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "ScheduleAnyway"}]
for component in ("api", "worker"):
    SAMPLES |= {f"{component}.tolerations": TOLERATIONS, f"{component}.topologySpreadConstraints": SPREAD}
    SAMPLES |= {
        f"{component}.extraEnv": SAMPLES["extraEnv"],
        f"{component}.lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
    }
    SAMPLES |= {f"{component}.affinity": {"nodeAffinity": {}}}
EXTERNAL: JSON = {"database": {"url": "postgresql://u:p@h/d"}, "redis": {"url": "redis://h"}}
EXISTING: JSON = {name: {"existingSecret": {"name": "given"}} for name in ("database", "redis", "smtp", "oidc")}
URLS = {"url": "postgresql://u:p@h/d", "listenUrl": "postgresql://u:p@h/d"}
ROLES: JSON = {"database": {**URLS, "api": URLS, "worker": URLS}, "redis": {"url": "redis://h"}}
GIVEN = {"existingSecret": {"name": "given", "listenKey": "direct"}}
EXISTING_ROLES: JSON = {"database": {**GIVEN, "api": GIVEN, "worker": GIVEN}, "redis": {"url": "redis://h"}}
ROUTES: JSON = {
    **EXTERNAL,
    "settings": {"publicUrl": "http://fleet.example.com"},
    "ingress": {"enabled": True},
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "stores"}]},
}
BEFORE: dict[str, JSON] = {
    "database.bundled.": {name: {"bundled": {"enabled": True}} for name in ("database", "redis")},
    "redis.bundled.": {name: {"bundled": {"enabled": True}} for name in ("database", "redis")},
    **{f"{name}.existingSecret.": EXISTING for name in EXISTING},
    **{f"database.{role}.existingSecret.": EXISTING_ROLES for role in ("api", "worker")},
    **{f"database.{role}.": ROLES for role in ("api", "worker")},
    "networkPolicy.smtpPorts": {**EXTERNAL, "smtp": {"url": "smtps://mail.example.com"}},
    "networkPolicy.oidcPorts": {**EXTERNAL, "settings": {"oidcIssuer": "https://accounts.example.com"}},
    "backup.": {
        **EXTERNAL,
        "backup": {"enabled": True, "upload": {"to": "backup:bucket", "existingSecret": "remote"}},
    },
    "ingress.": ROUTES,
    "httpRoute.": ROUTES,
    "api.autoscaling.": {**EXTERNAL, "api": {"autoscaling": {"enabled": True}}},
    "priorityClass.name": {**EXTERNAL, "priorityClass": {"create": False}},
    **{
        f"metrics.{name}.": {**EXTERNAL, "metrics": {name: {"enabled": True}}}
        for name in ("podMonitor", "prometheusRule", "grafanaDashboard")
    },
}
"""By the begin of a path: values with which it has an effect."""
TESTED_BELOW = {"production", "global", "database.bundled.enabled", "redis.bundled.enabled"}
"""`global` belongs to parent charts."""


def other(path: str, default: Any) -> Any:
    """A value that isn't the default."""
    if path in SAMPLES:
        return SAMPLES[path]
    match default:
        case bool():
            return not default
        case int():
            return default + 1
        case str():
            return "other"
        case dict():
            return {"example.com/other": "value"} if not path.endswith("resources") else {"limits": {"memory": "77Mi"}}
        case _:
            raise AssertionError(f"{path} needs a sample")


def nested(path: str, value: Any) -> JSON:
    nested: JSON = reduce(lambda inner, key: {key: inner}, reversed(path.split(".")), value)
    return nested


def merge(one: JSON, two: JSON) -> JSON:
    """As Helm merges values."""
    both = {key: merge(one[key], two[key]) for key in one.keys() & two.keys() if isinstance(one[key], dict)}
    return {**one, **two, **both}


LEAVES = [
    (path, default)
    for path, default in paths()
    if path not in TESTED_BELOW and not any(other_path.startswith(f"{path}.") for other_path, _ in paths())
]


@pytest.mark.parametrize(("path", "default"), LEAVES, ids=[path for path, _ in LEAVES])
def test_every_value_has_an_effect(helm: Helm, path: str, default: Any) -> None:
    before = next((values for prefix, values in BEFORE.items() if path.startswith(prefix)), EXTERNAL)
    current = reduce(lambda item, key: item.get(key, {}), path.split("."), before) or default
    changed = merge(before, nested(path, other(path, current)))
    assert helm.render(values=before) != helm.render(values=changed)
