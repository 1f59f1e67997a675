"""The runs of a container whose logs can be read, from the status that a kubelet reports."""

from typing import Any

import pytest

from stores.engines import Manifest
from workers.logs.pods import ContainerRun, container_states
from workers.logs.source import ContainerLog, LogPosition

CRASHED = {"terminated": {"containerID": "c://1", "exitCode": 139, "startedAt": "2026-11-24T08:00:00Z"}}
RUNNING = {"running": {"startedAt": "2026-11-24T08:01:00Z"}}
WAITING = {"waiting": {"reason": "CrashLoopBackOff"}}
PREVIOUS = ContainerRun("c://1", previous=True, terminated=True, exit_code=139)
CURRENT = ContainerRun("c://2", previous=False, terminated=False)


def pod(**row: Any) -> Manifest:
    return {"status": {"containerStatuses": [{"name": "web", **row}]}}


@pytest.mark.parametrize(
    ("row", "runs", "waiting_reason"),
    [
        ({"state": {"waiting": {"reason": "ContainerCreating"}}}, [], "ContainerCreating"),
        ({"state": RUNNING, "containerID": "c://2"}, [CURRENT], ""),
        ({"state": RUNNING, "containerID": "c://2", "lastState": CRASHED}, [PREVIOUS, CURRENT], ""),
        ({"state": WAITING, "lastState": CRASHED, "containerID": "c://1"}, [PREVIOUS], "CrashLoopBackOff"),
        ({"state": CRASHED}, [ContainerRun("c://1", previous=False, terminated=True, exit_code=139)], ""),
        (
            {"state": RUNNING},
            [ContainerRun("2026-11-24T08:01:00Z", previous=False, terminated=False)],
            "",
        ),  # a simulated kubelet
        ({}, [], ""),
    ],
)
def test_the_runs_of_a_container(row: dict[str, Any], runs: list[ContainerRun], waiting_reason: str) -> None:
    [found] = container_states(pod(**row))
    assert (found.name, found.runs, found.waiting_reason) == ("web", runs, waiting_reason)


def test_a_pod_without_a_node_has_no_containers() -> None:
    assert container_states({"status": {}}) == container_states({}) == []


def test_what_was_read_to_its_end_is_not_read_again() -> None:
    source = ContainerLog("uid", "web-1", "web")
    assert source.unread_runs([PREVIOUS, CURRENT]) == [PREVIOUS, CURRENT]
    source.started_run = PREVIOUS.id
    assert source.unread_runs([PREVIOUS, CURRENT]) == [PREVIOUS, CURRENT]
    source.started_run = CURRENT.id
    assert source.unread_runs([PREVIOUS, CURRENT]) == [CURRENT]
    source.finished_run = PREVIOUS.id
    assert source.unread_runs([PREVIOUS]) == []
    source.finished_run = "c://0"
    source.started_run = "c://0"
    assert source.unread_runs([PREVIOUS, CURRENT]) == [PREVIOUS, CURRENT]


def test_another_worker_goes_on_from_the_place() -> None:
    position = LogPosition(17, 2, CURRENT.id)
    positions = ContainerLog("uid", "web-1", "web").positions_at(position)
    source = ContainerLog.resume("uid", "web-1", "web", positions)
    assert (source.position, source.started_run) == (position, CURRENT.id)
    assert ContainerLog.resume("other", "web-2", "web", positions).position is None
    assert source.positions_at(None) == {}
