"""Manifests for the tests, each labelled with its namespace's name, and functions that wait for objects."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from prometheus_client import REGISTRY

from stores.engines import Manifest
from tests.support.waiting import hang_limit
from workers.cluster.api_resources import API_RESOURCES
from workers.cluster.client import Cluster
from workers.cluster.errors import NotFound, TransientError

LABEL = "storefleet.dev/contract"
MANAGED_LABELS = {"app.kubernetes.io/managed-by": "storefleet"}
"""The label by which the worker finds its objects."""
REAL = "STOREFLEET_TEST_KUBECONFIG" in os.environ
IMAGE = os.environ.get("STOREFLEET_TEST_IMAGE", "busybox:1.37")
Result = TypeVar("Result")


def make(kind: str, namespace: str, name: str, *, labels: dict[str, str] | None = None, **parts: Any) -> Manifest:
    """A whole manifest; `finalizers` and `annotations` go into its metadata."""
    extra: dict[str, Any] = {part: parts.pop(part) for part in ("finalizers", "annotations") if part in parts}
    metadata = {
        "name": name,
        "namespace": namespace,
        "labels": {LABEL: namespace, **MANAGED_LABELS, **(labels or {})},
        **extra,
    }
    return {"apiVersion": API_RESOURCES[kind].api_version, "kind": kind, "metadata": metadata, **parts}


def settings(namespace: str, name: str = "settings", **parts: Any) -> Manifest:
    """A ConfigMap."""
    return make("ConfigMap", namespace, name, **{"data": {"colour": "red"}, **parts})


def pods(component: str = "web", command: str = "sleep 3600", **spec: Any) -> Manifest:
    """A pod template; `component` is also what selects its pods."""
    main = {
        "name": "main",
        "image": IMAGE,
        "command": ["sh", "-c", command],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
    }
    parts = {"containers": [main], "terminationGracePeriodSeconds": 1, **spec}
    return {"metadata": {"labels": {"app.kubernetes.io/component": component, **MANAGED_LABELS}}, "spec": parts}


def web(namespace: str, *, replicas: int = 1, **spec: Any) -> Manifest:
    """A Deployment."""
    selector = {"matchLabels": {"app.kubernetes.io/component": "web"}}
    return make(
        "Deployment", namespace, "web", spec={"replicas": replicas, "selector": selector, "template": pods(**spec)}
    )


def database(namespace: str, *, replicas: int = 1, service: str = "database") -> Manifest:
    """A StatefulSet on the claim `disk`."""
    selector = {"matchLabels": {"app.kubernetes.io/component": "database"}}
    volumes = [{"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}]
    template = pods("database", volumes=volumes)
    template["spec"]["containers"][0]["volumeMounts"] = [{"name": "disk", "mountPath": "/data"}]
    spec = {"replicas": replicas, "selector": selector, "serviceName": service, "template": template}
    return make("StatefulSet", namespace, "database", spec=spec)


def disk(namespace: str, mode: str = "ReadWriteOnce", size: str = "1Gi") -> Manifest:
    """A PersistentVolumeClaim."""
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": size}}}
    return make("PersistentVolumeClaim", namespace, "disk", spec=spec)


def task(namespace: str, component: str = "task", command: str = "true", *, retries: int = 0) -> Manifest:
    """A Job of one pod."""
    template = pods(component, command, restartPolicy="Never")
    return make("Job", namespace, component, spec={"backoffLimit": retries, "template": template})


def quota(namespace: str, **hard: str) -> Manifest:
    """A ResourceQuota; `count_secrets` is `count/secrets`."""
    limits = {name.replace("_", "/"): amount for name, amount in hard.items()}
    return make("ResourceQuota", namespace, "quota", spec={"hard": limits})


async def eventually(call: Callable[[], Awaitable[Result]], good: Callable[[Result], object]) -> Result:
    """Call until the result is good, and return it. A TransientError is retried. Raises TimeoutError."""
    async with hang_limit():
        while True:
            with suppress(TransientError):
                result = await call()
                if good(result):
                    return result
            await asyncio.sleep(0.2 if REAL else 0.01)


async def retry_temporary(call: Callable[[], Awaitable[Result]]) -> Result:
    """Call until there is no TransientError, and return the result."""
    return await eventually(call, lambda _: True)


async def gone(cluster: Cluster, kind: str, name: str, namespace: str | None = None) -> None:
    """Wait until the object is removed."""

    async def ask() -> Manifest | None:
        try:
            return await cluster.get(kind, name, namespace)
        except NotFound:
            return None

    await eventually(ask, lambda found: found is None)


async def names(cluster: Cluster, kind: str, namespace: str | None, labels: str | None = None) -> list[str]:
    items, _ = await cluster.list(kind, namespace, labels)
    return [item["metadata"]["name"] for item in items]


def requests(verb: str, kind: str, code: str) -> float:
    """The number of requests of this process with that status code."""
    labels = {"verb": verb, "kind": kind, "code": code}
    return REGISTRY.get_sample_value("storefleet_cluster_requests_total", labels) or 0


@asynccontextmanager
async def temporary_namespace(cluster: Cluster) -> AsyncIterator[str]:
    """The name of a new namespace, which is deleted at the end of the block."""
    name = f"contract-{uuid.uuid4().hex[:12]}"
    metadata = {"name": name, "labels": {LABEL: name}}
    await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    try:
        yield name
    finally:
        await cluster.delete("Namespace", name)
