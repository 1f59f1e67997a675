"""The API of webhooks: what it refuses, who may use it, and its pages."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from cli.client import ClientError
from runtime.database import session_factory
from schema.ids import decode_id
from tests.support.harness import Harness
from tests.support.webhook_receiver import Receiver, run_receiver
from tests.support.webhooks import mutate, mutate_payload, pass_time, wait_for_failures, write_events
from workers.maintenance import delete_expired
from workers.webhooks import client


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with run_receiver() as receiver:
        yield receiver


async def test_private_addresses_are_refused(harness: Harness, receiver: Receiver) -> None:
    """When a webhook is made, where the URL shows it; and at each delivery, whatever the name leads to then."""
    for url in (
        receiver.url,
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
        "https://user:password@example.com/",
        "https://example.com/#a",
        "https://example.com:0/",
        "https://example.com:99999999/",
        "https://exämple.com/",
        "ftp://example.com/",
        "https:///a",
        "https://example.com/" + "a" * 2000,
    ):
        payload = await mutate_payload(harness, "createWebhook", url=url)
        assert [error["code"] for error in payload["userErrors"]] == ["INVALID_URL"], url
    webhook = (await mutate(harness, "createWebhook", url="https://example.com/"))["webhook"]["id"]
    row = decode_id("Webhook", webhook)
    port = receiver.url.rpartition(":")[2]
    for attempts, url in enumerate((f"http://localhost:{port}/", receiver.url), 1):
        await harness.sql("UPDATE webhooks SET url = $1 WHERE id = $2", url, row)
        await mutate(harness, "testWebhook", id=webhook)
        assert (await wait_for_failures(harness, webhook, attempts))["deliveries"]["nodes"][0][
            "error"
        ] == client.PRIVATE
    assert receiver.received == []


async def test_what_owners_may_do(api: Harness) -> None:
    url = "https://example.com/"
    stranger, _ = await api.sign_up("stranger@example.com")
    one = await mutate(api, "createWebhook", url=url, idempotencyKey="a")
    again = await mutate(api, "createWebhook", url=url, idempotencyKey="a")
    assert (again["webhook"]["id"], again["secret"]) == (one["webhook"]["id"], None)
    webhook = one["webhook"]["id"]
    for mutation, values in {
        "updateWebhook": {"enabled": True},
        "deleteWebhook": {},
        "rotateWebhookSecret": {},
        "testWebhook": {},
        "replayWebhook": {"after": one["webhook"]["cursor"]},
    }.items():
        for bad, token in ((webhook, stranger), ("nonsense", None)):
            payload = await mutate_payload(api, mutation, token, id=bad, **values)
            assert [error["code"] for error in payload["userErrors"]] == ["NOT_FOUND"], mutation
    await api.create_store()
    for mutation, values, code in (
        ("createWebhook", {"url": url, "eventTypes": []}, "INVALID_EVENT_TYPES"),
        ("updateWebhook", {"id": webhook, "eventTypes": []}, "INVALID_EVENT_TYPES"),
        ("updateWebhook", {"id": webhook, "url": "http://example.com"}, "INVALID_URL"),
        ("rotateWebhookSecret", {"id": webhook, "overlapHours": 169}, "INVALID_EXPIRY"),
        ("replayWebhook", {"id": webhook, "after": "nonsense"}, "INVALID_CURSOR"),
    ):
        payload = await mutate_payload(api, mutation, **values)
        assert [error["code"] for error in payload["userErrors"]] == [code], mutation
    changed = (await mutate(api, "updateWebhook", id=webhook, url=f"{url}b", eventTypes=["STEP", "STATUS"]))["webhook"]
    assert (changed["url"], changed["eventTypes"]) == (f"{url}b", ["STATUS", "STEP"])

    await api.sql("DELETE FROM events")
    await write_events(api, 3)
    await api.sql("DELETE FROM events WHERE seq < (SELECT max(seq) FROM events)")
    for mutation, values in (("updateWebhook", {"enabled": True}), ("replayWebhook", {"after": changed["cursor"]})):
        payload = await mutate_payload(api, mutation, id=webhook, **values)
        assert [error["code"] for error in payload["userErrors"]] == ["CURSOR_EXPIRED"]

    for _ in range(5):
        await mutate(api, "rotateWebhookSecret", id=webhook)
    assert len(await api.sql("SELECT 1 FROM webhook_secrets")) == 4
    for number in range(19):
        await mutate(api, "createWebhook", url=f"{url}{number}")
    payload = await mutate_payload(api, "createWebhook", url=url)
    assert [error["code"] for error in payload["userErrors"]] == ["QUOTA_EXCEEDED"]
    await check_pages(api, webhook)


async def check_pages(api: Harness, webhook: str) -> None:
    """Both connections, both ways."""
    await api.sql(
        "INSERT INTO webhook_deliveries (webhook_id, message_id, type, attempt, latency_ms, status_code) "
        "SELECT $1, 'm', 'webhook.test', n, 1, 200 FROM generate_series(1, 7) n",
        decode_id("Webhook", webhook),
    )
    page = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
    head = "query ($a: ID!, $args: Int, $after: String, $before: String, $last: Int) { account(id: $a) { "
    given = "(first: $args, after: $after, last: $last, before: $before)"
    query = f"{head} webhooks{given} {{ nodes {{ id }} {page} }} }} }}"
    inner = (
        f"{head} webhooks(first: 1) {{ nodes {{ page: deliveries{given} {{ nodes {{ attempt }} {page} }} }} }} }} }}"
    )

    async def webhooks(**values: Any) -> tuple[list[str], Any]:
        found = (await api.client().execute(query, {"a": api.account, **values}))["account"]["webhooks"]
        return [node["id"] for node in found["nodes"]], found["pageInfo"]

    async def attempts(**values: Any) -> tuple[list[int], Any]:
        found = (await api.client().execute(inner, {"a": api.account, **values}))["account"]["webhooks"]["nodes"][0]
        return [node["attempt"] for node in found["page"]["nodes"]], found["page"]["pageInfo"]

    every, info = await webhooks()
    assert (len(every), info["hasNextPage"], info["hasPreviousPage"]) == (20, False, False)
    for read, whole in ((webhooks, every), (attempts, [7, 6, 5, 4, 3, 2, 1])):
        first, info = await read(args=3)
        assert (first, info["hasNextPage"], info["hasPreviousPage"]) == (whole[:3], True, False)
        second, more = await read(args=3, after=info["endCursor"])
        assert (second, more["hasPreviousPage"]) == (whole[3:6], True)
        assert (await read(last=2, before=more["startCursor"]))[0] == whole[1:3]
        assert (await read(last=2))[0] == whole[-2:]
        for bad in ({"args": 1, "after": "x"}, {"last": 1, "before": "x"}, {"args": 1, "last": 1}):
            with pytest.raises(ClientError, match=r"cursor|either"):
                await read(**bad)
    async with session_factory(api.worker_settings.database_url, 1) as sessions:
        await api.sql("UPDATE webhook_deliveries SET at = now() - interval '31 days' WHERE attempt < 4")
        await pass_time(api, 25)
        await delete_expired(sessions, api.worker_settings)
    assert (await attempts(args=9))[0] == [7, 6, 5, 4]
    assert len(await api.sql("SELECT 1 FROM webhook_secrets")) == 20
