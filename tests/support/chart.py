"""The chart's files, and what is made from its values.yaml: values.schema.json and the table in its README."""

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from runtime.settings import ClusterProfile, Settings

CHART = Path(__file__).resolve().parents[2] / "charts" / "storefleet"
SCENARIOS = {
    **{file.name.removesuffix("-values.yaml"): [file] for file in sorted(CHART.glob("ci/*-values.yaml"))},
    "local": [CHART / "values-local.yaml"],
    "production": [CHART / "values-prod.yaml", CHART / "ci" / "production-values.yaml"],
}
"""By name: values files that can be installed together."""
TABLE = re.compile(r"(?<=<!-- values -->\n).*?(?=<!-- end of values -->)", re.DOTALL)

Schema = dict[str, Any]

SECRET_SETTINGS = {
    *("admin_keys", "api_database_url", "database_listen_url", "database_url", "oidc_client_secret", "redis_url"),
    *("smtp_url", "worker_database_url", "worker_keys"),
}
CHART_SETTINGS = {
    *(
        "admission_policy",
        "drain_seconds",
        "host",
        "kube_context",
        "kubeconfig",
        "manager_role",
        "metrics_port",
        "port",
    ),
    "worker_service_account",
}
"""Settings that the chart sets itself, or that have no use in a pod."""
CONSTRAINTS: dict[str, Schema] = {
    "image.digest": {"pattern": "^(sha256:[0-9a-f]{64})?$"},
    "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "service.type": {"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
    "service.port": {"minimum": 1, "maximum": 65535},
    "metrics.port": {"minimum": 1024, "maximum": 65535},
    "api.replicas": {"minimum": 1},
    "api.drainSeconds": {"minimum": 0},
    "api.autoscaling.minReplicas": {"minimum": 1},
    "worker.replicas": {"minimum": 0},
    "worker.terminationGracePeriodSeconds": {"minimum": 10},
    "backup.keep": {"minimum": 1},
    "backup.upload.port": {"minimum": 1, "maximum": 65535},
    "podDisruptionBudget.maxUnavailable": {"type": ["integer", "string"]},
    "smokeTest.timeoutSeconds": {"minimum": 1},
    # an empty list in a network policy would allow everything
    **{
        f"networkPolicy.{of}Ports": {"items": {"type": "integer"}, "minItems": 1}
        for of in ("database", "oidc", "redis", "smtp", "webhook")
    },
    "networkPolicy.apiServer.cidrs": {"minItems": 1},
    "networkPolicy.apiServer.ports": {"items": {"type": "integer"}, "minItems": 1},
    "extraObjects": {"items": {"type": ["object", "string"]}},
}
"""What a default doesn't tell, by path."""
OPEN = ("commonLabels", "global", "resources", "annotations", "labels")
"""Names of objects whose keys the chart doesn't know; empty ones are open, too."""
STRINGS = ("commonLabels", "annotations", "labels", "podAnnotations", "podLabels", "nodeSelector")
"""Names of objects of which Kubernetes accepts only strings as values."""
JSON_TYPES: dict[type, str] = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}


def values() -> dict[str, Any]:
    """The default values; a copy, which the caller may change."""
    return copy.deepcopy(_values())


@cache
def _values() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return loaded


@cache
def values_schema() -> Schema:
    """The schema of values: types of the defaults, constraints, and the settings as the processes read them."""
    schema = _object_schema(values(), "")
    schema["properties"]["settings"]["properties"] = dict(sorted(_settings()))
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema}


def _object_schema(defaults: dict[str, Any], prefix: str) -> Schema:
    properties = {name: _schema(default, f"{prefix}{name}") for name, default in defaults.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _schema(default: Any, path: str) -> Schema:
    constraints = CONSTRAINTS.get(path, {})
    if _is_section(path, default):
        return _object_schema(default, f"{path}.")
    if path.rpartition(".")[2] in STRINGS:
        constraints = {"additionalProperties": {"type": "string"}}
    return {"type": JSON_TYPES[type(default)], **constraints}


def _settings() -> Iterator[tuple[str, Schema]]:
    for model in (Settings, ClusterProfile):
        for name, found in model.model_json_schema()["properties"].items():
            if name not in SECRET_SETTINGS | CHART_SETTINGS:
                variants = [item for item in found.get("anyOf", [found]) if item.get("type") != "null"]
                yield (
                    camel_case(name),
                    {key: value for key, value in variants[0].items() if key not in ("title", "default")},
                )


def camel_case(name: str) -> str:
    """`base_domain` → `baseDomain`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def schema_text() -> str:
    return json.dumps(values_schema(), indent=2) + "\n"


def readme_text() -> str:
    """The README with its table of values replaced."""
    return TABLE.sub(lambda _: "".join(_table()), (CHART / "README.md").read_text())


def _table() -> Iterator[str]:
    yield "| value | default | meaning |\n| --- | --- | --- |\n"
    meanings = descriptions()
    for path, default in paths():
        shown = json.dumps(default, ensure_ascii=False)
        if path in meanings or not _is_section(path, default):
            text = f"`{shown}`" if len(shown) < 60 else "see values.yaml"
            yield f"| `{path}` | {text} | {meanings.get(path, '')} |\n"


def descriptions() -> dict[str, str]:
    """By path: the `# --` comment above the value."""
    found, path, words = dict[str, str](), list[str](), list[str]()
    for line in (CHART / "values.yaml").read_text().splitlines():
        if comment := re.match(r" *# (-- )?(.*)", line):
            words = [comment[2]] if comment[1] else [*words, comment[2]] if words else []
        elif key := re.match(r"( *)([\w.-]+):", line):
            path = [*path[: len(key[1]) // 2], key[2]]
            if words:
                found[".".join(path)] = " ".join(words)
            words = []
    return found


def paths(section: dict[str, Any] | None = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(path, default) of each value that the schema knows by name, sections too, in the order of values.yaml."""
    for name, default in (values() if section is None else section).items():
        yield f"{prefix}{name}", default
        if _is_section(name, default):
            yield from paths(default, f"{prefix}{name}.")


def _is_section(path: str, default: Any) -> bool:
    """An object of which the schema knows the keys."""
    return isinstance(default, dict) and bool(default) and path.rpartition(".")[2] not in OPEN
