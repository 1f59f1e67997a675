"""Following logs through failures: no line is lost or repeated; if that is impossible, there is a notice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from runtime.queue import open_redis
from sandbox.simulator.logs import SIMULATED_LINE
from sandbox.valkey import Valkey
from schema.ids import decode_id
from stores import log_stream
from stores.log_protocol import READ_LOGS, LogAnswer, LogRequest, log_queue, new_channel
from tests.support.harness import Harness
from tests.support.log_subscription import LogSubscriber, follow_logs, print_lines, subscription_error
from tests.support.waiting import HANG_SECONDS
from workers.logs import follower as worker_follower
from workers.logs import reader
from workers.main import worker_lifespan


@asynccontextmanager
async def print_numbers(harness: Harness, store: str) -> AsyncIterator[list[str]]:
    """Print numbered lines, about a hundred a second. Gives the list of the printed lines."""
    printed: list[str] = []
    enough = asyncio.Event()

    async def run() -> None:
        for number in count():
            if enough.is_set():
                return
            if await print_lines(harness, store, f"number {number}"):
                printed.append(f"number {number}")
            await asyncio.sleep(0.01)

    task = asyncio.create_task(run())
    try:
        yield printed
    finally:
        enough.set()
        await task


def numbered(logs: LogSubscriber) -> list[str]:
    return [line for line in logs.lines if line.startswith("number")]


async def wait_for_more_lines(logs: LogSubscriber) -> None:
    seen = len(numbered(logs))
    await logs.wait_for(lambda: len(numbered(logs)) > seen + 10)


async def check_complete(logs: LogSubscriber, printed: list[str]) -> None:
    """Every printed line came, once and in order."""
    await logs.wait_for_lines(printed[-1])
    assert numbered(logs) == printed


async def test_a_worker_that_goes_is_replaced_without_gap_or_repeat(
    api: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_stream, "SILENCE_SECONDS", 1.5)
    killed = await api.start_worker_process()
    store = (await api.create_store())["id"]
    async with follow_logs(api, store) as logs, AsyncExitStack() as stack:
        await logs.wait_for_lines(SIMULATED_LINE)
        async with print_numbers(api, store) as printed:
            await wait_for_more_lines(logs)
            async with worker_lifespan(api.worker_settings, api.profile):
                killed.kill()
                await killed.wait()
                await wait_for_more_lines(logs)
                await wait_for_more_lines(logs)
                await stack.enter_async_context(worker_lifespan(api.worker_settings, api.profile))
            await wait_for_more_lines(logs)  # after the worker before it ended in order
        await check_complete(logs, printed)


async def test_redis_that_goes_and_comes_costs_no_line(
    harness: Harness, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = (await harness.create_store())["id"]
    async with follow_logs(harness, store) as logs:
        await logs.wait_for_lines(SIMULATED_LINE)
        async with print_numbers(harness, store) as printed:
            await wait_for_more_lines(logs)
            valkey.kill()
            try:
                assert "Logs need Redis" in str(await subscription_error(harness, store))
            finally:
                valkey.restart()
            await wait_for_more_lines(logs)
        await check_complete(logs, printed)
        monkeypatch.setattr(log_stream, "ANSWER_SECONDS", 0.5)
        valkey.kill()
        try:
            await logs.wait_for_end()
            assert "Logs need Redis" in str(logs.error)
        finally:
            valkey.restart()


async def test_without_a_worker_or_a_redis_that_answers_it_says_so(
    api: Harness, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_stream, "SILENCE_SECONDS", 2.0)  # Redis has to answer within this time, too
    monkeypatch.setattr(log_stream, "ANSWER_SECONDS", 0.3)
    store = (await api.create_store())["id"]
    assert "No worker of the store's cluster answers" in str(await subscription_error(api, store))
    monkeypatch.setattr(log_stream, "SILENCE_SECONDS", 0.2)
    valkey.pause()
    try:
        assert "Logs need Redis" in str(await subscription_error(api, store))
    finally:
        valkey.resume()


async def test_who_is_slow_stops_a_worker_and_gets_everything(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So slow that more answers are unread than is allowed."""
    asked: list[str] = []

    def ask() -> str:
        asked.append(new_channel())
        return asked[-1]

    async def slow(*given: Any) -> Any:
        await asyncio.sleep(3 * reader.FLUSH_SECONDS)
        return await next_answer(*given)

    next_answer = log_stream._next
    monkeypatch.setattr(log_stream, "_next", slow)
    monkeypatch.setattr(log_stream, "new_channel", ask)
    monkeypatch.setattr(log_stream, "MAX_UNREAD", 2)
    monkeypatch.setattr(log_stream, "PAUSE_SECONDS", 0.05)
    store = (await harness.create_store())["id"]
    async with follow_logs(harness, store) as logs:
        await logs.wait_for_lines(SIMULATED_LINE)
        async with print_numbers(harness, store) as printed:
            await wait_for_more_lines(logs)
            await wait_for_more_lines(logs)
        await check_complete(logs, printed)
    assert len(asked) > 2


