"""Watches begin at a list's version, lose no change, and end in all the ways of a real API server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from sandbox.simulator import objects, watches
from tests.support.simulator_client import JSON, V1, Client, manifest
from tests.support.waiting import hang_limit

MAPS = f"{V1}/shop/configmaps"


async def test_without_a_version_a_watch_begins_with_all_there_is(api: Client) -> None:
    for version in ("", "0"):
        async with api.watch(MAPS, resourceVersion=version) as next_event:
            type_, found = await next_event()
            assert (type_, found["metadata"]["name"], found["kind"]) == ("ADDED", "kube-root-ca.crt", "ConfigMap")
            await api.ok("POST", f"{V1}/kube-system/configmaps", manifest(f"elsewhere{version}"))
            await api.ok("POST", MAPS, manifest("a"))
            type_, found = await next_event()
            assert (type_, found["metadata"]["name"]) == ("ADDED", "a")
            await api.ok("DELETE", f"{MAPS}/a")
            type_, gone = await next_event()
            assert type_ == "DELETED"
            assert int(gone["metadata"]["resourceVersion"]) > int(found["metadata"]["resourceVersion"])


async def test_from_a_version_a_watch_tells_what_came_after(api: Client) -> None:
    version = (await api.get(MAPS))["metadata"]["resourceVersion"]
    await api.ok("POST", MAPS, manifest("a"))
    middle = (await api.merge(f"{MAPS}/a", {"data": {"x": "1"}}))["metadata"]["resourceVersion"]
    await api.merge(f"{MAPS}/a", {"data": {"x": "2"}})
    async with api.watch(MAPS, resourceVersion=version) as next_event:
        assert [(await next_event())[0] for _ in range(3)] == ["ADDED", "MODIFIED", "MODIFIED"]
    async with api.watch(MAPS, resourceVersion=middle) as next_event:
        type_, changed = await next_event()
        assert (type_, changed["data"]) == ("MODIFIED", {"x": "2"})


async def test_what_begins_or_ends_to_match_is_added_or_deleted(api: Client) -> None:
    await api.ok("POST", MAPS, manifest("a"))
    async with api.watch(MAPS, labelSelector="on=yes") as next_event:
        for labels, expected in (
            ({"on": "yes"}, "ADDED"),
            ({"x": "y"}, "MODIFIED"),
            ({"on": "no"}, "DELETED"),
            ({"x": "z"}, None),
            ({"on": "yes"}, "ADDED"),
        ):
            await api.merge(f"{MAPS}/a", {"metadata": {"labels": labels}})
            if expected:
                assert (await next_event())[0] == expected
        await api.ok("DELETE", f"{MAPS}/a")
        assert (await next_event())[0] == "DELETED"
    async with api.watch("/api/v1/namespaces", fieldSelector="metadata.name=shop") as next_event:
        assert (await next_event())[1]["metadata"]["name"] == "shop"


async def test_bookmarks_come_and_one_is_last(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "BOOKMARK_SECONDS", 0.02)
    version = (await api.get(MAPS))["metadata"]["resourceVersion"]
    query = {"resourceVersion": version, "allowWatchBookmarks": "true"}
    async with api.watch(MAPS, **query) as next_event:
        assert [(await next_event())[0] for _ in range(3)] == ["BOOKMARK"] * 3
    async with api.watch(MAPS, timeoutSeconds="0.1", **query) as next_event:
        type_, last = [event async for event in _rest(next_event)][-1]
    assert (type_, last["kind"], last["metadata"]["resourceVersion"]) == ("BOOKMARK", "ConfigMap", version)
    async with api.watch(MAPS, resourceVersion=version, timeoutSeconds="0.1") as next_event:
        assert await next_event() is None


async def _rest(next_event: Callable[[], Any]) -> AsyncIterator[tuple[str, JSON]]:
    while (event := await next_event()) is not None:
        yield event


async def test_forgotten_and_foreign_versions_are_gone(api: Client) -> None:
    before = (await api.get(MAPS))["metadata"]["resourceVersion"]
    await api.ok("POST", MAPS, manifest("a"))
    async with api.watch(MAPS, resourceVersion=before) as early:
        assert (await early())[0] == "ADDED"
        now = (await api.ok("POST", "/_sim/compact"))["resourceVersion"]
        for version in (before, "5", str(int(now) + 1000)):
            async with api.watch(MAPS, resourceVersion=version) as next_event:
                type_, status = await next_event()
                assert (type_, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
                assert await next_event() is None
        async with api.watch(MAPS, resourceVersion=now) as next_event:
            await api.ok("DELETE", f"{MAPS}/a")
            assert (await next_event())[0] == "DELETED"
        assert (await early())[0] == "DELETED"  # an open watch misses nothing
    assert (await api.raw("GET", MAPS, watch="1", resourceVersion="x"))[0] == 400


async def test_the_history_is_bounded(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "HISTORY_SIZE", 5)
    before = (await api.ok("POST", MAPS, manifest("a")))["metadata"]["resourceVersion"]
    for number in range(20):
        last = await api.merge(f"{MAPS}/a", {"data": {"n": str(number)}})
    async with api.watch(MAPS, resourceVersion=before) as next_event:
        assert (await next_event())[0] == "ERROR"
    recent = str(int(last["metadata"]["resourceVersion"]) - 3)
    async with api.watch(MAPS, resourceVersion=recent) as next_event:
        assert [(await next_event())[1]["data"]["n"] for _ in range(3)] == ["17", "18", "19"]


async def test_watches_can_be_dropped_in_the_middle(api: Client) -> None:
    async with api.watch(MAPS) as next_event:
        await next_event()
        assert (await api.ok("POST", "/_sim/drop-watches"))["dropped"] == 1
        with pytest.raises(aiohttp.ClientPayloadError):
            await next_event()


async def test_a_watcher_far_behind_is_cut_off(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "WATCH_BUFFER_SIZE", 2)
    async with api.watch(MAPS) as next_event:
        await next_event()
        for name in "abc":
            await api.ok("POST", MAPS, manifest(name))  # one by one: few pending events
            await next_event()
        body = [manifest(f"many{number}") for number in range(3)]
        for one in body:
            await api.ok("POST", MAPS, one)
            await next_event()
        await api.ok("DELETE", MAPS)  # all at once: too many pending events
        with pytest.raises(aiohttp.ClientPayloadError):
            await next_event()


async def test_who_leaves_is_forgotten(api: Client) -> None:
    async with api.watch(MAPS) as next_event:
        await next_event()
        assert (await api.get("/_sim/counts"))["watchers"] == {"ConfigMap": 1}
    await api.until("/_sim/counts", lambda answer: answer["watchers"] == {})


async def test_no_change_is_lost_among_many(api: Client) -> None:
    """Ten writers, and a watcher that reconnects all the time: it gets every version of every object in order."""
    version = (await api.get(MAPS))["metadata"]["resourceVersion"]
    seen: dict[str, list[int]] = {}

    async def write(name: str) -> None:
        await api.ok("POST", MAPS, manifest(name, data={"n": "0"}))
        for number in range(1, 10):
            await api.merge(f"{MAPS}/{name}", {"data": {"n": str(number)}})

    async def follow() -> None:
        at = version
        while sum(map(len, seen.values())) < 100:
            async with api.watch(MAPS, resourceVersion=at, timeoutSeconds="0.02") as next_event:
                async for _, found in _rest(next_event):
                    seen.setdefault(found["metadata"]["name"], []).append(int(found["data"]["n"]))
                    at = found["metadata"]["resourceVersion"]

    async with hang_limit():
        await asyncio.gather(follow(), *(write(f"w{number}") for number in range(10)))
    assert all(numbers == list(range(10)) for numbers in seen.values())
