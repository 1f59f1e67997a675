"""Others who bring the same objects to a cluster: a bare client that only posts them, and `helm install` in a loop."""

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
from sandbox.kubernetes.binaries import Program, build
from stores.engines import Engine, Manifests, StoreSpec
from stores.plans import PLANS
from workers.apply import job
from workers.cluster.client import Cluster, connect
from workers.cluster.errors import AlreadyExists, Refused, Temporary
from workers.cluster.watch import reflect
from workers.engines.woocommerce import ENGINE

HELM = Program("helm", "helm.sh/helm/v3/cmd/helm")
MODULE = Path(__file__).resolve().parent / "helm"
AT_ONCE = 8
MANAGED = "app.kubernetes.io/managed-by=storefleet"


def rendered(number: int, engine: Engine = ENGINE, profile: ClusterProfile | None = None) -> Manifests:
    """Of a store of its own."""
    spec = StoreSpec(
        store_id=uuid.uuid4(),
        account_id=uuid.UUID(int=1),
        name="Peer",
        slug=f"peer-{number}",
        plan=PLANS["small"],
        release=engine.releases[-1],
        admin_email="peer@example.com",
        country="US",
        currency="USD",
        language="en-US",
        setup="ready",
    )
    secrets = {item.name: item.generate() for item in engine.secrets}
    return engine.render(spec, secrets, profile or ClusterProfile())


@dataclass
class Ready:
    """What a watch has told: which workloads are ready and which Jobs' containers ended well, by (namespace, name)."""

    seen: set[tuple[str, str]] = field(default_factory=set)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, item: dict[str, Any]) -> None:
        status, metadata = item.get("status", {}), item["metadata"]
        name = metadata["labels"].get("app.kubernetes.io/component", metadata["name"])
        states = [row.get("state", {}).get("terminated", {}) for row in status.get("containerStatuses") or ()]
        if status.get("readyReplicas") or any(state.get("exitCode") == 0 for state in states):
            self.seen.add((metadata["namespace"], name))
            self.told.set()

    async def wait(self, namespace: str, *names: str) -> None:
        while not all((namespace, name) in self.seen for name in names):
            self.told.clear()
            await self.told.wait()


async def bare(kubeconfig: Path, stores: int, engine: Engine = ENGINE, profile: ClusterProfile | None = None) -> float:
    """Seconds until the last store's proof succeeded: one client, no database, no rights, nothing kept."""
    ready, limit = Ready(), asyncio.Semaphore(AT_ONCE * 4)

    def each(items: Any) -> None:
        for item in items:
            ready.note(item)

    async def one(cluster: Cluster, number: int) -> None:
        made = rendered(number, engine, profile)
        namespace = made.namespace["metadata"]["name"]
        async with limit:
            await cluster.create(made.namespace)
            assert made.install is not None
            objects = [*made.isolation, *made.workloads, job(made.install, "install", 1)]
            await asyncio.gather(*(_insist(cluster, item) for item in objects))
        await ready.wait(namespace, "database")
        await _insist(cluster, job(made.proof, "proof", 1))
        await ready.wait(namespace, "install", "web", "proof")

    async with connect(kubeconfig) as cluster:
        watches = [
            asyncio.create_task(
                reflect(cluster, kind, MANAGED, on_list=each, on_event=lambda _change, item: ready.note(item))
            )
            for kind in ("StatefulSet", "Deployment", "Pod")
        ]
        await asyncio.sleep(1)
        began = time.perf_counter()
        await asyncio.gather(*(one(cluster, number) for number in range(stores)))
        seconds = time.perf_counter() - began
        for task in watches:
            task.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
    return seconds


async def _insist(cluster: Cluster, item: dict[str, Any]) -> None:
    """A quota that isn't counted yet, a busy server: again."""
    for pause in itertools.count(0.1, 0.1):
        try:
            await cluster.create(item)
        except AlreadyExists:
            return
        except Temporary:
            await asyncio.sleep(pause)
        except Refused as error:
            if not error.quota:
                raise
            await asyncio.sleep(pause)  # what failed is counted until the controller counts again
        else:
            return


def helm_loop(kubeconfig: Path, stores: int, say: Callable[[str], None]) -> float:
    """Seconds until the last of that many `helm install --wait` ended, eight at a time."""
    helm = build([HELM], say, MODULE) / "helm"
    with tempfile.TemporaryDirectory(prefix="storefleet-helm-") as folder, ThreadPoolExecutor(AT_ONCE) as threads:
        charts = [_chart(Path(folder, str(number)), number) for number in range(stores)]

        def install(chart: tuple[Path, str]) -> None:
            words: list[str | Path] = [
                helm,
                "install",
                "store",
                chart[0],
                "--namespace",
                chart[1],
                "--create-namespace",
            ]
            words += ["--wait", "--wait-for-jobs", "--timeout", "10m", "--kubeconfig", kubeconfig]
            environment = {"HOME": folder, "PATH": "/usr/bin:/bin"}
            done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(done.stderr)

        began = time.perf_counter()
        list(threads.map(install, charts))
        return time.perf_counter() - began


def _chart(folder: Path, number: int) -> tuple[Path, str]:
    """The same objects as templates; the proof is a hook after the install. Also the namespace that it goes to."""
    made = rendered(number)
    assert made.install is not None
    proof = job(made.proof, "proof", 1)
    proof["metadata"]["annotations"] |= {"helm.sh/hook": "post-install"}
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: store\nversion: 0.1.0\n")
    objects = [*made.isolation, *made.workloads, job(made.install, "install", 1), proof]
    text = "---\n".join(yaml.safe_dump(item, sort_keys=False) for item in objects)
    (folder / "templates" / "store.yaml").write_text(text.replace("{{", "{{ '{{' }}"))
    return folder, made.namespace["metadata"]["name"]
