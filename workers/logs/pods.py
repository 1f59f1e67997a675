"""The pods of one component, followed by a watch, and the runs of their containers that have a log."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from stores.engines import Manifest
from workers.cluster.client import Cluster
from workers.cluster.watch import list_and_watch
from workers.engines.labels import COMPONENT


class ContainerRun(NamedTuple):
    """One start of a container; each has a log."""

    id: str
    previous: bool
    """True: its log is read with `previous=true`."""
    terminated: bool
    exit_code: int | None = None


class ContainerState(NamedTuple):
    """One container of a pod, and its runs, oldest first."""

    name: str
    runs: list[ContainerRun]
    waiting_reason: str
    """`state.waiting.reason` of the container's status; empty while it runs or after it terminated."""


def container_states(pod: Manifest) -> list[ContainerState]:
    """Init containers first. Empty until the kubelet of a node reports the pod's containers."""
    status = pod.get("status", {})
    statuses = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return [_container_state(item) for item in statuses]


def _container_state(status: Manifest) -> ContainerState:
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    runs = []
    if last:
        runs.append(ContainerRun(_run_id(last, last), previous=True, terminated=True, exit_code=last.get("exitCode")))
    if running := state.get("running"):
        runs.append(ContainerRun(_run_id(status, running), previous=False, terminated=False))
    elif ended := state.get("terminated"):
        run_id = _run_id(ended, ended)
        runs.append(ContainerRun(run_id, previous=False, terminated=True, exit_code=ended.get("exitCode")))
    return ContainerState(status["name"], runs, str((state.get("waiting") or {}).get("reason") or ""))


def _run_id(status: Manifest, state: Manifest) -> str:
    """The containerID. Simulated kubelets report none: then the start time."""
    return str(status.get("containerID") or state.get("startedAt") or "")


class PodWatcher:
    """The pods of one component of a store."""

    def __init__(self, cluster: Cluster, namespace: str, component: str) -> None:
        self.namespace = namespace
        self.by_uid: dict[str, Manifest] = {}
        self.synced = False
        """True once the pods were listed."""
        self._cluster = cluster
        self._component = component
        self._changed = asyncio.Event()

    async def watch(self) -> None:
        """Keep `by_uid` current. Never returns."""
        labels = f"{COMPONENT}={self._component}"
        await list_and_watch(
            self._cluster, "Pod", labels, namespace=self.namespace, on_list=self._on_list, on_event=self._on_event
        )

    def _on_list(self, pods: Sequence[Manifest]) -> None:
        self.by_uid = {pod["metadata"]["uid"]: pod for pod in pods}
        self.synced = True
        self._notify()

    def _on_event(self, change: str, pod: Manifest) -> None:
        if change == "DELETED":
            self.by_uid.pop(pod["metadata"]["uid"], None)
        else:
            self.by_uid[pod["metadata"]["uid"]] = pod
        self._notify()

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait_for_change(self, seconds: float | None = None) -> None:
        """Return at the next change of any pod, or after so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    def container(self, uid: str, name: str) -> ContainerState | None:
        """The container's current state; None after its pod was deleted."""
        return next((state for state in container_states(self.by_uid.get(uid, {})) if state.name == name), None)
