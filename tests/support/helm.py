"""Runs a real Helm on the chart."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox import helm
from sandbox.helm import HelmError
from sandbox.kubernetes.binaries import build_helm
from tests.support.chart import CHART

__all__ = ["HelmError"]

JSON = dict[str, Any]
NEWEST = "1.36"
"""The Kubernetes that Helm renders for: built without linker flags, it thinks of version 1.20."""


@dataclass(frozen=True)
class Helm(helm.Helm):
    """A Helm that also renders."""

    def render(
        self,
        files: Sequence[Path] = (),
        values: JSON | None = None,
        *,
        name: str = "storefleet",
        namespace: str = "storefleet",
        strict: bool = True,
    ) -> list[JSON]:
        """The objects of `helm template`, those of tests too. `values`: win over the files. Raises HelmError."""
        words: list[str | Path] = ["template", name, CHART, "--namespace", namespace, "--kube-version", NEWEST]
        words += [word for file in files for word in ("--values", file)]
        words += [] if strict else ["--skip-schema-validation"]
        output = self.run(*words, "--values", "-", input_text=json.dumps(values or {}))
        return [item for item in yaml.load_all(output, yaml.CSafeLoader) if item is not None]


def build(home: Path, kubeconfig: Path | None = None) -> Helm:
    """A Helm, built from its Go module if it isn't in the cache."""
    return Helm(build_helm(print), home, kubeconfig)


def find(objects: Sequence[JSON], kind: str, name: str) -> JSON:
    """The object of that kind whose name ends so."""
    [found] = [item for item in objects if item["kind"] == kind and item["metadata"]["name"].endswith(name)]
    return found


def container(objects: Sequence[JSON], kind: str, name: str) -> JSON:
    """The first container of that workload."""
    found: JSON = pod(objects, kind, name)["containers"][0]
    return found


def pod(objects: Sequence[JSON], kind: str, name: str) -> JSON:
    """The pod spec of that workload."""
    found: JSON = find(objects, kind, name)["spec"]["template"]["spec"]
    return found


def environment(objects: Sequence[JSON], kind: str, name: str) -> JSON:
    """The variables of that workload's container: values, and references as (Secret, key)."""
    found = {}
    for item in container(objects, kind, name)["env"]:
        reference = item.get("valueFrom", {}).get("secretKeyRef", {})
        found[item["name"]] = item.get("value", (reference.get("name"), reference.get("key")))
    return found
