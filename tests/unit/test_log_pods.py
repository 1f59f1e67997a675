"""Which runs of a container can be read, by what a kubelet says of it."""

from typing import Any

import pytest

from stores.engines import Manifest
from workers.logs.pods import Run, containers
from workers.logs.source import Place, Source

CRASHED = {"terminated": {"containerID": "c://1", "exitCode": 139, "startedAt": "2026-11-24T08:00:00Z"}}
RUNNING = {"running": {"startedAt": "2026-11-24T08:01:00Z"}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff"}}
PREVIOUS = Run("c://1", previous=True, over=True, exit_code=139)
CURRENT = Run("c://2", previous=False, over=False)


def pod(**row: Any) -> Manifest:
    return {"status": {"containerStatuses": [{"name": "web", **row}]}}


@pytest.mark.parametrize(
    ("row", "runs", "waits"),
    [
        ({"state": {"waiting": {"reason": "ContainerCreating"}}}, [], "ContainerCreating"),
        ({"state": RUNNING, "containerID": "c://2"}, [CURRENT], ""),
        ({"state": RUNNING, "containerID": "c://2", "lastState": CRASHED}, [PREVIOUS, CURRENT], ""),
        ({"state": BACK_OFF, "lastState": CRASHED, "containerID": "c://1"}, [PREVIOUS], "CrashLoopBackOff"),
        ({"state": CRASHED}, [Run("c://1", previous=False, over=True, exit_code=139)], ""),
        ({"state": RUNNING}, [Run("2026-11-24T08:01:00Z", previous=False, over=False)], ""),  # a pretended node
        ({}, [], ""),
    ],
)
def test_the_runs_of_a_container(row: dict[str, Any], runs: list[Run], waits: str) -> None:
    [found] = containers(pod(**row))
    assert (found.name, found.runs, found.waits) == ("web", runs, waits)


def test_a_pod_without_a_node_has_no_containers() -> None:
    assert containers({"status": {}}) == containers({}) == []


def test_what_was_read_to_its_end_is_not_read_again() -> None:
    source = Source("uid", "web-1", "web")
    assert source.unread([PREVIOUS, CURRENT]) == [PREVIOUS, CURRENT]
    source.begun = PREVIOUS.id
    assert source.unread([PREVIOUS, CURRENT]) == [PREVIOUS, CURRENT]
    source.begun = CURRENT.id
    assert source.unread([PREVIOUS, CURRENT]) == [CURRENT]
    source.done = PREVIOUS.id
    assert source.unread([PREVIOUS]) == []
    source.done = "c://0"
    source.begun = "c://0"
    assert source.unread([PREVIOUS, CURRENT]) == [PREVIOUS, CURRENT]


def test_another_worker_goes_on_from_the_place() -> None:
    place = Place(17, 2, CURRENT.id)
    places = Source("uid", "web-1", "web").places_at(place)
    source = Source.known("uid", "web-1", "web", places)
    assert (source.place, source.begun) == (place, CURRENT.id)
    assert Source.known("other", "web-2", "web", places).place is None
    assert source.places_at(None) == {}
