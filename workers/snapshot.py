"""A snapshot of one store's objects in the cluster: workloads, Jobs and pods, read once; and pure functions of it."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from stores.engines import Manifest
from workers.cluster.client import Cluster
from workers.engines.labels import COMPONENT, MANAGED

ATTEMPT_LABEL = "storefleet.dev/attempt"
"""On each workload and Job: the attempt in which we applied it. A label, because a changed annotation increases the
generation of a Deployment."""


@dataclass(frozen=True)
class JobOutcome:
    """How a Job ended, or that it still runs."""

    state: Literal["running", "succeeded", "failed"]
    message: str = ""
    """The termination message of its pod."""


@dataclass(frozen=True)
class Snapshot:
    """Workloads by (kind, name), Jobs by name, and pods."""

    workloads: dict[tuple[str, str], Manifest]
    jobs: dict[str, Manifest]
    pods: list[Manifest]
    warnings: Sequence[Manifest] = ()
    """Kubernetes Events of type Warning, oldest first; empty unless `with_warning_events` read them."""

    @property
    def unfinished_pods(self) -> list[Manifest]:
        """The pods that have not ended, also those that are being deleted."""
        ended = ("Succeeded", "Failed")
        return [pod for pod in self.pods if pod.get("status", {}).get("phase") not in ended]

    @property
    def active_pods(self) -> list[Manifest]:
        """The pods that have not ended and are not being deleted."""
        return [pod for pod in self.unfinished_pods if "deletionTimestamp" not in pod["metadata"]]

    def warnings_for(self, item: Manifest) -> list[Manifest]:
        """About the object with this UID; not about an earlier object with the same name."""
        uid = item["metadata"].get("uid")
        return [warning for warning in self.warnings if warning["involvedObject"].get("uid") == uid]

    def is_ready(self, kind: str, name: str) -> bool:
        """All replicas run the latest template and are ready."""
        item = self.workloads.get((kind, name))
        return (
            item is not None
            and self.is_up_to_date(kind, name)
            and bool(item.get("status", {}).get("readyReplicas", 0) == desired_replicas(item))
        )

    def is_up_to_date(self, kind: str, name: str) -> bool:
        """All replicas have the latest template, and no others are left (as `kubectl rollout status`)."""
        item = self.workloads.get((kind, name))
        if item is None:
            return False
        status, desired = item.get("status", {}), desired_replicas(item)
        return bool(
            status.get("observedGeneration", 0) >= item["metadata"]["generation"]
            and status.get("updatedReplicas", 0) == desired
            and status.get("replicas", 0) == desired
        )

    def job_outcome(self, name: str) -> JobOutcome:
        """Read from the pod first: the Job's own status follows about two seconds later."""
        messages = list(self._termination_messages(name))
        for exit_code, message in messages:
            if exit_code == 0:
                return JobOutcome("succeeded", message)
        conditions = {item["type"]: item for item in _conditions(self.jobs[name]) if item["status"] == "True"}
        if "Complete" in conditions:
            return JobOutcome("succeeded")
        if "Failed" in conditions:
            last = messages[-1][1] if messages else ""
            return JobOutcome("failed", last or conditions["Failed"].get("message", ""))
        return JobOutcome("running")

    def _termination_messages(self, job: str) -> Iterator[tuple[int, str]]:
        """(exit code, message) of each ended container, oldest pod first."""
        for pod in sorted(self.pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp"))):
            labels = pod["metadata"].get("labels", {})
            if job not in (labels.get("batch.kubernetes.io/job-name"), labels.get("job-name")):
                continue
            for status in pod.get("status", {}).get("containerStatuses", ()):
                if terminated := status.get("state", {}).get("terminated"):
                    yield terminated["exitCode"], terminated.get("message", "")


def desired_replicas(item: Manifest) -> int:
    """`spec.replicas` of a workload, 1 if absent."""
    desired: int = item["spec"].get("replicas", 1)
    return desired


def component(item: Manifest) -> str:
    """The label app.kubernetes.io/component (`web`, `database`, `install`, …); the object's name if it has none."""
    return str(item["metadata"].get("labels", {}).get(COMPONENT, item["metadata"]["name"]))


def attempt_label(item: Manifest) -> str:
    """The attempt in which it was applied; empty if it has no such label."""
    return str(item["metadata"].get("labels", {}).get(ATTEMPT_LABEL, ""))


def timestamp(text: str | None) -> datetime | None:
    """A time of Kubernetes' as a datetime; None if there is none."""
    return datetime.fromisoformat(text) if text else None


def unready_since(pod: Manifest) -> datetime | None:
    """When the pod stopped being ready, or was created if it never was; None while it is ready."""
    ready = next((row for row in _conditions(pod) if row["type"] == "Ready"), {})
    return timestamp(ready.get("lastTransitionTime")) if ready.get("status") == "False" else None


def _conditions(item: Manifest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = item.get("status", {}).get("conditions") or []
    return found


async def fetch_snapshot(cluster: Cluster, namespace: str) -> Snapshot:
    """Four concurrent lists of the objects with our label. Raises ClusterError."""
    kinds = ("StatefulSet", "Deployment", "Job", "Pod")
    results = await asyncio.gather(*(cluster.list(kind, namespace, MANAGED) for kind in kinds), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result  # the first; all four lists have ended
    sets, deployments, jobs, pods = (result[0] for result in results if not isinstance(result, BaseException))
    return Snapshot(
        workloads={(item["kind"], item["metadata"]["name"]): item for item in (*sets, *deployments)},
        jobs={item["metadata"]["name"]: item for item in jobs},
        pods=pods,
    )


async def with_warning_events(cluster: Cluster, namespace: str, snapshot: Snapshot) -> Snapshot:
    """The same snapshot with the namespace's Events of type Warning. Raises ClusterError."""
    warnings, _ = await cluster.list("Event", namespace, fields="type=Warning")
    return replace(snapshot, warnings=sorted(warnings, key=last_seen))


def last_seen(event: Manifest) -> str:
    """When an Event happened last. Reporters fill in different time fields; all are timestamps of the same form."""
    times = (event.get("lastTimestamp"), (event.get("series") or {}).get("lastObservedTime"), event.get("eventTime"))
    return str(next((time for time in times if time), event["metadata"].get("creationTimestamp") or ""))
