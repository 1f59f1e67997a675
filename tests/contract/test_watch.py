"""list_and_watch reports each change once, also through broken connections."""

import asyncio
import operator
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from sandbox.simulator import watches
from sandbox.simulator.errors import ApiError
from sandbox.simulator.kinds import CONFIGMAP
from sandbox.simulator.server import Simulator
from stores.engines import Manifest
from tests.contract.objects import requests, settings, temporary_namespace
from tests.contract.watch_recorder import recording_watch, version
from tests.support.simulator_client import Client
from workers.cluster import watch
from workers.cluster.client import Cluster


async def test_a_list_and_then_every_change(cluster: Cluster, namespace: str) -> None:
    await cluster.create(settings(namespace, "before"))
    async with temporary_namespace(cluster) as other, recording_watch(cluster, namespace) as seen:
        assert seen.lists == [["before"]]
        await cluster.create(settings(other, "foreign"))
        await cluster.create(settings(namespace, "later"))
        await cluster.apply(settings(namespace, "later", data={"colour": "blue"}))
        await cluster.delete("ConfigMap", "before", namespace)
        await seen.until(lambda: len(seen.events) >= 3)
        assert seen.events == [("ADDED", "later"), ("MODIFIED", "later"), ("DELETED", "before")]
        assert (seen.objects["later"]["kind"], seen.objects["later"]["data"]) == ("ConfigMap", {"colour": "blue"})
        await cluster.apply(settings(namespace, "later", data={"colour": "blue"}, labels={"part": "web"}))
        await seen.until(lambda: len(seen.events) >= 4)
        assert len(seen.lists) == 1


async def test_what_loses_the_label_is_deleted(cluster: Cluster, namespace: str) -> None:
    mine = settings(namespace)
    await cluster.apply(mine)
    async with recording_watch(cluster, namespace) as seen:
        mine["metadata"]["labels"] = {}
        await cluster.apply(mine)
        await seen.until(lambda: seen.events)
        assert seen.events == [("DELETED", "settings")]


async def test_large_objects_fit(cluster: Cluster, namespace: str) -> None:
    async with recording_watch(cluster, namespace) as seen:
        await cluster.create(settings(namespace, data={"large": "x" * 900_000}))
        await seen.wait_for_object("settings")
        await cluster.create(settings(namespace, "small"))
        await seen.wait_for_object("small")


