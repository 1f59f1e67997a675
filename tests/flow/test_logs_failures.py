"""Who follows logs goes on without a gap or a repeat, whatever breaks; where that can't be, it is said."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from runtime.queue import open_redis
from sandbox.simulator.logs import FIRST
from sandbox.valkey import Valkey
from schema.ids import decode
from stores import log_tail
from stores.logs import READ_LOGS, Answer, Request, new_channel, queue_of
from tests.flow.fleet import Fleet
from tests.flow.logs import Follower, following, refusal, say
from workers.logs import following as worker_following
from workers.logs import reading
from workers.main import working


@asynccontextmanager
async def printing(fleet: Fleet, store: str) -> AsyncIterator[list[str]]:
    """Numbered lines, about a hundred a second; those that were printed."""
    printed: list[str] = []
    enough = asyncio.Event()

    async def run() -> None:
        for number in count():
            if enough.is_set():
                return
            if await say(fleet, store, f"number {number}"):
                printed.append(f"number {number}")
            await asyncio.sleep(0.01)

    task = asyncio.create_task(run())
    try:
        yield printed
    finally:
        enough.set()
        await task


def numbered(logs: Follower) -> list[str]:
    return [line for line in logs.lines if line.startswith("number")]


async def goes_on(logs: Follower) -> None:
    """More lines come."""
    seen = len(numbered(logs))
    await logs.until(lambda: len(numbered(logs)) > seen + 10, 15)


async def whole(logs: Follower, printed: list[str]) -> None:
    """Every number came, once and in order."""
    await logs.sees(printed[-1])
    assert numbered(logs) == printed


async def test_a_worker_that_goes_is_replaced_without_gap_or_repeat(
    api: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_tail, "SILENCE_SECONDS", 1.5)
    killed = await api.worker_process()
    store = (await api.create())["id"]
    async with following(api, store) as logs, AsyncExitStack() as stack:
        await logs.sees(FIRST)
        async with printing(api, store) as printed:
            await goes_on(logs)
            async with working(api.settings, api.profile):
                killed.kill()
                await killed.wait()
                await goes_on(logs)
                await goes_on(logs)
                await stack.enter_async_context(working(api.settings, api.profile))
            await goes_on(logs)  # the one before ended in order
        await whole(logs, printed)


async def test_redis_that_goes_and_comes_costs_no_line(
    fleet: Fleet, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = (await fleet.create())["id"]
    async with following(fleet, store) as logs:
        await logs.sees(FIRST)
        async with printing(fleet, store) as printed:
            await goes_on(logs)
            valkey.kill()
            try:
                assert "Logs need Redis" in str(await refusal(fleet, store))
            finally:
                valkey.restart()
            await goes_on(logs)
        await whole(logs, printed)
        monkeypatch.setattr(log_tail, "PATIENCE_SECONDS", 0.5)
        valkey.kill()
        try:
            await logs.over()
            assert "Logs need Redis" in str(logs.error)
        finally:
            valkey.restart()


async def test_without_a_worker_or_a_redis_that_answers_it_says_so(
    api: Fleet, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_tail, "SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(log_tail, "PATIENCE_SECONDS", 0.3)
    store = (await api.create())["id"]
    assert "No worker of the store's cluster answers" in str(await refusal(api, store))
    valkey.pause()
    try:
        assert "Logs need Redis" in str(await refusal(api, store))
    finally:
        valkey.resume()


async def test_who_is_slow_stops_a_worker_and_gets_everything(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """So slow that more answers wait than may."""
    asked: list[str] = []

    def ask() -> str:
        asked.append(new_channel())
        return asked[-1]

    async def slow(*given: Any) -> Any:
        await asyncio.sleep(3 * reading.TICK)
        return await next_answer(*given)

    next_answer = log_tail._next
    monkeypatch.setattr(log_tail, "_next", slow)
    monkeypatch.setattr(log_tail, "new_channel", ask)
    monkeypatch.setattr(log_tail, "UNREAD", 2)
    monkeypatch.setattr(log_tail, "PAUSE_SECONDS", 0.05)
    store = (await fleet.create())["id"]
    async with following(fleet, store) as logs:
        await logs.sees(FIRST)
        async with printing(fleet, store) as printed:
            await goes_on(logs)
            await goes_on(logs)
        await whole(logs, printed)
    assert len(asked) > 2


async def test_who_follows_for_long_subscribes_again(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_tail, "SECONDS", 1.0)
    store = (await fleet.create())["id"]
    async with following(fleet, store) as logs:
        await logs.over()
    assert (logs.error, logs.notices[-1].partition(" ")[2]) == (None, "minutes are over. Subscribe again to go on.")


async def test_what_breaks_off_goes_on_and_what_cant_be_read_is_said(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_following, "PAUSE", (0.1, 0.2))
    monkeypatch.setattr(reading, "PATIENCE_SECONDS", 0.1)
    store = (await fleet.create())["id"]
    fault: dict[str, Any] = {"fault": "http", "kind": "Pod/log"}
    async with following(fleet, store) as logs:
        await logs.sees(FIRST)
        async with printing(fleet, store) as printed:
            await goes_on(logs)
            for _ in range(5):
                await fleet.sim("drop-logs")
                await fleet.sim("drop-watches")
                await asyncio.sleep(0.1)
            for code, words in ((500, "can't be read now. Asking again."), (403, "has to apply the roles")):
                await fleet.fault({**fault, "code": code})
                await fleet.sim("drop-logs")
                await logs.told(words)
        await fleet.fault()
        await whole(logs, printed)
    await fleet.fault({**fault, "code": 500})
    async with following(fleet, store, tail=1) as late:
        await late.told("can't be read now")
        await fleet.fault({"fault": "http", "kind": "Pod", "verb": "list", "code": 503})
        await late.sees(printed[-1])
        assert late.lines == printed[-1:]
    async with following(fleet, store) as late:
        await late.told("The cluster doesn't answer now")
        monkeypatch.setattr(reading, "STREAMS", 0)
        await fleet.fault()
        await late.told("others are left out")
    monkeypatch.setattr(log_tail, "PATIENCE_SECONDS", 0.3)
    await fleet.sql("UPDATE sealed_secrets SET sealed = 'gone.AAAA' WHERE field = 'proof-token'")
    monkeypatch.setattr(reading, "STREAMS", 8)
    assert "The workers can't read these logs" in str(await refusal(fleet, store))


async def test_a_job_that_asks_for_nothing_sensible_harms_nobody(fleet: Fleet) -> None:
    """Whoever reaches Redis can write anything into it."""
    store = (await fleet.create())["id"]
    redis = open_redis(fleet.settings.redis_url)
    request = Request("storefleet:log:x", uuid4(), "web", 10, 60, None)
    ends: list[str | None] = []
    async with redis, redis.pubsub() as answers:
        await answers.subscribe(request.channel)
        await answers.get_message(timeout=5)
        known = replace(request, store_id=decode("Store", store) or uuid4())
        for job in ({}, request.job(), replace(known, workload="web,cron").job()):
            await redis.enqueue_job(READ_LOGS, job, _queue_name=queue_of("main"))
        while len(ends) < 2:
            message = await answers.get_message(timeout=5)
            assert message is not None
            ends.append(Answer.decode(message["data"]).end)
    assert sorted(map(str, ends)) == ["failed", "gone"]
    async with following(fleet, store) as logs:
        await logs.sees(FIRST)
