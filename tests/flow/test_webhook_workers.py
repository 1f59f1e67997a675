"""Workers that deliver webhooks: one that dies, ends or is late loses nothing, and changes no order."""

import asyncio
import socket
import threading
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from runtime import tasks
from runtime.database import session_factory
from schema.ids import decode_event_cursor
from stores.webhooks import deliveries
from stores.webhooks.deliveries import Attempt, WebhookLeaseLost, claim_due_webhooks, next_message, record_attempt
from tests.support.harness import Harness
from tests.support.waiting import HANG_SECONDS, wait_until
from tests.support.webhook_receiver import Received, Receiver, came, hang, receiver
from tests.support.webhooks import (
    LOCAL,
    all_seqs,
    find_webhook,
    mutate,
    pass_time,
    wait_for_failures,
    wait_for_seqs,
    write_events,
)
from workers.main import worker_lifespan
from workers.webhooks import client, loop

__all__ = ["receiver"]

WITH_RECEIVER = pytest.mark.parametrize("settings", [LOCAL], indirect=True)


@WITH_RECEIVER
async def test_a_worker_dies_while_it_delivers(api: Harness, receiver: Receiver) -> None:
    """Another one continues with the same event: the first attempt was not recorded."""
    await api.create_store()
    receiver.answers["/"] = hang
    await mutate(api, "createWebhook", url=f"{receiver.url}/", eventTypes=["NOTICE"])
    await write_events(api, 4)
    process = await api.start_worker_process()
    await wait_until(lambda: came(receiver))
    process.kill()
    await process.wait()
    del receiver.answers["/"]
    assert not await api.sql("SELECT 1 FROM webhook_deliveries")
    async with worker_lifespan(api.worker_settings, api.profile):
        await pass_time(api, 1)
        expected = (await all_seqs(api, "NOTICE"))[-4:]
        await wait_for_seqs(receiver, "/", expected)
    assert receiver.seqs("/").count(expected[0]) == 2


@WITH_RECEIVER
async def test_a_worker_that_ends_begins_no_further_message(
    api: Harness, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one under way is recorded, so that the next worker doesn't send it again."""
    monkeypatch.setattr(tasks, "CANCEL_RETRY_SECONDS", HANG_SECONDS)
    monkeypatch.setattr(loop, "FINISH_SECONDS", HANG_SECONDS)
    release = asyncio.Event()

    async def wait(_received: Received) -> web.Response:
        await release.wait()
        return web.Response()

    receiver.answers["/"] = wait
    await api.create_store()
    await mutate(api, "createWebhook", url=f"{receiver.url}/", eventTypes=["NOTICE"])
    await write_events(api, 40)
    async with worker_lifespan(api.worker_settings, api.profile) as context:
        await wait_until(lambda: came(receiver))
        asyncio.get_running_loop().create_task(_release_when(context.stopping, release))
    [delivered] = await api.sql("SELECT seq FROM webhook_deliveries")
    assert receiver.seqs() == [delivered["seq"]]
    async with worker_lifespan(api.worker_settings, api.profile):
        await wait_for_seqs(receiver, "/", await all_seqs(api, "NOTICE"))
    assert len(set(receiver.seqs())) == len(receiver.seqs())


async def _release_when(stopping: asyncio.Event, release: asyncio.Event) -> None:
    await stopping.wait()
    release.set()


@WITH_RECEIVER
async def test_a_test_during_another_one_is_sent_as_well(harness: Harness, receiver: Receiver) -> None:
    release = asyncio.Event()

    async def wait(_received: Received) -> web.Response:
        await release.wait()
        return web.Response()

    receiver.answers["/"] = wait
    webhook = (await mutate(harness, "createWebhook", url=f"{receiver.url}/"))["webhook"]
    await mutate(harness, "testWebhook", id=webhook["id"])
    await wait_until(lambda: came(receiver))
    for _ in range(2):  # of these, the last one is sent
        await mutate(harness, "testWebhook", id=webhook["id"])
    release.set()

    async def both_came() -> bool:
        return len((await find_webhook(harness, webhook["id"]))["deliveries"]["nodes"]) == 2

    await wait_until(both_came)
    assert len({item.headers["webhook-id"] for item in receiver.received}) == 2
    assert [row[0] for row in await harness.sql("SELECT test_id FROM webhooks")] == [None]


@WITH_RECEIVER
async def test_a_late_worker_and_a_change_of_the_owner(api: Harness, receiver: Receiver) -> None:
    """Who lost the lease records nothing: the cursor never goes back or ahead of what was delivered."""
    await api.create_store()
    webhook = (await mutate(api, "createWebhook", url=f"{receiver.url}/", eventTypes=["NOTICE"]))["webhook"]
    await write_events(api, 2)
    delivered = Attempt(1, 200, None)
    async with session_factory(SecretStr(api.settings.database_url.get_secret_value()), 2) as sessions:

        async def claim(holder: str) -> Any:
            async with sessions.begin() as session:
                return await claim_due_webhooks(session, holder=holder, failing=False, limit=5)

        async def read(lease: Any) -> Any:
            async with sessions.begin() as session:
                return await next_message(session, lease)

        async def record(lease: Any, message: Any) -> None:
            async with sessions.begin() as session:
                await record_attempt(session, lease, message, delivered)

        [late] = await claim("late")
        first = await read(late)
        assert await claim("other") == []
        await pass_time(api, 1)
        [lease] = await claim("other")
        assert (await read(lease)).id == first.id
        with pytest.raises(WebhookLeaseLost):
            await record(late, first)
        await record(lease, first)
        second = await read(lease)
        cursor = decode_event_cursor(first.id)
        assert cursor is not None
        await mutate(api, "replayWebhook", id=webhook["id"], after=webhook["cursor"])
        with pytest.raises(WebhookLeaseLost):
            await record(lease, second)
        [lease] = await claim("third")
        assert (await read(lease)).id == first.id
        async with sessions.begin() as session:
            await deliveries.release_webhooks(session, "third")
        assert len(await claim("fourth")) == 1


@pytest.mark.parametrize("settings", [LOCAL | {"webhooks_at_once": 2}], indirect=True)
async def test_a_name_server_that_hangs_delays_only_webhooks_that_fail(
    harness: Harness, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look-up outlives its attempt, and can't be cancelled."""
    look_up, released = socket.getaddrinfo, threading.Event()

    def hanging(host: Any, *given: Any, **more: Any) -> list[Any]:
        if host == "hangs.example":
            released.wait()
        return look_up("127.0.0.1" if str(host).endswith(".example") else host, *given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    port = receiver.url.rpartition(":")[2]
    await harness.create_store()
    try:
        with monkeypatch.context() as patched:
            patched.setattr(client, "ATTEMPT_SECONDS", 0.05)
            url = f"http://hangs.example:{port}/hangs"
            hangs = (await mutate(harness, "createWebhook", url=url, eventTypes=["NOTICE"]))["webhook"]
            await write_events(harness, 1)
            for attempts in (1, 2, 3):
                await wait_for_failures(harness, hangs["id"], attempts)
                await pass_time(harness, 1)
        await mutate(harness, "createWebhook", url=f"http://good.example:{port}/good", eventTypes=["NOTICE"])
        await write_events(harness, 1)
        await wait_for_seqs(receiver, "/good", (await all_seqs(harness, "NOTICE"))[-1:])
        assert receiver.seqs("/hangs") == []
    finally:
        released.set()
