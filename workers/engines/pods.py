"""Hardened pod templates and containers, the same for every engine.

The Pod Security Standard `restricted` and more: read-only root file system, no token, limits on everything.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stores.engines import Manifest, StoreSpec
from workers.engines.labels import CONFIG, labels

TMP = "/tmp"  # noqa: S108  # a volume of the container
UID = 10001
"""User and group of every process in a store, and of its volumes."""
LOG_MEBIBYTES = 64
"""Log files that a kubelet keeps of a container: they count as its ephemeral storage."""


@dataclass(frozen=True)
class Resources:
    """A container's limits, in millicores and MiB. Its requests: a fifth of the CPU, half of the rest."""

    cpu: int
    memory: int
    ephemeral_storage: int = 128
    """For the folder for temporary files, and LOG_MEBIBYTES for the log."""

    @property
    def limits(self) -> dict[str, str]:
        return _quantities(self.cpu, self.memory, self.ephemeral_storage)

    @property
    def requests(self) -> dict[str, str]:
        return _quantities(self.cpu // 5, self.memory // 2, self.ephemeral_storage // 2)


def _quantities(cpu: int, memory: int, ephemeral_storage: int) -> dict[str, str]:
    return {"cpu": f"{cpu}m", "memory": f"{memory}Mi", "ephemeral-storage": f"{ephemeral_storage}Mi"}


def escape_env(text: str) -> str:
    """An env value that Kubernetes doesn't expand: in other values it replaces `$(NAME)`."""
    return text.replace("$", "$$")


def env(values: Mapping[str, str], secrets: Mapping[str, tuple[str, str]]) -> list[Manifest]:
    """Environment variables with literal values, and with values from secretKeyRefs (Secret, key)."""
    literals = [{"name": name, "value": escape_env(value)} for name, value in values.items()]
    references = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
        for name, (secret, key) in secrets.items()
    ]
    return [*literals, *references]


def container(
    name: str,
    image: str,
    resources: Resources,
    *,
    env: Sequence[Manifest],
    mounts: Mapping[str, str],
    command: Sequence[str] | None = None,
    port: int | None = None,
    probes: Manifest | None = None,
    pre_stop: Sequence[str] | None = None,
    public: bool = False,
) -> Manifest:
    """A container. `mounts`: mountPath -> `volume` or `volume/subPath`. Only `/tmp` and mounted volumes are writable.

    `probes`: startupProbe, readinessProbe and livenessProbe. `pre_stop`: the command of the preStop hook.
    `public`: it answers visitors. They can write lines of its log, so the log is never quoted as a cause.
    """
    manifest: dict[str, Any] = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "env": list(env),
        "resources": {"requests": resources.requests, "limits": resources.limits},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "terminationMessagePolicy": "File" if public else "FallbackToLogsOnError",
        "volumeMounts": [_mount(path, volume) for path, volume in {TMP: "tmp", **mounts}.items()],
        **(probes or {}),
    }
    if command is not None:
        manifest["command"] = list(command)
    if port is not None:
        manifest["ports"] = [{"name": "main", "containerPort": port, "protocol": "TCP"}]
    if pre_stop is not None:
        manifest["lifecycle"] = {"preStop": {"exec": {"command": list(pre_stop)}}}
    return manifest


def _mount(path: str, volume: str) -> Manifest:
    name, _, sub_path = volume.partition("/")
    return {"name": name, "mountPath": path, **({"subPath": sub_path} if sub_path else {})}


def pod(
    spec: StoreSpec,
    engine: str,
    component: str,
    containers: Sequence[Manifest],
    *,
    volumes: Sequence[Manifest] = (),
    termination_grace: int = 30,
    restart: str = "Always",
    colocated_by: str | None = None,
    config_files: Mapping[str, str] | None = None,
) -> Manifest:
    """A pod template. `colocated_by`: the label of pods that share a ReadWriteOnce volume, so they run on one node.

    `config_files`: the files of its ConfigMap. They are hashed into an annotation: a pod reads them only at its start.
    """
    template: dict[str, Any] = {
        "metadata": {"labels": labels(spec, engine, component)},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": list(containers),
            "enableServiceLinks": False,
            "restartPolicy": restart,
            "securityContext": {
                "fsGroup": UID,
                "fsGroupChangePolicy": "OnRootMismatch",
                "runAsGroup": UID,
                "runAsNonRoot": True,
                "runAsUser": UID,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "serviceAccountName": component,
            "terminationGracePeriodSeconds": termination_grace,
            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": f"{_tmp(containers)}Mi"}}, *volumes],
        },
    }
    if config_files is not None:
        digest = hashlib.sha256(repr(sorted(config_files.items())).encode()).hexdigest()[:16]
        template["metadata"]["annotations"] = {CONFIG: digest}
    if colocated_by is not None:
        template["metadata"]["labels"][colocated_by] = "true"
        term = {"labelSelector": {"matchLabels": {colocated_by: "true"}}, "topologyKey": "kubernetes.io/hostname"}
        template["spec"]["affinity"] = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return template


def _tmp(containers: Sequence[Manifest]) -> int:
    """MiB for /tmp: the containers' ephemeral storage without their logs. A pod that uses more is evicted."""
    return sum(parse_memory(item["resources"]["limits"]["ephemeral-storage"]) - LOG_MEBIBYTES for item in containers)


def probe(check: Manifest, *, period: int, failures: int, seconds: int = 2) -> Manifest:
    """A probe. `check`: an `exec` or `httpGet`; `period` and `seconds` (timeoutSeconds) in seconds."""
    return {**check, "periodSeconds": period, "failureThreshold": failures, "timeoutSeconds": seconds}


def parse_cpu(quantity: str) -> int:
    """A CPU quantity, such as `500m` or `2`, in millicores."""
    return int(quantity[:-1]) if quantity.endswith("m") else int(quantity) * 1000


def parse_memory(quantity: str) -> int:
    """A quantity in Mi or Gi, in MiB."""
    number = int(quantity[:-2])
    return number * 1024 if quantity.endswith("Gi") else number
