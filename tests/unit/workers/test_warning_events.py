"""Problems that only warning Events tell, and only while the objects' statuses still fit them."""

from typing import Any

import pytest

from stores.engines import Manifest
from tests.support.cluster_objects import (
    job,
    pod,
    refused_pods,
    snapshot,
    terminated,
    terminating,
    unready,
    waiting,
    warning,
    workload,
)
from workers.diagnostics import find_problem

QUOTA = "exceeded quota: admin, requested: pods=1, used: pods=0, limited: pods=0"
REFUSED = f'Create Pod database-0 in StatefulSet database failed error: pods "database-0" is forbidden: {QUOTA}'
NO_ROOM = (
    "The {} pod doesn't fit into the quota admin of its namespace: 0 of 0 pods in use, 1 more wanted. "
    "Have the operator raise that, then retry."
)
NO_CLASS = 'storageclass.storage.k8s.io "fast" not found'
UNBOUND = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
}
FILLED = 'Usage of EmptyDir volume "tmp" exceeds the limit "64Mi". '
WAS_EVICTED = "The web pod was evicted: its temporary files took more than 64Mi. A new pod replaces it."
FULL = "The disk of database is full. Choose a larger plan, or have the operator free space and retry."

NO_PODS = workload("StatefulSet", "database", ready=0) | {"status": {"replicas": 0}}
DOWN = workload("Deployment", "web", ready=0)
MOUNTING = pod("database", containerStatuses=[waiting("ContainerCreating")])
RUNNING: dict[str, Any] = {"name": "main", "ready": False, "state": {"running": {}}}
STARTING = pod("web", phase="Running", containerStatuses=[RUNNING | {"started": False}])
STARTED = pod("web", phase="Running", containerStatuses=[RUNNING | {"started": True}])
BUSY = pod("database", phase="Running", containerStatuses=[RUNNING | {"started": True}])
DATABASE_DOWN = workload("StatefulSet", "database", ready=0)
INSTALL = job("install-abc", "install")


def claiming(item: Manifest) -> Manifest:
    return {**item, "spec": {"volumes": [{"name": "tmp"}, {"persistentVolumeClaim": {"claimName": "database"}}]}}


MESSAGES = {
    "a StatefulSet that may make no pod": (
        [NO_PODS, warning("FailedCreate", REFUSED, NO_PODS)],
        NO_ROOM.format("database"),
    ),
    "a Deployment whose condition has an earlier refusal": (
        [
            workload("Deployment", "web", ready=0, conditions=refused_pods("violates PodSecurity")),
            warning("FailedCreate", f"Error creating: {QUOTA}", "web-cc65fd44d", kind="ReplicaSet"),
            warning("FailedCreate", "Error creating: no", "other-cc65fd44d", kind="ReplicaSet"),
            warning("Evicted", FILLED, "web-cc65fd44d", kind="ReplicaSet"),
        ],
        NO_ROOM.format("web"),
    ),
    "a Job that may make no pod": ([INSTALL, warning("FailedCreate", QUOTA, INSTALL)], NO_ROOM.format("install")),
    "a disk without a class": (
        [
            claiming(pod("database", conditions=[UNBOUND])),
            warning("ProvisioningFailed", NO_CLASS, "database", kind="PersistentVolumeClaim"),
        ],
        "The database pod has no disk: the cluster has no storage class fast. "
        "Have the operator check the storage class, then retry.",
    ),
    "another pod's disk": (
        [
            claiming(pod("database", conditions=[UNBOUND])),
            warning("ProvisioningFailed", NO_CLASS, "uploads", kind="PersistentVolumeClaim"),
            warning("ProvisioningFailed", NO_CLASS, "database", kind="Pod"),
        ],
        "The database pod has no disk: the cluster doesn't provide it. "
        "Have the operator check the storage class, then retry.",
    ),
    "a disk that can't be attached": (
        [MOUNTING, warning("FailedAttachVolume", "Multi-Attach error", MOUNTING), warning("BackOff", "no", MOUNTING)],
        "The database container can't be started: Multi-Attach error. Retry; if it happens again, tell the operator.",
    ),
    "an evicted pod": ([DOWN, warning("Evicted", FILLED, "web-7s7k5")], WAS_EVICTED),
    "an evicted pod whose successor starts": ([DOWN, STARTING, warning("Evicted", FILLED, "web-7s7k5")], WAS_EVICTED),
    "a full disk": (
        [DATABASE_DOWN, BUSY, warning("Unhealthy", "Readiness probe failed: the disk is full\n", BUSY)],
        FULL,
    ),
}


