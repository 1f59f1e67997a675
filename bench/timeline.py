"""The timeline of a store: moments from a watch of its objects and from its programs' logs."""

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from workers.cluster.client import Cluster, connect
from workers.cluster.errors import ClusterError
from workers.cluster.watch import list_and_watch
from workers.engines.labels import MANAGED
from workers.snapshot import component

JSON = dict[str, Any]
KINDS = ("Namespace", "PersistentVolumeClaim", "Pod", "StatefulSet", "Deployment")
COMPONENTS = ("database", "install", "web", "proof")
DATABASE_MOMENTS = {"made an empty database": "database has its files", "ready for connections": "database answers"}
"""By text in the database's log: the name of the moment."""
LOG_LINE = re.compile(r"(\S+?)(\.\d+)?Z (.*)")
"""A log line with the kubelet's timestamp: seconds, fraction, text."""


class Timeline:
    """Collects moments of stores, by namespace, in seconds since the epoch."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._moments: dict[str, dict[str, float]] = defaultdict(dict)
        self._reading: list[asyncio.Task[None]] = []

    def observe(self, item: JSON) -> None:
        """Record the moments that this object shows for the first time."""
        namespace = item["metadata"].get("namespace", item["metadata"]["name"])
        moments = self._moments[namespace]
        for name in _object_moments(item):
            if name not in moments:
                moments[name] = time.time()
                if item["kind"] == "Pod" and name.endswith((" pod has ended", " pod has failed")):
                    self._reading.append(asyncio.create_task(self._read(item)))

    async def moments(self, namespace: str) -> dict[str, float]:
        """All moments of a namespace, including those from the logs, in order of time."""
        pods, _ = await self.cluster.list("Pod", namespace, MANAGED)
        reading = [self._read(pod) for pod in pods if component(pod) == "database"]
        await asyncio.gather(*self._reading, *reading)
        return dict(sorted(self._moments[namespace].items(), key=lambda row: row[1]))

    async def _read(self, pod: JSON) -> None:
        """Record the moments in a pod's log. A pod that is just being deleted is skipped."""
        moments, component_name, text = self._moments[pod["metadata"]["namespace"]], component(pod), b""
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        try:
            async for piece in self.cluster.logs(namespace, name, {"timestamps": "true"}, follow=False):
                text += piece
        except ClusterError:
            return
        for line in text.decode(errors="replace").splitlines():
            if match := LOG_LINE.match(line):
                at = datetime.fromisoformat(f"{match[1]}+00:00").timestamp() + float(match[2] or 0)
                for what in _log_moments(component_name, match[3]):
                    moments.setdefault(what, at)


def _object_moments(item: JSON) -> Iterator[str]:
    kind, name, status = item["kind"], item["metadata"]["name"], item.get("status", {})
    if kind == "Namespace":
        yield "namespace created"
    elif kind == "PersistentVolumeClaim":
        yield f"{name} volume claim created"
        if status.get("phase") == "Bound":
            yield f"{name} volume claim bound"
    elif kind == "Pod" and component(item) in COMPONENTS:
        yield from (f"{component(item)} pod {word}" for word in _pod_moments(status))
    elif kind in ("StatefulSet", "Deployment") and status.get("readyReplicas"):
        yield f"{name} ready replicas"


def _pod_moments(status: JSON) -> Iterator[str]:
    yield "created"
    true = {row["type"] for row in status.get("conditions") or () if row["status"] == "True"}
    if "PodScheduled" in true:
        yield "scheduled"
    for row in status.get("containerStatuses") or ():
        state = row.get("state", {})
        if state.keys() & {"running", "terminated"}:
            yield "running"
        if "terminated" in state:  # earlier than its phase, which never comes if the pod is deleted first
            yield "has ended" if state["terminated"]["exitCode"] == 0 else "has failed"
    if "Ready" in true:
        yield "is ready"


def _log_moments(component_name: str, text: str) -> Iterator[str]:
    if component_name == "database":
        yield from (name for words, name in DATABASE_MOMENTS.items() if words in text)
    elif text.startswith("{"):
        try:
            line = json.loads(text)
        except ValueError:
            return
        if step := line.get("step") or line.get("name"):
            yield f"{component_name}: {step} done"
        elif "totalMs" in line:
            yield f"{component_name}: over"
    elif component_name in ("install", "proof"):
        yield f"{component_name} log: {text[:120]}"


@asynccontextmanager
async def watch_timeline(kubeconfig: Path) -> AsyncIterator[Timeline]:
    """A Timeline that watches the cluster until the end of the block."""
    async with connect(kubeconfig) as cluster:
        created = Timeline(cluster)

        def listed(items: Sequence[JSON]) -> None:
            for item in items:
                created.observe(item)

        def changed(change: str, item: JSON) -> None:
            if change != "DELETED":
                created.observe(item)

        tasks = [
            asyncio.create_task(list_and_watch(cluster, kind, MANAGED, on_list=listed, on_event=changed))
            for kind in KINDS
        ]
        await asyncio.sleep(1)  # until all have listed
        try:
            yield created
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