async def test_who_follows_for_long_subscribes_again(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_stream, "STREAM_SECONDS", 1.0)
    store = (await harness.create_store())["id"]
    async with follow_logs(harness, store) as logs:
        await logs.wait_for_end()
    assert (logs.error, logs.notices[-1].partition(" ")[2]) == (None, "minutes are over. Subscribe again to continue.")


async def test_what_breaks_off_goes_on_and_what_cant_be_read_is_said(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_follower, "BACKOFF_SECONDS", (0.1, 0.2))
    monkeypatch.setattr(reader, "LIST_TIMEOUT", 0.1)
    store = (await harness.create_store())["id"]
    fault: dict[str, Any] = {"fault": "http", "kind": "Pod/log"}
    async with follow_logs(harness, store) as logs:
        await logs.wait_for_lines(SIMULATED_LINE)
        async with print_numbers(harness, store) as printed:
            await wait_for_more_lines(logs)
            for _ in range(5):
                await harness.call_simulator("drop-logs")
                await harness.call_simulator("drop-watches")
                await asyncio.sleep(0.1)
            for code, words in ((500, "can't be read now. Asking again."), (403, "has to apply the roles")):
                await harness.set_faults({**fault, "code": code})
                await harness.call_simulator("drop-logs")
                await logs.wait_for_notice(words)
        await harness.set_faults()
        await check_complete(logs, printed)
    await harness.set_faults({**fault, "code": 500})
    async with follow_logs(harness, store, tail=30) as late:
        await late.wait_for_notice("can't be read now")
        await harness.set_faults({"fault": "http", "kind": "Pod", "verb": "list", "code": 503})
        await late.wait_for_lines(printed[-1])
        assert numbered(late) == printed[-len(numbered(late)) :]  # the shop prints lines, too
    async with follow_logs(harness, store) as late:
        await late.wait_for_notice("The cluster doesn't answer now")
        monkeypatch.setattr(reader, "MAX_STREAMS", 0)
        await harness.set_faults()
        await late.wait_for_notice("others are left out")
    monkeypatch.setattr(log_stream, "ANSWER_SECONDS", 0.3)
    await harness.sql("UPDATE sealed_secrets SET sealed = 'gone.AAAA' WHERE field = 'proof-token'")
    monkeypatch.setattr(reader, "MAX_STREAMS", 8)
    assert "The workers can't read these logs" in str(await subscription_error(harness, store))


async def test_a_malformed_job_is_ignored(harness: Harness) -> None:
    """Every client of Redis can write any job into the queue."""
    store = (await harness.create_store())["id"]
    redis = open_redis(harness.settings.redis_url)
    request = LogRequest("storefleet:log:x", uuid4(), "web", 10, 60, None)
    ends: list[str | None] = []
    async with redis, redis.pubsub() as answers:
        await answers.subscribe(request.channel)
        await answers.get_message(timeout=HANG_SECONDS)
        known = replace(request, store_id=decode_id("Store", store) or uuid4())
        for job in ({}, request.job(), replace(known, component="web,cron").job()):
            await redis.enqueue_job(READ_LOGS, job, _queue_name=log_queue("main"))
        while len(ends) < 2:
            message = await answers.get_message(timeout=HANG_SECONDS)
            assert message is not None
            ends.append(LogAnswer.decode(message["data"]).end)
    assert sorted(map(str, ends)) == ["failed", "gone"]
    async with follow_logs(harness, store) as logs:
        await logs.wait_for_lines(SIMULATED_LINE)
