"""Where the time of a store goes: moments that a watch of our own and the programs' logs tell of."""

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
from workers.cluster.watch import reflect
from workers.engines.labels import MANAGED
from workers.view import component

JSON = dict[str, Any]
KINDS = ("Namespace", "PersistentVolumeClaim", "Pod", "StatefulSet", "Deployment")
PARTS = ("database", "install", "web", "proof")
DATABASE_SAYS = {"made an empty database": "database has its files", "ready for connections": "database answers"}
"""What a database's log says, and what that is called here."""
STAMPED = re.compile(r"(\S+?)(\.\d+)?Z (.*)")
"""A line of a log as a kubelet gives it: seconds, their fraction, text."""


class Watching:
    """What happens to stores in the cluster, by namespace: moments, in seconds of the wall clock."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._moments: dict[str, dict[str, float]] = defaultdict(dict)
        self._reading: list[asyncio.Task[None]] = []

    def note(self, item: JSON) -> None:
        """Whatever is seen for the first time happened now."""
        namespace = item["metadata"].get("namespace", item["metadata"]["name"])
        moments = self._moments[namespace]
        for name in _seen(item):
            if name not in moments:
                moments[name] = time.time()
                if item["kind"] == "Pod" and name.endswith((" pod has ended", " pod has failed")):
                    self._reading.append(asyncio.create_task(self._read(item)))

    async def moments(self, namespace: str) -> dict[str, float]:
        """All of them, those from the logs included, in order."""
        pods, _ = await self.cluster.list("Pod", namespace, MANAGED)
        reading = [self._read(pod) for pod in pods if component(pod) == "database"]
        await asyncio.gather(*self._reading, *reading)
        return dict(sorted(self._moments[namespace].items(), key=lambda row: row[1]))

    async def _read(self, pod: JSON) -> None:
        """A pod that is removed in this very moment has told enough by what the watch saw."""
        moments, part, text = self._moments[pod["metadata"]["namespace"]], component(pod), b""
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        try:
            async for piece in self.cluster.logs(namespace, name, {"timestamps": "true"}, follow=False):
                text += piece
        except ClusterError:
            return
        for line in text.decode(errors="replace").splitlines():
            if found := STAMPED.match(line):
                at = datetime.fromisoformat(f"{found[1]}+00:00").timestamp() + float(found[2] or 0)
                for what in _said(part, found[3]):
                    moments.setdefault(what, at)


def _seen(item: JSON) -> Iterator[str]:
    kind, name, status = item["kind"], item["metadata"]["name"], item.get("status", {})
    if kind == "Namespace":
        yield "namespace made"
    elif kind == "PersistentVolumeClaim":
        yield f"{name} disk made"
        if status.get("phase") == "Bound":
            yield f"{name} disk bound"
    elif kind == "Pod" and component(item) in PARTS:
        yield from (f"{component(item)} pod {word}" for word in _pod(status))
    elif kind in ("StatefulSet", "Deployment") and status.get("readyReplicas"):
        yield f"{name} counts as ready"


def _pod(status: JSON) -> Iterator[str]:
    yield "made"
    true = {row["type"] for row in status.get("conditions") or () if row["status"] == "True"}
    if "PodScheduled" in true:
        yield "scheduled"
    for row in status.get("containerStatuses") or ():
        state = row.get("state", {})
        if state.keys() & {"running", "terminated"}:
            yield "runs"
        if "terminated" in state:  # its phase is told later, or never when the pod is removed before
            yield "has ended" if state["terminated"]["exitCode"] == 0 else "has failed"
    if "Ready" in true:
        yield "is ready"


def _said(part: str, text: str) -> Iterator[str]:
    if part == "database":
        yield from (name for words, name in DATABASE_SAYS.items() if words in text)
    elif text.startswith("{"):
        try:
            line = json.loads(text)
        except ValueError:
            return
        if step := line.get("step") or line.get("name"):
            yield f"{part}: {step} done"
        elif "totalMs" in line:
            yield f"{part}: over"
    elif part in ("install", "proof"):
        yield f"{part} said: {text[:120]}"


@asynccontextmanager
async def watching(kubeconfig: Path) -> AsyncIterator[Watching]:
    """Until the end of the block."""
    async with connect(kubeconfig) as cluster:
        made = Watching(cluster)

        def listed(items: Sequence[JSON]) -> None:
            for item in items:
                made.note(item)

        def changed(change: str, item: JSON) -> None:
            if change != "DELETED":
                made.note(item)

        tasks = [
            asyncio.create_task(reflect(cluster, kind, MANAGED, on_list=listed, on_event=changed)) for kind in KINDS
        ]
        await asyncio.sleep(1)  # until all have listed
        try:
            yield made
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
