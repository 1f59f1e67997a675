"""Workloads become ready, Jobs end, and all of them say so in the words that a look at a store understands."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from stores.engines import Manifest
from tests.contract.conftest import Server
from tests.contract.objects import database, disk, eventually, insist, quota, task, web
from workers.cluster.client import Cluster
from workers.troubles import find_trouble
from workers.view import Outcome, View, look

RUN = pytest.mark.usefixtures("containers")
"""Only a container that really runs ends as it is told to; readiness and Jobs that succeed can be pretended."""


def looking(cluster: Cluster, namespace: str) -> Callable[[], Any]:
    async def ask() -> View:
        return await look(cluster, namespace)

    return ask


def spoil(server: Server, **fault: Any) -> None:
    """What a real node finds out by itself the simulation is told."""
    if server.simulator is not None:
        server.simulator.world.faults.replace([fault])


def running(view: View) -> list[Manifest]:
    return [pod for pod in view.pods if "deletionTimestamp" not in pod["metadata"]]


async def test_workloads_become_ready(cluster: Cluster, namespace: str) -> None:
    await asyncio.gather(*(cluster.apply(item) for item in (disk(namespace), database(namespace), web(namespace))))
    ask = looking(cluster, namespace)
    parts = [("StatefulSet", "database"), ("Deployment", "web")]
    await eventually(ask, lambda view: all(view.is_ready(*part) for part in parts))
    view = await ask()  # a look is no snapshot
    assert find_trouble(view, but_of=()) is None
    for pod in view.pods:
        assert pod["status"]["phase"] == "Running"
        assert {row["type"]: row["status"] for row in pod["status"]["conditions"]}["Ready"] == "True"
    claim = await cluster.get("PersistentVolumeClaim", "disk", namespace)
    assert (claim["status"]["phase"], bool(claim["spec"]["volumeName"])) == ("Bound", True)


async def test_ready_is_said_of_the_latest_template_only(cluster: Cluster, namespace: str) -> None:
    ask = looking(cluster, namespace)
    generations = []
    for replicas, grace in ((1, 1), (1, 2), (2, 2), (0, 2)):
        made = await cluster.apply(web(namespace, replicas=replicas, terminationGracePeriodSeconds=grace))
        generations.append(made["metadata"]["generation"])
        await eventually(ask, lambda view: view.is_ready("Deployment", "web"))
        view = await ask()
        assert [pod["spec"]["terminationGracePeriodSeconds"] for pod in running(view)] == [grace] * replicas
    assert generations == [1, 2, 3, 4]


async def test_a_deployments_annotations_count_as_its_spec_and_labels_do_not(cluster: Cluster, namespace: str) -> None:
    generations = []
    for parts in ({}, {"labels": {"new": "yes"}}, {"annotations": {"new": "yes"}}):
        for item in (web(namespace, replicas=0), database(namespace, replicas=0)):
            item["metadata"] |= {**parts, "labels": {**item["metadata"]["labels"], **parts.get("labels", {})}}
            made = await cluster.apply(item)
            generations.append((made["kind"], made["metadata"]["generation"]))
    assert generations == [
        *(("Deployment", 1), ("StatefulSet", 1)),
        *(("Deployment", 1), ("StatefulSet", 1)),
        *(("Deployment", 2), ("StatefulSet", 1)),
    ]


RECEIPT = {"simulated": True, "totalMs": 12, "orderId": 7, "steps": [{"name": "order", "ms": 12}]}


async def test_a_job_that_ends_well_leaves_its_last_words(cluster: Cluster, namespace: str) -> None:
    store = (disk(namespace), database(namespace), web(namespace))  # what the Jobs work on
    await asyncio.gather(*(cluster.apply(item) for item in store))
    await cluster.create(task(namespace, "proof", f"echo '{json.dumps(RECEIPT)}' > /dev/termination-log"))
    await cluster.create(task(namespace, "install"))
    view = await eventually(
        looking(cluster, namespace),
        lambda view: all(view.outcome(job).state != "running" for job in ("proof", "install")),
    )
    assert view.outcome("install") == Outcome("succeeded", "")
    outcome = view.outcome("proof")
    receipt = json.loads(outcome.message)
    assert outcome.state == "succeeded"
    assert receipt.keys() == RECEIPT.keys()
    assert receipt["simulated"] is True

    async def job() -> Manifest:
        return await cluster.get("Job", "proof", namespace)

    done = await eventually(job, lambda item: item["status"].get("completionTime"))
    assert ("Complete", "True") in {(row["type"], row["status"]) for row in done["status"]["conditions"]}


@RUN
@pytest.mark.parametrize("retries", [0, 1])
async def test_a_job_that_fails_says_why(cluster: Cluster, namespace: str, server: Server, retries: int) -> None:
    spoil(server, fault="job", exitCode=3, message="sold out")
    await cluster.create(task(namespace, "task", "printf 'sold out' > /dev/termination-log; exit 3", retries=retries))
    view = await eventually(looking(cluster, namespace), lambda view: view.outcome("task").state != "running")
    assert view.outcome("task") == Outcome("failed", "sold out")
    assert len(view.pods) == retries + 1
    assert find_trouble(view, but_of=()) is None  # it ended; what it said is told elsewhere


HUGE = {"requests": {"cpu": "100000"}, "limits": {"cpu": "100000"}}
NONE, EXIT = "registry.invalid/none:1", ["sh", "-c", "exit 3"]


@RUN
@pytest.mark.parametrize(
    ("change", "fault", "words"),
    [
        ({"image": NONE}, {"fault": "image"}, f"The image {NONE} of web"),
        ({"command": EXIT}, {"fault": "crash-loop", "exitCode": 3}, "keeps crashing (exit code 3)"),
    ],
    ids=["image", "crash-loop"],
)
async def test_what_keeps_a_container_from_running_is_told(
    cluster: Cluster, namespace: str, server: Server, change: dict[str, Any], fault: dict[str, Any], words: str
) -> None:
    spoil(server, **fault)
    await is_told(cluster, namespace, change, words)


async def test_a_pod_that_no_node_can_take_is_told(cluster: Cluster, namespace: str, server: Server) -> None:
    spoil(server, fault="unschedulable")
    await is_told(cluster, namespace, {"resources": HUGE}, "No node can take the web pod")


async def is_told(cluster: Cluster, namespace: str, change: dict[str, Any], words: str) -> None:
    """Of a Deployment whose container has that change."""
    broken = web(namespace)
    broken["spec"]["template"]["spec"]["containers"][0].update(change)
    await cluster.apply(broken)
    view = await eventually(looking(cluster, namespace), lambda view: find_trouble(view, but_of=()))
    assert words in str(find_trouble(view, but_of=()))
    assert not view.is_ready("Deployment", "web")


async def test_pods_that_do_not_fit_the_quota_are_told(cluster: Cluster, namespace: str) -> None:
    await cluster.apply(quota(namespace, pods="0"))
    await insist(lambda: cluster.apply(web(namespace)))
    told = "The web pod doesn't fit into the quota quota of its namespace"
    ask = looking(cluster, namespace)
    await eventually(ask, lambda view: told in str(find_trouble(view, but_of=())))
    await cluster.apply(quota(namespace, pods="5"))
    await eventually(ask, lambda view: view.is_ready("Deployment", "web"))