async def churn(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Six concurrent writers. Returns the last count of each remaining object, by name."""
    left = {}

    async def write(number: int) -> None:
        name = f"writer-{number}"
        for count in range(10):
            await cluster.apply(settings(namespace, name, data={"count": str(count)}))
            if number % 2 and count in (3, 9):
                await cluster.delete("ConfigMap", name, namespace)
        if not number % 2:
            left[name] = "9"

    await asyncio.gather(*(write(number) for number in range(6)))
    return left


async def test_nothing_is_lost_or_doubled_while_much_happens(cluster: Cluster, namespace: str) -> None:
    async with recording_watch(cluster, namespace) as seen:
        left = await churn(cluster, namespace)
        changes = 6 * 10 + 3 * 2
        await seen.until(lambda: len(seen.events) >= changes)
        assert {name: item["data"]["count"] for name, item in seen.objects.items()} == left
        assert len(seen.events) == changes
        assert len(seen.lists) == 1


async def test_nothing_is_lost_or_doubled_while_watches_drop(
    cluster: Cluster, namespace: str, controls: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "BACKOFF_SECONDS", (0.005, 0.02))

    async def drop() -> None:
        while True:
            await controls.ok("POST", "/_sim/drop-watches")
            await asyncio.sleep(0.01)  # some events between two drops

    async with recording_watch(cluster, namespace) as seen:
        dropping = asyncio.create_task(drop())
        left = await churn(cluster, namespace)
        dropping.cancel()
        await seen.until(lambda: len(seen.events) >= 66)
        assert {name: item["data"]["count"] for name, item in seen.objects.items()} == left
        assert len(seen.events) == 66
        assert len(seen.lists) == 1


async def test_an_orderly_end_goes_on_where_it_was(
    cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "WATCH_TIMEOUT", 1.3)  # which is one second after jitter
    before = requests("watch", "ConfigMap", "200")
    with capture_logs() as logs:
        async with recording_watch(cluster, namespace) as seen:
            await seen.until(lambda: requests("watch", "ConfigMap", "200") - before >= 2)
            await cluster.create(settings(namespace))
            await seen.until(lambda: seen.events)
    assert len(seen.lists) == 1
    assert logs == []


async def test_a_dropped_watch_recovers_soon(
    cluster: Cluster, namespace: str, simulator: Simulator, controls: Client
) -> None:
    with capture_logs() as logs:
        async with recording_watch(cluster, namespace) as seen:
            for name in "abc":
                await seen.until(lambda: simulator.cluster.objects.watchers[CONFIGMAP])
                dropped = await controls.ok("POST", "/_sim/drop-watches")
                assert dropped == {"dropped": 1}
                await cluster.create(settings(namespace, name))
                await seen.wait_for_object(name)
            assert len(seen.lists) == 1
    assert [row["errors"] for row in logs] == [1, 1, 1]  # so each delay is the first one of the backoff


async def test_a_watch_that_drops_now_and_then_never_waits_long(
    cluster: Cluster, namespace: str, controls: Client, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resource version stays the same, but each watch lasts longer than BACKOFF_RESET_SECONDS."""
    monkeypatch.setattr(watch, "BACKOFF_RESET_SECONDS", 0.0)
    monkeypatch.setattr(watch, "BACKOFF_SECONDS", (0.001, 60.0))
    with capture_logs() as logs:
        async with recording_watch(cluster, namespace) as seen:
            while len(logs) < 12:
                await seen.until(lambda: simulator.cluster.objects.watchers[CONFIGMAP])
                logs_before = [*logs]
                await controls.ok("POST", "/_sim/drop-watches")
                await seen.until(partial(operator.ne, logs, logs_before))
    assert max(row["retry_in"] for row in logs) <= 0.001


@pytest.mark.parametrize("source", ["in the watch", "by the status"])
async def test_an_expired_version_is_listed_again(
    cluster: Cluster, namespace: str, controls: Client, source: str
) -> None:
    for name in "ab":
        await cluster.create(settings(namespace, name))
    async with recording_watch(cluster, namespace) as seen:
        await controls.faults({"fault": "http", "code": 503, "verb": "watch", "kind": "ConfigMap"})
        await controls.ok("POST", "/_sim/drop-watches")
        await cluster.delete("ConfigMap", "a", namespace)
        await cluster.create(settings(namespace, "c"))
        if source == "in the watch":
            await controls.ok("POST", "/_sim/compact")
            await controls.faults()
        else:
            await controls.faults({"fault": "http", "code": 410, "verb": "watch", "kind": "ConfigMap", "times": 1})
        await seen.until(lambda: len(seen.lists) == 2)
        assert seen.lists[1] == ["b", "c"]
        await cluster.create(settings(namespace, "d"))
        await seen.wait_for_object("d")


async def test_versions_that_are_always_gone_make_no_busy_loop(
    cluster: Cluster, namespace: str, controls: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "BACKOFF_SECONDS", (0.1, 0.1))
    with capture_logs() as logs:
        async with recording_watch(cluster, namespace) as seen:
            await controls.faults({"fault": "http", "code": 410, "verb": "watch", "kind": "ConfigMap"})
            await controls.ok("POST", "/_sim/drop-watches")
            await seen.until(lambda: len(seen.lists) >= 3)
            assert len(logs) >= len(seen.lists) - 1  # a delay before each further list
            assert min(row["retry_in"] for row in logs) >= 0.05


async def test_bookmarks_move_the_version_on(
    cluster: Cluster, namespace: str, controls: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only other objects change: without bookmarks the watch's version would be compacted."""
    monkeypatch.setattr(watches, "BOOKMARK_SECONDS", 0.01)
    original, marks = cluster.watch, [0]

    async def marking(events: AsyncIterator[Manifest]) -> AsyncIterator[Manifest]:
        async for event in events:
            if event["type"] == "BOOKMARK":
                marks.append(version(event["object"]))
            yield event

    @asynccontextmanager
    async def watching(*arguments: Any) -> AsyncIterator[AsyncIterator[Manifest]]:
        async with original(*arguments) as events:
            yield marking(events)

    monkeypatch.setattr(cluster, "watch", watching)
    async with temporary_namespace(cluster) as other, recording_watch(cluster, namespace) as seen:
        for number in range(5):
            await cluster.create(settings(other, f"foreign-{number}"))
        now = int((await controls.ok("POST", "/_sim/compact"))["resourceVersion"])
        await seen.until(lambda: marks[-1] >= now)
        await controls.ok("POST", "/_sim/drop-watches")
        await cluster.create(settings(namespace))
        await seen.wait_for_object("settings")
        assert len(seen.lists) == 1


async def test_a_connection_that_is_silent_is_given_up(
    cluster: Cluster, namespace: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "WATCH_IDLE_TIMEOUT", 0.2)
    async with recording_watch(cluster, namespace) as seen:
        watchers = simulator.cluster.objects.watchers[CONFIGMAP]
        await seen.until(lambda: watchers)
        watchers.clear()  # the connection stays open, but gets no more data
        await cluster.create(settings(namespace))
        await seen.until(lambda: seen.objects)
        assert len(seen.lists) == 1


async def test_other_errors_in_a_watch_are_tried_again(
    cluster: Cluster, namespace: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = simulator.cluster.objects
    original, errors = objects.changes_since, [ApiError(500, "InternalError", "tired")]

    def tired(*arguments: Any) -> Any:
        if errors:
            raise errors.pop()
        return original(*arguments)

    monkeypatch.setattr(objects, "changes_since", tired)
    with capture_logs() as logs:
        async with recording_watch(cluster, namespace) as seen:
            await cluster.create(settings(namespace))
            await seen.until(lambda: seen.objects)
            (watcher,) = objects.watchers[CONFIGMAP]
            watcher.pending.append(b"nonsense\n")
            watcher.notify()
            await seen.until(lambda: len(logs) == 2)
            await cluster.create(settings(namespace, "later"))
            await seen.wait_for_object("later")
    assert len(seen.lists) == 1
    assert [row["error"] for row in logs] == ["tired", "a watch sent invalid JSON: b'nonsense\\n'"]


def failing(verb: str, **answer: Any) -> list[dict[str, Any]]:
    """Faults that make that verb fail after a watch is dropped."""
    where = {"fault": "http", "kind": "ConfigMap"}
    gone = {**where, "code": 410, "verb": "watch", "times": 1}
    return [*([gone] if verb == "list" else []), {**where, **answer, "verb": verb}]


@pytest.mark.parametrize("verb", ["watch", "list"])
async def test_errors_are_tried_again_later_and_later(
    cluster: Cluster, namespace: str, controls: Client, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(watch, "BACKOFF_SECONDS", (0.01, 0.08))
    await cluster.create(settings(namespace, "before"))
    with capture_logs() as logs:
        async with recording_watch(cluster, namespace) as seen:
            await controls.faults(*failing(verb, code=500))
            await controls.ok("POST", "/_sim/drop-watches")
            await seen.until(lambda: len(logs) >= 7)
            for row in logs:
                full = min(0.08, 0.01 * 2 ** (row["errors"] - 1))
                assert full / 2 <= row["retry_in"] <= full
            assert [row["errors"] for row in logs[:7]] == [1, 2, 3, 4, 5, 6, 7]
            await controls.faults()
            await cluster.create(settings(namespace, "after"))
            await seen.wait_for_object("after")
            assert len(seen.lists) == (1 if verb == "watch" else 2)


@pytest.mark.parametrize("verb", ["watch", "list"])
@pytest.mark.parametrize(("asked", "waits"), [(1, 1), (3600, 60)])
async def test_the_pause_is_as_long_as_the_server_asks_for(
    cluster: Cluster, namespace: str, controls: Client, verb: str, asked: float, waits: float
) -> None:
    with capture_logs() as logs:
        async with recording_watch(cluster, namespace) as seen:
            await controls.faults(*failing(verb, code=429, retryAfter=asked, message="tired"))
            await controls.ok("POST", "/_sim/drop-watches")
            await seen.until(lambda: [row["retry_in"] for row in logs if row["error"] == "tired"] == [waits])
