"""Webhooks: each event of the chosen types comes once or more and in order, signed, and only to public addresses."""

import asyncio

import pytest
from aiohttp import web
from redis import Redis
from standardwebhooks import WebhookVerificationError

from stores.events import EVENT_TYPES
from tests.support.harness import Harness
from tests.support.stores import create_ready_store
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import Received, Receiver, answer, came, hang, receiver
from tests.support.webhooks import (
    LOCAL,
    all_seqs,
    find_webhook,
    list_webhooks,
    mutate,
    pass_time,
    wait_for_failures,
    wait_for_seqs,
    write_events,
)
from workers.webhooks import client

__all__ = ["receiver"]

WITH_RECEIVER = pytest.mark.parametrize("settings", [LOCAL], indirect=True)


@WITH_RECEIVER
async def test_a_store_is_followed_by_webhooks(
    harness: Harness, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    created = await mutate(harness, "createWebhook", url=f"{receiver.url}/all?key=k")
    webhook, secret = created["webhook"], created["secret"]
    assert (webhook["status"], webhook["eventTypes"], webhook["cause"]) == ("ACTIVE", list(EVENT_TYPES), None)
    await mutate(harness, "createWebhook", url=f"{receiver.url}/status", eventTypes=["STATUS"])
    store, _ = await create_ready_store(harness)
    await wait_for_seqs(receiver, "/all", await all_seqs(harness))
    await wait_for_seqs(receiver, "/status", await all_seqs(harness, "STATUS"))

    query = "subscription ($id: ID!) { storeEvents(storeId: $id) { cursor storeId type status step { name status "
    query += "message } message at } }"
    messages = {item.headers["webhook-id"]: item for item in receiver.received if item.path == "/all"}
    async for data in harness.client().subscribe(query, {"id": store["id"]}):
        event = data["storeEvents"]
        message = messages[event["cursor"]]
        assert message.is_signed_by(secret)
        assert message.content["type"] == f"store.{event['type'].lower()}"
        assert message.content["data"] == event | {"accountId": harness.account}
        if event["status"] == "READY":
            break

    await rotate_and_test(harness, receiver, webhook["id"], secret)

    third = list(messages.values())[2]
    replayed_after, cursor = third.seq, third.headers["webhook-id"]
    receiver.received.clear()
    await mutate(harness, "replayWebhook", id=webhook["id"], after=cursor)
    await wait_for_seqs(receiver, "/all", [seq for seq in await all_seqs(harness) if seq > replayed_after])

    await check_canary(harness, secret, capfd)
    assert await mutate(harness, "deleteWebhook", id=webhook["id"]) == {"deletedId": webhook["id"], "userErrors": []}
    assert [item["url"] for item in await list_webhooks(harness)] == [f"{receiver.url}/status"]
    assert len(await harness.sql("SELECT 1 FROM webhook_secrets")) == 1
    actions = [
        row["action"] for row in await harness.sql("SELECT action FROM audit WHERE action ~ 'webhook' ORDER BY id")
    ]
    assert actions == [f"webhook.{name}" for name in ("created", "created", "secret_rotated", "replayed", "deleted")]


async def rotate_and_test(harness: Harness, receiver: Receiver, webhook_id: str, secret: str) -> None:
    """During the overlap both secrets sign, then only the new one."""
    new = (await mutate(harness, "rotateWebhookSecret", id=webhook_id, overlapHours=2))["secret"]
    for hours, old_signs in ((1, True), (2, False)):
        await pass_time(harness, hours)
        receiver.received.clear()
        await mutate(harness, "testWebhook", id=webhook_id)
        await wait_until(lambda: came(receiver))
        [test] = receiver.received
        assert test.content["type"] == "webhook.test"
        assert test.content["data"]["webhookId"] == webhook_id
        assert test.is_signed_by(new)
        if old_signs:
            assert test.is_signed_by(secret)
        else:
            with pytest.raises(WebhookVerificationError):
                test.is_signed_by(secret)
    delivered = (await find_webhook(harness, webhook_id))["deliveries"]["nodes"]
    assert {item["statusCode"] for item in delivered} == {204}


async def check_canary(harness: Harness, secret: str, capfd: pytest.CaptureFixture[str]) -> None:
    """The secret, and the part of the URL that may be one, are nowhere but in their columns."""
    value = secret.removeprefix("whsec_")
    tables = await harness.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for [table] in map(tuple, tables):
        rows = await harness.sql(f"SELECT t::text FROM {table} t")  # noqa: S608  # names of our own tables
        dump = "\n".join(row[0] for row in rows)
        assert value not in dump, table
        assert "key=k" not in dump or table == "webhooks", table
    with Redis.from_url(harness.settings.redis_url.get_secret_value()) as redis:
        for key in redis.scan_iter():
            assert value.encode() not in (redis.dump(key) or b"")
    output = "".join(capfd.readouterr())
    assert "informer.started" in output  # of the worker that sent them
    assert value not in output
    assert "key=k" not in output


@WITH_RECEIVER
async def test_each_endpoint_fails_in_its_own_way_and_none_delays_another(
    harness: Harness, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ATTEMPT_SECONDS", 1.0)
    await harness.create_store()
    never = asyncio.Event()

    async def slow(_received: Received) -> web.Response:
        await asyncio.wait([asyncio.create_task(never.wait())], timeout=0.2)
        return web.Response()

    async def close(received: Received) -> web.StreamResponse:
        raise asyncio.CancelledError

    receiver.answers |= {
        "/500": answer(500),
        "/hangs": hang,
        "/redirects": answer(302, Location=f"{receiver.url}/elsewhere"),
        "/closes": close,
        "/slow": slow,
        "/gone": answer(410),
    }
    paths = [*receiver.answers, "/good"]
    hooks = {
        path: (await mutate(harness, "createWebhook", url=receiver.url + path, eventTypes=["NOTICE"]))["webhook"]["id"]
        for path in paths
    }
    nowhere = await mutate(harness, "createWebhook", url="http://127.0.0.1:1/", eventTypes=["NOTICE"])
    await write_events(harness, 5)
    expected = (await all_seqs(harness, "NOTICE"))[-5:]
    await wait_for_seqs(receiver, "/good", expected)
    await wait_for_seqs(receiver, "/slow", expected)
    causes = {
        "/500": (500, "It answered 500."),
        "/hangs": (None, client.NO_ANSWER),
        "/redirects": (302, "It answered 302: redirects are not followed. Give the address that it leads to."),
        "/closes": (None, client.NO_HTTP),
    }
    for path, (status, cause) in causes.items():
        failing = await wait_for_failures(harness, hooks[path], 1)
        assert (failing["status"], failing["cause"]) == ("FAILING", cause)
        first = failing["deliveries"]["nodes"][-1]
        assert (first["statusCode"], first["error"], first["attempt"]) == (status, cause, 1)
        assert failing["nextAttemptAt"] == failing["deliveries"]["nodes"][0]["nextAttemptAt"]
    assert (await wait_for_failures(harness, nowhere["webhook"]["id"], 1))["cause"] == client.NO_CONNECTION
    assert (await wait_for_failures(harness, hooks["/gone"], 1))["status"] == "DISABLED"
    assert not receiver.seqs("/elsewhere")

    for path in causes:
        del receiver.answers[path]
    await pass_time(harness, 1)
    for path in causes:
        await wait_for_seqs(receiver, path, expected)
        assert (await find_webhook(harness, hooks[path]))["failingSince"] is None


@WITH_RECEIVER
async def test_an_endpoint_is_down_for_an_hour_and_another_for_days(harness: Harness, receiver: Receiver) -> None:
    await harness.create_store()
    receiver.answers |= {"/hour": answer(503), "/days": answer(503)}
    hour, days = [
        (await mutate(harness, "createWebhook", url=receiver.url + path, eventTypes=["NOTICE"]))["webhook"]["id"]
        for path in ("/hour", "/days")
    ]
    await write_events(harness, 3)
    for attempts in (1, 2, 3):
        for webhook in (hour, days):
            assert (await wait_for_failures(harness, webhook, attempts))["status"] == "FAILING"
        await pass_time(harness, 1 / 3)
    await write_events(harness, 2)
    del receiver.answers["/hour"]
    expected = (await all_seqs(harness, "NOTICE"))[-5:]
    await pass_time(harness, 1)
    await wait_for_seqs(receiver, "/hour", expected)
    await wait_for_failures(harness, days, 4)
    await pass_time(harness, 24)
    await wait_for_failures(harness, days, 5)
    disabled = await find_webhook(harness, days)
    assert (disabled["status"], disabled["cause"]) == ("DISABLED", "It answered 503.")
    assert disabled["deliveries"]["nodes"][0]["nextAttemptAt"] is None

    del receiver.answers["/days"]
    receiver.received.clear()
    await pass_time(harness, 24)
    await mutate(harness, "testWebhook", id=days)  # the owner tries whether it works again
    await wait_until(lambda: came(receiver))
    await write_events(harness, 1)
    assert receiver.seqs("/days") == [0]
    receiver.received.clear()
    enabled = await mutate(harness, "updateWebhook", id=days, enabled=True)
    assert (enabled["webhook"]["status"], enabled["webhook"]["cause"]) == ("ACTIVE", None)
    await wait_for_seqs(receiver, "/days", (await all_seqs(harness, "NOTICE"))[-6:])
    off = await mutate(harness, "updateWebhook", id=days, enabled=False)
    assert (off["webhook"]["status"], off["webhook"]["cause"]) == ("DISABLED", "Disabled by its owner.")
