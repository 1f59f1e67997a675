"""Each thing that keeps a pod from running is told in plain words, with what to do about it."""

import pytest

from stores.engines import Manifest
from tests.unit.cluster_objects import leaving, pod, refused_pods, terminated, view, waiting, workload
from workers.troubles import find_trouble

UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available: 3 Insufficient memory.",
}
CRASHED = waiting("CrashLoopBackOff", ended={"exitCode": 1, "message": "no such table\n"})
AGAIN = CRASHED | {"state": {"running": {}}}
OVER_QUOTA = 'pods "web-1" is forbidden: exceeded quota: store, requested: pods=1, used: pods=8, limited: pods=8'

TROUBLES = {
    "no room": (
        pod("web", conditions=[UNSCHEDULABLE]),
        "No node can take the web pod: 0/3 nodes are available: 3 Insufficient memory. "
        "Add room to the cluster, or choose a smaller plan.",
    ),
    "no image": (
        pod("web", containerStatuses=[waiting("ImagePullBackOff", 'Back-off pulling image "shop:1"')]),
        "The image shop:1 of web can't be pulled: nobody said why. Check that it exists and may be pulled, then retry.",
    ),
    "no image name": (
        pod("web", initContainerStatuses=[waiting("InvalidImageName", "couldn't parse image name")]),
        "The image shop:1 of web can't be pulled: that is no image's name. "
        "Check that it exists and may be pulled, then retry.",
    ),
    "a crash": (
        pod("database", containerStatuses=[CRASHED]),
        "The database container keeps crashing (exit code 1). no such table. See its logs, then retry.",
    ),
    "a crash without a word": (
        pod("database", containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 1})]),
        "The database container keeps crashing (exit code 1). It said nothing. See its logs, then retry.",
    ),
    "ending well again and again": (
        pod("web", containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 0, "reason": "Completed"})]),
        "The web container keeps crashing (exit code 0). It said nothing. See its logs, then retry.",
    ),
    "a moment between two crashes": (
        pod("web", phase="Running", containerStatuses=[AGAIN | {"ready": False}]),
        "The web container keeps crashing (exit code 1). no such table. See its logs, then retry.",
    ),
    "an end that may be the first of many": (
        pod("install", containerStatuses=[terminated(1, "no database")]),
        "The install container keeps crashing (exit code 1). no database. See its logs, then retry.",
    ),
    "out of memory": (
        pod("web", containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 137, "reason": "OOMKilled"})]),
        "The web container keeps running out of memory (exit code 137). Choose a larger plan, then retry.",
    ),
    "a disk that isn't made": (
        pod("database", conditions=[UNSCHEDULABLE | {"message": "pod has unbound immediate PersistentVolumeClaims."}]),
        "The database pod has no disk: the cluster doesn't provide it. "
        "Have the operator see to the storage class, then retry.",
    ),
    "no secret": (
        pod("web", containerStatuses=[waiting("CreateContainerConfigError", 'secret "admin" not found')]),
        'The web container can\'t be started: secret "admin" not found. Retry; if it comes back, tell the operator.',
    ),
    "over quota": (
        workload("Deployment", "web", ready=0, conditions=refused_pods(OVER_QUOTA)),
        "The web pod doesn't fit into the store's quota: 8 of 8 pods in use, 1 more wanted. "
        "Choose a larger plan, then retry.",
    ),
    "refused": (
        workload("StatefulSet", "database", ready=0, conditions=refused_pods("violates PodSecurity")),
        "The database pod can't be made: violates PodSecurity. Retry; if it comes back, tell the operator.",
    ),
}


@pytest.mark.parametrize(("item", "told"), TROUBLES.values(), ids=list(TROUBLES))
def test_what_is_told(item: Manifest, told: str) -> None:
    assert find_trouble(view(item), but_of=()) == told


HARMLESS = {
    "nothing yet": pod("web"),
    "not scheduled yet": pod("web", conditions=[{"type": "PodScheduled", "status": "False"}]),
    "being started": pod("web", containerStatuses=[waiting("ContainerCreating"), waiting("PodInitializing")]),
    "running": pod("web", phase="Running", containerStatuses=[{"name": "main", "state": {"running": {}}}]),
    "a good end": pod("install", initContainerStatuses=[terminated(0)], containerStatuses=[terminated(0, "done")]),
    "running after a crash": pod("web", phase="Running", containerStatuses=[AGAIN | {"ready": True}]),
    "over": pod("install", phase="Failed", containerStatuses=[CRASHED]),
    "on its way out": leaving(pod("web", containerStatuses=[CRASHED])),
    "what passed": workload("Deployment", "web", conditions=[{"type": "ReplicaFailure", "status": "False"}]),
    "another condition": workload("Deployment", "web", conditions=[{"type": "Available", "status": "True"}]),
    "no status at all": {"kind": "Pod", "metadata": {"name": "web"}, "spec": {}},
}


@pytest.mark.parametrize("item", HARMLESS.values(), ids=list(HARMLESS))
def test_what_is_no_trouble(item: Manifest) -> None:
    assert find_trouble(view(item), but_of=()) is None


def test_some_parts_dont_count() -> None:
    looked = view(pod("cron", containerStatuses=[CRASHED]), pod("install", containerStatuses=[CRASHED]))
    assert "cron" in (find_trouble(looked, but_of=("install",)) or "")
    assert "install" in (find_trouble(looked, but_of=("cron",)) or "")
    assert find_trouble(looked, but_of=("cron", "install")) is None


def test_the_first_is_told() -> None:
    looked = view(pod("database", containerStatuses=[CRASHED]), pod("web", conditions=[UNSCHEDULABLE]))
    assert (find_trouble(looked, but_of=()) or "").startswith("The database container")


def test_a_cluster_may_be_talkative_and_strange() -> None:
    """What it says reaches the owner and the database: one line, short, and nothing that can't be stored or shown."""
    said = "line one\n\n  line \0two\x1b[31m \ud800" + "x" * 5000
    told = find_trouble(view(pod("web", containerStatuses=[waiting("ErrImagePull", said)])), but_of=()) or ""
    assert "line one line two [31m " in told
    assert told.isprintable()
    assert len(told) < 320
