"""Hardened pods: what every container of every engine has, so that an engine can't forget it.

Restricted by Pod Security and more: no root, no capabilities, no writable root, no token, limits on everything.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stores.engines import Manifest, StoreSpec
from workers.engines.labels import CONFIG, labels

TMP = "/tmp"  # noqa: S108  # in the container, which has it to itself
UID = 10001
"""Of every process in a store; group and owner of its volumes, too."""
LOGS = 64
"""MiB that a kubelet may keep of a container's output; they count as its ephemeral storage."""


@dataclass(frozen=True)
class Resources:
    """A container's limits: thousandths of a CPU, and MiB. It is promised a fifth of the CPU and half the memory."""

    cpu: int
    memory: int
    scratch: int = 128
    """MiB of ephemeral storage: /tmp, and LOGS of them for what it prints."""

    @property
    def limits(self) -> dict[str, str]:
        return _quantities(self.cpu, self.memory, self.scratch)

    @property
    def requests(self) -> dict[str, str]:
        return _quantities(self.cpu // 5, self.memory // 2, self.scratch // 2)


def _quantities(cpu: int, memory: int, scratch: int) -> dict[str, str]:
    return {"cpu": f"{cpu}m", "memory": f"{memory}Mi", "ephemeral-storage": f"{scratch}Mi"}


def plain(text: str) -> str:
    """An env value that Kubernetes passes on as it is: it would put other variables' values where `$(NAME)` stands."""
    return text.replace("$", "$$")


def env(values: Mapping[str, str], secrets: Mapping[str, tuple[str, str]]) -> list[Manifest]:
    """Variables with plain values, and with values from (Secret, key)."""
    plain_ones = [{"name": name, "value": plain(value)} for name, value in values.items()]
    secret_ones = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
        for name, (secret, key) in secrets.items()
    ]
    return [*plain_ones, *secret_ones]


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
    stop: Sequence[str] | None = None,
) -> Manifest:
    """`mounts`: path to volume, or volume/subfolder. `/tmp` is always writable; nothing else is unless mounted.

    `probes`: startupProbe, readinessProbe and livenessProbe as Kubernetes has them. `stop`: preStop command.
    """
    made: dict[str, Any] = {
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
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [_mount(path, volume) for path, volume in {TMP: "tmp", **mounts}.items()],
        **(probes or {}),
    }
    if command is not None:
        made["command"] = list(command)
    if port is not None:
        made["ports"] = [{"name": "main", "containerPort": port, "protocol": "TCP"}]
    if stop is not None:
        made["lifecycle"] = {"preStop": {"exec": {"command": list(stop)}}}
    return made


def _mount(path: str, volume: str) -> Manifest:
    name, _, folder = volume.partition("/")
    return {"name": name, "mountPath": path, **({"subPath": folder} if folder else {})}


def pod(
    spec: StoreSpec,
    engine: str,
    component: str,
    containers: Sequence[Manifest],
    *,
    volumes: Sequence[Manifest] = (),
    grace: int = 30,
    restart: str = "Always",
    beside: str | None = None,
    files: Mapping[str, str] | None = None,
) -> Manifest:
    """A pod template. `beside`: the label of pods that share a disk which only one node can have at a time.

    `files`: what its ConfigMap holds; a pod reads it only when it starts.
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
            "terminationGracePeriodSeconds": grace,
            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": f"{_tmp(containers)}Mi"}}, *volumes],
        },
    }
    if files is not None:
        digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]
        template["metadata"]["annotations"] = {CONFIG: digest}
    if beside is not None:
        template["metadata"]["labels"][beside] = "true"
        together = {"labelSelector": {"matchLabels": {beside: "true"}}, "topologyKey": "kubernetes.io/hostname"}
        template["spec"]["affinity"] = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [together]}}
    return template


def _tmp(containers: Sequence[Manifest]) -> int:
    """MiB: all of the containers' ephemeral storage but LOGS; a pod that uses more is evicted."""
    return sum(memory_of(item["resources"]["limits"]["ephemeral-storage"]) - LOGS for item in containers)


def probe(check: Manifest, *, period: int, failures: int, seconds: int = 2) -> Manifest:
    """`check`: an exec or httpGet."""
    return {**check, "periodSeconds": period, "failureThreshold": failures, "timeoutSeconds": seconds}


def cpu_of(quantity: str) -> int:
    """Thousandths of a CPU."""
    return int(quantity[:-1]) if quantity.endswith("m") else int(quantity) * 1000


def memory_of(quantity: str) -> int:
    """MiB, from a quantity in Mi or Gi."""
    number = int(quantity[:-2])
    return number * 1024 if quantity.endswith("Gi") else number
