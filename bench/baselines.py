"""Baselines that create the same objects in a cluster: a bare client that only posts them, and `helm install`."""

import asyncio
import itertools
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from runtime.settings import ClusterProfile
from sandbox.kubernetes.binaries import build_helm
from stores.engines import Engine, Manifests, StoreSpec
from stores.plans import PLANS
from workers.apply import job_for_attempt
from workers.cluster.client import Cluster, connect
from workers.cluster.errors import AlreadyExists, RequestRejected, TransientError
from workers.cluster.watch import list_and_watch
from workers.engines.woocommerce import ENGINE

CONCURRENCY = 8
MANAGED = "app.kubernetes.io/managed-by=storefleet"


def render(number: int, engine: Engine = ENGINE, profile: ClusterProfile | None = None) -> Manifests:
    """The manifests of a new store."""
    spec = StoreSpec(
        store_id=uuid.uuid4(),
        account_id=uuid.UUID(int=1),
        name="Baseline",
        slug=f"baseline-{number}",
        plan=PLANS["small"],
        release=engine.releases[-1],
        admin_email="baseline@example.com",
        country="US",
        currency="USD",
        language="en-US",
        setup="ready",
    )
    secrets = {item.name: item.generate() for item in engine.secrets}
    return engine.render(spec, secrets, profile or ClusterProfile())


@dataclass
class ReadyWatch:
    """Which workloads are ready and which Jobs' containers succeeded, by (namespace, name), as a watch reports."""

    seen: set[tuple[str, str]] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def observe(self, item: dict[str, Any]) -> None:
        status, metadata = item.get("status", {}), item["metadata"]
        name = metadata["labels"].get("app.kubernetes.io/component", metadata["name"])
        states = [row.get("state", {}).get("terminated", {}) for row in status.get("containerStatuses") or ()]
        if status.get("readyReplicas") or any(state.get("exitCode") == 0 for state in states):
            self.seen.add((metadata["namespace"], name))
            self.changed.set()

    async def wait(self, namespace: str, *names: str) -> None:
        while not all((namespace, name) in self.seen for name in names):
            self.changed.clear()
            await self.changed.wait()


async def bare_client(
    kubeconfig: Path, stores: int, engine: Engine = ENGINE, profile: ClusterProfile | None = None
) -> float:
    """Create stores with one client, without a database. Returns the seconds until the last store's proof succeeded."""
    ready, limit = ReadyWatch(), asyncio.Semaphore(CONCURRENCY * 4)

    def each(items: Any) -> None:
        for item in items:
            ready.observe(item)

    async def one(cluster: Cluster, number: int) -> None:
        created = render(number, engine, profile)
        namespace = created.namespace["metadata"]["name"]
        async with limit:
            await cluster.create(created.namespace)
            assert created.install is not None
            objects = [*created.isolation, *created.resources, job_for_attempt(created.install, "install", 1)]
            await asyncio.gather(*(_create_with_retry(cluster, item) for item in objects))
        await ready.wait(namespace, "database")
        await _create_with_retry(cluster, job_for_attempt(created.proof, "proof", 1))
        await ready.wait(namespace, "install", "web", "proof")

    async with connect(kubeconfig) as cluster:
        watches = [
            asyncio.create_task(
                list_and_watch(cluster, kind, MANAGED, on_list=each, on_event=lambda _change, item: ready.observe(item))
            )
            for kind in ("StatefulSet", "Deployment", "Pod")
        ]
        await asyncio.sleep(1)
        started = time.perf_counter()
        await asyncio.gather(*(one(cluster, number) for number in range(stores)))
        seconds = time.perf_counter() - started
        for task in watches:
            task.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
    return seconds


async def _create_with_retry(cluster: Cluster, item: dict[str, Any]) -> None:
    """Create an object. Try again while the server is busy, or the quota isn't calculated yet."""
    for pause in itertools.count(0.1, 0.1):
        try:
            await cluster.create(item)
        except AlreadyExists:
            return
        except TransientError:
            await asyncio.sleep(pause)
        except RequestRejected as error:
            if not error.quota_exceeded:
                raise
            await asyncio.sleep(pause)  # a failed request counts until the controller calculates the quota again
        else:
            return


def helm_install_loop(kubeconfig: Path, stores: int, report: Callable[[str], None]) -> float:
    """Run `helm install --wait` for each store, CONCURRENCY at a time. Returns the seconds until the last ended."""
    helm = build_helm(report)
    with tempfile.TemporaryDirectory(prefix="storefleet-helm-") as folder, ThreadPoolExecutor(CONCURRENCY) as threads:
        charts = [_chart(Path(folder, str(number)), number) for number in range(stores)]

        def install(chart: tuple[Path, str]) -> None:
            command: list[str | Path] = [
                helm,
                "install",
                "store",
                chart[0],
                "--namespace",
                chart[1],
                "--create-namespace",
            ]
            command += ["--wait", "--wait-for-jobs", "--timeout", "10m", "--kubeconfig", kubeconfig]
            environment = {"HOME": folder, "PATH": "/usr/bin:/bin"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(done.stderr)

        started = time.perf_counter()
        list(threads.map(install, charts))
        return time.perf_counter() - started


def _chart(folder: Path, number: int) -> tuple[Path, str]:
    """Write a chart with the same objects; the proof is a post-install hook. Returns its folder and its namespace."""
    created = render(number)
    assert created.install is not None
    proof = job_for_attempt(created.proof, "proof", 1)
    proof["metadata"]["annotations"] |= {"helm.sh/hook": "post-install"}
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: store\nversion: 0.1.0\n")
    objects = [*created.isolation, *created.resources, job_for_attempt(created.install, "install", 1), proof]
    text = "---\n".join(yaml.safe_dump(item, sort_keys=False) for item in objects)
    (folder / "templates" / "store.yaml").write_text(text.replace("{{", "{{ '{{' }}"))
    return folder, created.namespace["metadata"]["name"]
