"""What tests of webhooks ask the API, and how they tell the clock of webhooks."""

from itertools import pairwise
from typing import Any

from runtime.changefeed import CHANNEL
from stores.events import EVENT_TYPES
from tests.support.harness import Harness
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import Receiver

FIELDS = "id url eventTypes status cause failingSince disabledAt cursor nextAttemptAt"
LOCAL: dict[str, Any] = {"webhook_private_networks": ("127.0.0.1",)}
"""The setting that lets webhooks reach a receiver on this machine."""


async def mutate(harness: Harness, mutation: str, token: str | None = None, **values: Any) -> Any:
    """The payload of a mutation of webhooks, e.g. `testWebhook`, without userErrors."""
    payload = await mutate_payload(harness, mutation, token, **values)
    assert payload["userErrors"] == [], payload
    return payload


async def mutate_payload(harness: Harness, mutation: str, token: str | None = None, **values: Any) -> Any:
    kind = mutation[0].upper() + mutation[1:]
    selection = "deletedId" if mutation == "deleteWebhook" else f"webhook {{ {FIELDS} }}"
    if mutation in ("createWebhook", "rotateWebhookSecret"):
        selection += " secret"
    document = f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ {selection} "
    document += "userErrors { code field message } } }"
    return (await harness.client(token).execute(document, {"input": values}))[mutation]


async def list_webhooks(harness: Harness) -> list[Any]:
    """The last 9 webhooks of the first account, each with its latest 100 attempts."""
    document = f"{{ viewer {{ accounts {{ webhooks(last: 9) {{ nodes {{ {FIELDS} deliveries(first: 100) {{ nodes {{ "
    document += "id messageId type attempt at latencyMs delivered statusCode error nextAttemptAt } } } } } } }"
    [account] = (await harness.client().execute(document))["viewer"]["accounts"]
    nodes: list[Any] = account["webhooks"]["nodes"]
    return nodes


async def find_webhook(harness: Harness, webhook_id: str) -> Any:
    [webhook] = [item for item in await list_webhooks(harness) if item["id"] == webhook_id]
    return webhook


async def wait_for_failures(harness: Harness, webhook_id: str, attempts: int) -> Any:
    """The webhook, as soon as the log has that many attempts that failed."""

    async def are_there() -> bool:
        deliveries = (await find_webhook(harness, webhook_id))["deliveries"]["nodes"]
        return sum(not item["delivered"] for item in deliveries) >= attempts

    await wait_until(are_there)
    return await find_webhook(harness, webhook_id)


async def pass_time(harness: Harness, hours: float) -> None:
    """Tell the clock of all webhooks: what was due in that time is due now, and failures began earlier."""
    await harness.sql(
        "UPDATE webhooks SET due_at = due_at - $1 * interval '1 hour', "
        "failing_since = failing_since - $1 * interval '1 hour', lease_until = lease_until - $1 * interval '1 hour'",
        hours,
    )
    await harness.sql("UPDATE webhook_secrets SET expires_at = expires_at - $1 * interval '1 hour'", hours)


async def write_events(harness: Harness, count: int, kind: str = "NOTICE") -> None:
    """Events of the newest store, of which subscribers are notified."""
    await harness.sql(
        "WITH written AS (INSERT INTO events (account_id, store_id, type, status, message) "
        "SELECT account_id, id, $2, 'REQUESTED', 'number ' || n FROM generate_series(1, $1::int) n, "
        "(SELECT * FROM stores ORDER BY created_at DESC LIMIT 1) s RETURNING account_id) "
        "SELECT pg_notify($3, account_id::text) FROM written",
        count,
        kind,
        CHANNEL,
    )


async def all_seqs(harness: Harness, *types: str) -> list[int]:
    rows = await harness.sql("SELECT seq FROM events WHERE type = ANY($1) ORDER BY seq", list(types or EVENT_TYPES))
    return [row["seq"] for row in rows]


async def wait_for_seqs(receiver: Receiver, path: str, expected: list[int]) -> None:
    """Until all of them came; and then: in order, each once or more."""

    async def all_came() -> bool:
        return set(receiver.seqs(path)) >= set(expected)

    await wait_until(all_came)
    seqs = receiver.seqs(path)
    assert list(dict.fromkeys(seqs)) == expected
    assert all(before <= after for before, after in pairwise(seqs))
