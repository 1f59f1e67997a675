"""Webhook, its status, and the log of its deliveries."""

from datetime import datetime
from enum import Enum

import strawberry

from runtime.pagination import Page
from schema.access import AS_PARENT
from schema.context import Info
from schema.enums import EventType
from schema.ids import RowCursors, decode_number_cursor, encode_event_cursor, encode_id, encode_number_cursor
from schema.types.connections import After, Before, Connection, First, Last, to_range
from schema.types.nodes import Node
from stores.events import EVENT_TYPES
from stores.webhooks.models import Webhook as WebhookRow
from stores.webhooks.models import WebhookDelivery as DeliveryRow

CURSOR = "d1"
"""The kind of cursors of deliveries."""


@strawberry.enum(description="Whether a webhook's messages are sent.")
class WebhookStatus(Enum):
    ACTIVE = strawberry.enum_value("ACTIVE", description="The last attempt succeeded, or there was none.")
    FAILING = strawberry.enum_value("FAILING", description="The next event is tried again and again, for 24 hours.")
    DISABLED = strawberry.enum_value(
        "DISABLED", description="Nothing is sent until updateWebhook enables it: then from where it stopped."
    )


@strawberry.type(description="One attempt to send one message.")
class WebhookDelivery(Node):
    message_id: str = strawberry.field(
        description="The header `webhook-id`: the same in each attempt. Of an event it is the event's cursor."
    )
    type: str = strawberry.field(description="The message's type, such as store.status or webhook.test.")
    attempt: int = strawberry.field(description="From 1.")
    at: datetime = strawberry.field(description="When the attempt ended.")
    latency_ms: int = strawberry.field(description="How long it took, in milliseconds.")
    delivered: bool = strawberry.field(description="Whether the endpoint answered with a status from 200 to 299.")
    status_code: int | None = strawberry.field(description="The status of the answer; null: there was none.")
    error: str | None = strawberry.field(description="Why the attempt failed; null: it didn't.")
    next_attempt_at: datetime | None = strawberry.field(
        description="When the next attempt is due, as planned after this one; null: none is."
    )

    @classmethod
    def from_row(cls, row: DeliveryRow) -> "WebhookDelivery":
        return cls(
            id=strawberry.ID(encode_number_cursor("WebhookDelivery", row.id)),
            message_id=row.message_id,
            type=row.type,
            attempt=row.attempt,
            at=row.at,
            latency_ms=row.latency_ms,
            delivered=row.error is None,
            status_code=row.status_code,
            error=row.error,
            next_attempt_at=row.next_attempt_at,
        )


@strawberry.type(description="A page of a webhook's attempts of the last 30 days, the newest first.")
class WebhookDeliveryConnection(Connection[WebhookDelivery]):
    @classmethod
    def from_page(cls, page: Page[DeliveryRow]) -> "WebhookDeliveryConnection":
        cursors = [encode_number_cursor(CURSOR, row.id) for row in page.rows]
        return cls.of(map(WebhookDelivery.from_row, page.rows), cursors, page)


def _decode_delivery_cursor(cursor: str) -> tuple[int] | None:
    number = decode_number_cursor(CURSOR, cursor)
    return (number,) if number is not None else None


@strawberry.type(
    description="An endpoint that gets an account's events by POST, as Standard Webhooks defines it: signed, in order, "
    "each once or more."
)
class Webhook(Node):
    url: str = strawberry.field(description="Where the messages are sent.")
    event_types: list[EventType] = strawberry.field(description="The types of events that are sent.")
    status: WebhookStatus = strawberry.field(description="Whether the messages are sent.")
    cause: str | None = strawberry.field(description="Why the webhook is FAILING or DISABLED; null if it is ACTIVE.")
    failing_since: datetime | None = strawberry.field(description="When the first attempt for the next event failed.")
    disabled_at: datetime | None = strawberry.field(description="When the webhook was disabled; null: it is not.")
    created_at: datetime = strawberry.field(description="When the webhook was created.")
    cursor: str = strawberry.field(description="The cursor of the last event that needs no further attempt.")
    next_attempt_at: datetime | None = strawberry.field(
        description="When the next event is tried again; null unless the webhook is FAILING."
    )
    row: strawberry.Private[WebhookRow]

    @strawberry.field(
        extensions=[AS_PARENT],
        description="The attempts of the last 30 days, the newest first. Give either first or last.",
    )
    async def deliveries(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> WebhookDeliveryConnection:
        wanted = to_range(first, after, last, before, _decode_delivery_cursor)
        return WebhookDeliveryConnection.from_page(await info.context.delivery_pages.load((self.row.id, wanted)))

    @classmethod
    def from_row(cls, row: WebhookRow) -> "Webhook":
        status = WebhookStatus.FAILING if row.failures else WebhookStatus.ACTIVE
        if row.disabled_at is not None:
            status = WebhookStatus.DISABLED
        return cls(
            id=strawberry.ID(encode_id("Webhook", row.id)),
            url=row.url,
            event_types=[EventType(name) for name in EVENT_TYPES if name in row.event_types],
            status=status,
            cause=row.cause,
            failing_since=row.failing_since,
            disabled_at=row.disabled_at,
            created_at=row.created_at,
            cursor=encode_event_cursor(row.account_id, row.seq),
            next_attempt_at=row.due_at if status == WebhookStatus.FAILING else None,
            row=row,
        )


@strawberry.type(description="A page of an account's webhooks, the oldest first.")
class WebhookConnection(Connection[Webhook]): ...


WEBHOOK_CURSORS = RowCursors("Webhook")
