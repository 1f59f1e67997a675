"""What is there of a store, as one look at its namespace found it. Pure questions about it."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from stores.engines import Manifest
from workers.cluster.client import Cluster
from workers.engines.labels import COMPONENT, MANAGED

ATTEMPT = "storefleet.dev/attempt"
"""The label of what makes pods: the attempt in which it was applied. (A Deployment's annotations count as its spec.)"""


@dataclass(frozen=True)
class Outcome:
    """How a Job ended, or that it didn't yet."""

    state: Literal["running", "succeeded", "failed"]
    message: str = ""
    """What its program left as termination message."""


@dataclass(frozen=True)
class View:
    """Workloads by (kind, name), and Jobs and pods."""

    workloads: dict[tuple[str, str], Manifest]
    jobs: dict[str, Manifest]
    pods: list[Manifest]
    warnings: Sequence[Manifest] = ()
    """The cluster's Events of that type, the oldest first; empty unless they were asked for."""

    @property
    def living(self) -> list[Manifest]:
        """The pods that have neither ended nor begun to."""
        over = ("Succeeded", "Failed")
        pods = [pod for pod in self.pods if pod.get("status", {}).get("phase") not in over]
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def warnings_about(self, item: Manifest) -> list[Manifest]:
        """About exactly this object, not another of its name."""
        uid = item["metadata"].get("uid")
        return [warning for warning in self.warnings if warning["involvedObject"].get("uid") == uid]

    def is_ready(self, kind: str, name: str) -> bool:
        """All replicas run the latest template and are ready."""
        item = self.workloads.get((kind, name))
        return (
            item is not None
            and self.is_latest(kind, name)
            and bool(item.get("status", {}).get("readyReplicas", 0) == replicas(item))
        )

    def is_latest(self, kind: str, name: str) -> bool:
        """All replicas have the latest template, and there are no others."""
        item = self.workloads.get((kind, name))
        if item is None:
            return False
        status, wanted = item.get("status", {}), replicas(item)
        return bool(
            status.get("observedGeneration", 0) >= item["metadata"]["generation"]
            and status.get("updatedReplicas", 0) == wanted
            and status.get("replicas", 0) == wanted
        )

    def outcome(self, job: str) -> Outcome:
        """How it ended. The pod tells of success first: the Job itself is marked about two seconds later."""
        messages = list(self._last_words(job))
        for code, message in messages:
            if code == 0:
                return Outcome("succeeded", message)
        conditions = {item["type"]: item for item in _conditions(self.jobs[job]) if item["status"] == "True"}
        if "Complete" in conditions:
            return Outcome("succeeded")
        if "Failed" in conditions:
            last = messages[-1][1] if messages else ""
            return Outcome("failed", last or conditions["Failed"].get("message", ""))
        return Outcome("running")

    def _last_words(self, job: str) -> Iterator[tuple[int, str]]:
        for pod in sorted(self.pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp"))):
            labels = pod["metadata"].get("labels", {})
            if job not in (labels.get("batch.kubernetes.io/job-name"), labels.get("job-name")):
                continue
            for status in pod.get("status", {}).get("containerStatuses", ()):
                if ended := status.get("state", {}).get("terminated"):
                    yield ended["exitCode"], ended.get("message", "")


def replicas(item: Manifest) -> int:
    """How many are wanted."""
    wanted: int = item["spec"].get("replicas", 1)
    return wanted


def component(item: Manifest) -> str:
    """Which part of a store it is: `web`, `database`, `install`, …"""
    return str(item["metadata"].get("labels", {}).get(COMPONENT, item["metadata"]["name"]))


def attempt_of(item: Manifest) -> str:
    """The attempt in which it was applied, or nothing."""
    return str(item["metadata"].get("labels", {}).get(ATTEMPT, ""))


def _conditions(item: Manifest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = item.get("status", {}).get("conditions") or []
    return found


async def look(cluster: Cluster, namespace: str) -> View:
    """Four lists at the same time, of what is ours: what others run there is none of ours. Raises ClusterError."""
    kinds = ("StatefulSet", "Deployment", "Job", "Pod")
    found = await asyncio.gather(*(cluster.list(kind, namespace, MANAGED) for kind in kinds), return_exceptions=True)
    for result in found:
        if isinstance(result, BaseException):
            raise result  # the first; all four have ended
    sets, deployments, jobs, pods = (result[0] for result in found if not isinstance(result, BaseException))
    return View(
        workloads={(item["kind"], item["metadata"]["name"]): item for item in (*sets, *deployments)},
        jobs={item["metadata"]["name"]: item for item in jobs},
        pods=pods,
    )


async def with_warnings(cluster: Cluster, namespace: str, view: View) -> View:
    """The same look, and what the cluster's controllers and kubelets complain about there. Raises ClusterError."""
    warnings, _ = await cluster.list("Event", namespace, fields="type=Warning")
    return replace(view, warnings=sorted(warnings, key=_last_seen))


def _last_seen(event: Manifest) -> str:
    """Whoever reports fills in other fields than the next; all are timestamps of the same form."""
    times = (event.get("lastTimestamp"), (event.get("series") or {}).get("lastObservedTime"), event.get("eventTime"))
    return str(next((time for time in times if time), event["metadata"].get("creationTimestamp")))
