"""Workloads become ready and Jobs finish, with the statuses that the worker's snapshot understands."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from stores.engines import Manifest
from tests.contract.conftest import Server
from tests.contract.objects import database, disk, eventually, quota, retry_temporary, task, web
from workers.cluster.client import Cluster
from workers.diagnostics import find_problem
from workers.snapshot import JobOutcome, Snapshot, fetch_snapshot

NEEDS_CONTAINERS = pytest.mark.usefixtures("containers")
"""Only a real container fails as its command says; fake nodes can only simulate readiness and success."""


def fetching(cluster: Cluster, namespace: str) -> Callable[[], Any]:
    async def ask() -> Snapshot:
        return await fetch_snapshot(cluster, namespace)

    return ask


def inject_fault(server: Server, **fault: Any) -> None:
    """In the simulator a fault takes the place of the broken container."""
    if server.simulator is not None:
        server.simulator.cluster.faults.replace([fault])


def running(view: Snapshot) -> list[Manifest]:
    return [pod for pod in view.pods if "deletionTimestamp" not in pod["metadata"]]


async def test_workloads_become_ready(cluster: Cluster, namespace: str) -> None:
    await asyncio.gather(*(cluster.apply(item) for item in (disk(namespace), database(namespace), web(namespace))))
    ask = fetching(cluster, namespace)
    parts = [("StatefulSet", "database"), ("Deployment", "web")]
    await eventually(ask, lambda view: all(view.is_ready(*part) for part in parts))
    view = await ask()  # a snapshot isn't atomic
    assert find_problem(view, exclude=()) is None
    for pod in view.pods:
        assert pod["status"]["phase"] == "Running"
        assert {row["type"]: row["status"] for row in pod["status"]["conditions"]}["Ready"] == "True"
    claim = await cluster.get("PersistentVolumeClaim", "disk", namespace)
    assert (claim["status"]["phase"], bool(claim["spec"]["volumeName"])) == ("Bound", True)


async def test_ready_is_said_of_the_latest_template_only(cluster: Cluster, namespace: str) -> None:
    ask = fetching(cluster, namespace)
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
    store = (disk(namespace), database(namespace), web(namespace))  # the dependencies of the Jobs
    await asyncio.gather(*(cluster.apply(item) for item in store))
    await cluster.create(task(namespace, "proof", f"echo '{json.dumps(RECEIPT)}' > /dev/termination-log"))
    await cluster.create(task(namespace, "install"))
    view = await eventually(
        fetching(cluster, namespace),
        lambda view: all(view.job_outcome(job).state != "running" for job in ("proof", "install")),
    )
    assert view.job_outcome("install") == JobOutcome("succeeded", "")
    outcome = view.job_outcome("proof")
    receipt = json.loads(outcome.message)
    assert outcome.state == "succeeded"
    assert receipt.keys() == RECEIPT.keys()
    assert receipt["simulated"] is True

    async def job() -> Manifest:
        return await cluster.get("Job", "proof", namespace)

    done = await eventually(job, lambda item: item["status"].get("completionTime"))
    assert ("Complete", "True") in {(row["type"], row["status"]) for row in done["status"]["conditions"]}


@NEEDS_CONTAINERS
@pytest.mark.parametrize("retries", [0, 1])
async def test_a_job_that_fails_says_why(cluster: Cluster, namespace: str, server: Server, retries: int) -> None:
    inject_fault(server, fault="job", exitCode=3, message="sold out")
    await cluster.create(task(namespace, "task", "printf 'sold out' > /dev/termination-log; exit 3", retries=retries))
    view = await eventually(fetching(cluster, namespace), lambda view: view.job_outcome("task").state != "running")
    assert view.job_outcome("task") == JobOutcome("failed", "sold out")
    assert len(view.pods) == retries + 1
    assert find_problem(view, exclude=()) is None  # it ended; its output is reported elsewhere


HUGE = {"requests": {"cpu": "100000"}, "limits": {"cpu": "100000"}}
NONE, EXIT = "registry.invalid/none:1", ["sh", "-c", "exit 3"]


@NEEDS_CONTAINERS
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
    inject_fault(server, **fault)
    await assert_diagnosed(cluster, namespace, change, words)


async def test_a_pod_that_no_node_can_take_is_told(cluster: Cluster, namespace: str, server: Server) -> None:
    inject_fault(server, fault="unschedulable")
    await assert_diagnosed(cluster, namespace, {"resources": HUGE}, "No node can take the web pod")


async def assert_diagnosed(cluster: Cluster, namespace: str, change: dict[str, Any], words: str) -> None:
    """Apply a Deployment with that change of its container, and wait for the diagnosis: a first end is no loop yet."""
    broken = web(namespace)
    broken["spec"]["template"]["spec"]["containers"][0].update(change)
    await cluster.apply(broken)
    view = await eventually(fetching(cluster, namespace), lambda view: words in str(find_problem(view, exclude=())))
    assert not view.is_ready("Deployment", "web")


async def test_pods_that_do_not_fit_the_quota_are_told(cluster: Cluster, namespace: str) -> None:
    await cluster.apply(quota(namespace, pods="0"))
    await retry_temporary(lambda: cluster.apply(web(namespace)))
    refused = "The web pod doesn't fit into the quota quota of its namespace"
    ask = fetching(cluster, namespace)
    await eventually(ask, lambda view: refused in str(find_problem(view, exclude=())))
    await cluster.apply(quota(namespace, pods="5"))
    await eventually(ask, lambda view: view.is_ready("Deployment", "web"))