@pytest.mark.parametrize(("items", "message"), MESSAGES.values(), ids=list(MESSAGES))
def test_the_message(items: list[Manifest], message: str) -> None:
    assert find_problem(snapshot(*items), exclude=()) == message


UNWANTED = workload("StatefulSet", "database", ready=0, replicas=0)
PASSED = {
    "its pod is made now": [DATABASE_DOWN, warning("FailedCreate", REFUSED, DATABASE_DOWN)],
    "another of its name was refused": [NO_PODS, warning("FailedCreate", REFUSED, "database", kind="StatefulSet")],
    "it isn't wanted": [UNWANTED, warning("FailedCreate", REFUSED, UNWANTED)],
    "the Job has made one": [
        job("install-abc", "install") | {"status": {"failed": 1}},
        warning("FailedCreate", QUOTA, INSTALL),
    ],
    "it runs": [BUSY, warning("FailedMount", "timed out", BUSY)],
    "a pod that just starts": [MOUNTING, warning("Unhealthy", "Startup probe failed", MOUNTING)],
    "a pod that no kubelet knows yet": [pod("web"), warning("FailedMount", "timed out", pod("web"))],
    "another takes its place": [DOWN, STARTED, warning("Evicted", FILLED, "web-7s7k5")],
    "one that is being evicted, still there": [DOWN, STARTING, warning("Evicted", FILLED, STARTING)],
    "another's eviction": [DOWN, warning("Evicted", FILLED, "cron-1")],
    "one before this pod's time": [
        DOWN,
        STARTING,
        warning("Evicted", FILLED, "web-7s7k5", seen="2026-11-23T18:10:00Z"),
    ],
    "an earlier full disk": [
        DATABASE_DOWN,
        pod("database", conditions=[unready("2026-11-23T18:59:00Z")], containerStatuses=[RUNNING | {"started": True}]),
        warning("Unhealthy", "Readiness probe failed: the disk is full", BUSY, seen="2026-11-23T18:20:00Z"),
    ],
    "all is well again": [workload("Deployment", "web"), warning("Evicted", FILLED, "web-7s7k5")],
    "there is room again": [
        DATABASE_DOWN,
        BUSY,
        warning("Unhealthy", "Readiness probe failed: the disk is full", BUSY),
        warning("Unhealthy", "Readiness probe failed: ", BUSY),
    ],
    "it goes": [
        DATABASE_DOWN,
        terminating(BUSY),
        warning("Unhealthy", "Readiness probe failed: the disk is full", BUSY),
    ],
    "its run is over": [
        DOWN,
        pod("web", phase="Succeeded", containerStatuses=[terminated(0)]),
        warning("FailedMount", "timed out", pod("web")),
    ],
}


@pytest.mark.parametrize("items", PASSED.values(), ids=list(PASSED))
def test_outdated_events_are_ignored(items: list[Manifest]) -> None:
    assert find_problem(snapshot(*items), exclude=()) is None


def test_a_status_comes_before_an_event() -> None:
    crashed = pod("web", containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 1, "message": "no"})])
    items = snapshot(DOWN, warning("Evicted", FILLED, "web-7s7k5"), crashed)
    assert (find_problem(items, exclude=()) or "").startswith("The web container keeps crashing")
