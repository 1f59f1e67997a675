"""Each problem of a pod gives a plain sentence with a remedy."""

import pytest

from stores.engines import Manifest
from tests.support.cluster_objects import (
    pod,
    refused_pods,
    snapshot,
    terminated,
    terminating,
    unready,
    waiting,
    workload,
)
from workers.diagnostics import find_problem

UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available: 3 Insufficient memory.",
}
CRASHED = waiting("CrashLoopBackOff", ended={"exitCode": 1, "message": "no such table\n"})
AGAIN = waiting("", ended={"exitCode": 1, "message": "no such table\n", "finishedAt": "2026-11-23T18:59:20Z"}) | {
    "state": {"running": {"startedAt": "2026-11-23T18:59:21Z"}},
    "restartCount": 2,
}
KILL = {"exitCode": 137, "reason": "Error", "finishedAt": "2026-11-23T18:59:20Z"}
KILLED = waiting("", ended=KILL) | {"state": {"running": {"startedAt": "2026-11-23T18:59:20Z"}}, "restartCount": 5}
OVER_QUOTA = 'pods "web-1" is forbidden: exceeded quota: store, requested: pods=1, used: pods=8, limited: pods=8'

PROBLEMS = {
    "no room": (
        pod("web", conditions=[UNSCHEDULABLE]),
        "No node can take the web pod: 0/3 nodes are available: 3 Insufficient memory. "
        "Have the operator add room to the cluster, then retry.",
    ),
    "no image": (
        pod("web", containerStatuses=[waiting("ImagePullBackOff", 'Back-off pulling image "shop:1"')]),
        "The image shop:1 of web can't be pulled: no reason was given. "
        "Check that it exists and may be pulled, then retry.",
    ),
    "no image name": (
        pod("web", initContainerStatuses=[waiting("InvalidImageName", "couldn't parse image name")]),
        "The image shop:1 of web can't be pulled: the image name is invalid. "
        "Check that it exists and may be pulled, then retry.",
    ),
    "a crash": (
        pod("database", containerStatuses=[CRASHED]),
        "The database container keeps crashing (exit code 1). no such table. See its logs, then retry.",
    ),
    "a crash without output": (
        pod("database", containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 1})]),
        "The database container keeps crashing (exit code 1). See its logs, then retry.",
    ),
    "exit code 0 again and again": (
        pod("web", containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 0, "reason": "Completed"})]),
        "The web container keeps crashing (exit code 0). See its logs, then retry.",
    ),
    "a moment between two crashes": (
        pod("web", phase="Running", conditions=[unready("2026-11-23T18:59:01Z")], containerStatuses=[AGAIN]),
        "The web container keeps crashing (exit code 1). no such table. See its logs, then retry.",
    ),
    "an end that may be the first of many": (
        pod("install", containerStatuses=[terminated(1, "no database")]),
        "The install container ended (exit code 1). no database. See its logs, then retry.",
    ),
    "one kill": (
        pod("web", phase="Running", conditions=[unready("2026-11-23T18:59:20Z")], containerStatuses=[KILLED]),
        "The web container ended (exit code 137). See its logs, then retry.",
    ),
    "one end for lack of memory": (
        pod("web", containerStatuses=[KILLED | {"lastState": {"terminated": KILL | {"reason": "OOMKilled"}}}]),
        "The web container ran out of memory (exit code 137). Choose a larger plan, or tell the operator and retry.",
    ),
    "out of memory": (
        pod("web", containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 137, "reason": "OOMKilled"})]),
        "The web container keeps running out of memory (exit code 137). "
        "Choose a larger plan, or tell the operator and retry.",
    ),
    "a disk that isn't made": (
        pod("database", conditions=[UNSCHEDULABLE | {"message": "pod has unbound immediate PersistentVolumeClaims."}]),
        "The database pod has no disk: the cluster doesn't provide it. "
        "Have the operator check the storage class, then retry.",
    ),
    "no secret": (
        pod("web", containerStatuses=[waiting("CreateContainerConfigError", 'secret "admin" not found')]),
        'The web container can\'t be started: secret "admin" not found. Retry; if it happens again, tell the operator.',
    ),
    "over quota": (
        workload("Deployment", "web", ready=0, conditions=refused_pods(OVER_QUOTA)),
        "The web pod doesn't fit into the store's quota: 8 of 8 pods in use, 1 more wanted. "
        "Choose a larger plan, or tell the operator and retry.",
    ),
    "refused": (
        workload("StatefulSet", "database", ready=0, conditions=refused_pods("violates PodSecurity")),
        "The database pod can't be created: violates PodSecurity. Retry; if it happens again, tell the operator.",
    ),
}


@pytest.mark.parametrize(("item", "message"), PROBLEMS.values(), ids=list(PROBLEMS))
def test_messages_of_pod_statuses(item: Manifest, message: str) -> None:
    assert find_problem(snapshot(item), exclude=()) == message


HARMLESS = {
    "nothing yet": pod("web"),
    "not scheduled yet": pod("web", conditions=[{"type": "PodScheduled", "status": "False"}]),
    "being started": pod("web", containerStatuses=[waiting("ContainerCreating"), waiting("PodInitializing")]),
    "running": pod("web", phase="Running", containerStatuses=[{"name": "main", "state": {"running": {}}}]),
    "a good end": pod("install", initContainerStatuses=[terminated(0)], containerStatuses=[terminated(0, "done")]),
    "running after a crash": pod("web", phase="Running", containerStatuses=[AGAIN | {"ready": True}]),
    "unready long after a crash": pod(
        "web", phase="Running", conditions=[unready("2026-11-23T19:09:00Z")], containerStatuses=[AGAIN]
    ),
    "over": pod("install", phase="Failed", containerStatuses=[CRASHED]),
    "terminating": terminating(pod("web", containerStatuses=[CRASHED])),
    "what passed": workload("Deployment", "web", conditions=[{"type": "ReplicaFailure", "status": "False"}]),
    "another condition": workload("Deployment", "web", conditions=[{"type": "Available", "status": "True"}]),
    "no status at all": {"kind": "Pod", "metadata": {"name": "web"}, "spec": {}},
}


@pytest.mark.parametrize("item", HARMLESS.values(), ids=list(HARMLESS))
def test_no_problem(item: Manifest) -> None:
    assert find_problem(snapshot(item), exclude=()) is None


def test_excluded_components_dont_count() -> None:
    items = snapshot(pod("cron", containerStatuses=[CRASHED]), pod("install", containerStatuses=[CRASHED]))
    assert "cron" in (find_problem(items, exclude=("install",)) or "")
    assert "install" in (find_problem(items, exclude=("cron",)) or "")
    assert find_problem(items, exclude=("cron", "install")) is None


def test_the_first_problem_is_found() -> None:
    items = snapshot(pod("database", containerStatuses=[CRASHED]), pod("web", conditions=[UNSCHEDULABLE]))
    assert (find_problem(items, exclude=()) or "").startswith("The database container")


def test_long_and_unprintable_messages_are_cleaned() -> None:
    """The message is shown and stored: one short line of printable characters."""
    text = "line one\n\n  line \0two\x1b[31m \ud800" + "x" * 5000
    message = find_problem(snapshot(pod("web", containerStatuses=[waiting("ErrImagePull", text)])), exclude=()) or ""
    assert "line one line two [31m " in message
    assert message.isprintable()
    assert len(message) < 320
