"""The pods of one workload, as they come and go, and which runs of their containers have a log to be read."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from stores.engines import Manifest
from workers.cluster.client import Cluster
from workers.cluster.watch import reflect
from workers.engines.labels import COMPONENT


class Run(NamedTuple):
    """One start of a container, and what it printed."""

    id: str
    previous: bool
    """Kubernetes gives its log as that of the container before."""
    over: bool
    exit_code: int | None = None


class Container(NamedTuple):
    """One container of a pod, with its runs, the older first."""

    name: str
    runs: list[Run]
    waits: str
    """Why it doesn't run now, in Kubernetes' word; empty when it runs or has ended."""


def containers(pod: Manifest) -> list[Container]:
    """Those that prepare the pod first. None until a node has the pod."""
    status = pod.get("status", {})
    rows = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return [_container(row) for row in rows]


def _container(row: Manifest) -> Container:
    state, last = row.get("state") or {}, (row.get("lastState") or {}).get("terminated")
    runs = []
    if last:
        runs.append(Run(_id(last, last), previous=True, over=True, exit_code=last.get("exitCode")))
    if running := state.get("running"):
        runs.append(Run(_id(row, running), previous=False, over=False))
    elif ended := state.get("terminated"):
        runs.append(Run(_id(ended, ended), previous=False, over=True, exit_code=ended.get("exitCode")))
    return Container(row["name"], runs, str((state.get("waiting") or {}).get("reason") or ""))


def _id(row: Manifest, state: Manifest) -> str:
    """The container's own where there is one; pretended nodes give none."""
    return str(row.get("containerID") or state.get("startedAt") or "")


class Pods:
    """Those of a workload, by uid."""

    def __init__(self, cluster: Cluster, namespace: str, workload: str) -> None:
        self.namespace = namespace
        self.found: dict[str, Manifest] = {}
        self.listed = False
        self._cluster = cluster
        self._workload = workload
        self._changed = asyncio.Event()

    async def watch(self) -> None:
        """For ever."""
        labels = f"{COMPONENT}={self._workload}"
        await reflect(
            self._cluster, "Pod", labels, namespace=self.namespace, on_list=self._on_list, on_event=self._on_event
        )

    def _on_list(self, pods: Sequence[Manifest]) -> None:
        self.found = {pod["metadata"]["uid"]: pod for pod in pods}
        self.listed = True
        self._tell()

    def _on_event(self, change: str, pod: Manifest) -> None:
        if change == "DELETED":
            self.found.pop(pod["metadata"]["uid"], None)
        else:
            self.found[pod["metadata"]["uid"]] = pod
        self._tell()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def change(self, seconds: float | None = None) -> None:
        """Wait until something changes, or for so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    def container(self, uid: str, name: str) -> Container | None:
        """As it is now; None when it is gone."""
        return next((one for one in containers(self.found.get(uid, {})) if one.name == name), None)
