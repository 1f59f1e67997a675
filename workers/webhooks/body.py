"""The body of a webhook's message, and the headers that sign it (Standard Webhooks)."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from stores.ids import encode_event_cursor, encode_id
from stores.models import Event
from stores.webhooks.deliveries import Message

USER_AGENT = "Storefleet-Webhooks"


def message_body(message: Message, now: datetime) -> str:
    """`{"type", "timestamp", "data"}` as JSON. The data of an event has the fields of the API's type Event."""
    if message.event is None:
        data: dict[str, Any] = {"webhookId": encode_id("Webhook", message.webhook_id), "message": "This is a test."}
        at = now
    else:
        data, at = event_data(message.event), message.event.at
    timestamp = at.astimezone(UTC).isoformat()
    return json.dumps({"type": message.type, "timestamp": timestamp, "data": data}, ensure_ascii=False)


def event_data(event: Event) -> dict[str, Any]:
    """The event's fields, as the API names them."""
    return {
        "cursor": encode_event_cursor(event.account_id, event.seq),
        "accountId": encode_id("Account", event.account_id),
        "storeId": encode_id("Store", event.store_id),
        "type": event.type,
        "status": event.status,
        "step": event.step,
        "message": event.message,
        "at": event.at.astimezone(UTC).isoformat(),
    }


def signed_headers(message: Message, body: str, secrets: Sequence[str], now: datetime) -> Mapping[str, str]:
    """One signature of each secret, separated by spaces."""
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message.id, now, body) for secret in secrets),
    }
