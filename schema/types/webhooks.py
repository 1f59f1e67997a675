"""Webhook, its status, and the log of its deliveries."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

import strawberry

from schema.access import AS_PARENT
from schema.context import Info, RequestError
from schema.enums import EventType
from schema.ids import encode_event_cursor, encode_id
from schema.types.pages import PageInfo, check_page_size, page_size
from stores.events import EVENT_TYPES
from stores.ids import decode_text, encode_text
from stores.webhooks.models import Webhook as WebhookRow
from stores.webhooks.models import WebhookDelivery as DeliveryRow
from stores.webhooks.queries import DeliveryPage, DeliveryRange


@strawberry.enum(description="Whether a webhook's messages are sent.")
class WebhookStatus(Enum):
    ACTIVE = strawberry.enum_value("ACTIVE", description="The last attempt succeeded, or there was none.")
    FAILING = strawberry.enum_value("FAILING", description="The next event is tried again and again, for 24 hours.")
    DISABLED = strawberry.enum_value(
        "DISABLED", description="Nothing is sent until updateWebhook enables it: then from where it stopped."
    )


@strawberry.type(description="One attempt to send one message.")
class WebhookDelivery:
    id: strawberry.ID = strawberry.field(description="Global id.")
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
            id=strawberry.ID(encode_text(f"WebhookDelivery:{row.id}")),
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


@strawberry.type(description="An attempt in a page.")
class WebhookDeliveryEdge:
    cursor: str = strawberry.field(description="The attempt's cursor.")
    node: WebhookDelivery = strawberry.field(description="The attempt.")


@strawberry.type(description="A page of a webhook's attempts of the last 30 days, the newest first.")
class WebhookDeliveryConnection:
    edges: list[WebhookDeliveryEdge] = strawberry.field(description="The attempts with their cursors.")
    nodes: list[WebhookDelivery] = strawberry.field(description="The attempts.")
    page_info: PageInfo = strawberry.field(description="Where the page begins and ends.")

    @classmethod
    def from_page(cls, page: DeliveryPage, wanted: DeliveryRange) -> "WebhookDeliveryConnection":
        nodes = [WebhookDelivery.from_row(row) for row in page.deliveries]
        cursors = [_encode_delivery_cursor(row.id) for row in page.deliveries]
        return cls(
            edges=[WebhookDeliveryEdge(cursor=cursor, node=node) for cursor, node in zip(cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=PageInfo(
                has_next_page=wanted.before is not None if wanted.last else page.has_more,
                end_cursor=cursors[-1] if cursors else None,
                has_previous_page=page.has_more if wanted.last else wanted.after is not None,
                start_cursor=cursors[0] if cursors else None,
            ),
        )


@strawberry.type(
    description="An endpoint that gets an account's events by POST, as Standard Webhooks defines it: signed, in order, "
    "each once or more."
)
class Webhook:
    id: strawberry.ID = strawberry.field(description="Global id.")
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
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> WebhookDeliveryConnection:
        wanted = DeliveryRange(
            page_size(first, last),
            last=first is None,
            after=_decode_delivery_cursor(after, "after"),
            before=_decode_delivery_cursor(before, "before"),
        )
        page = await info.context.delivery_pages.load((self.row.id, wanted))
        return WebhookDeliveryConnection.from_page(page, wanted)

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


@strawberry.type(description="A webhook in a page.")
class WebhookEdge:
    cursor: str = strawberry.field(description="The webhook's cursor.")
    node: Webhook = strawberry.field(description="The webhook.")


@strawberry.type(description="A page of an account's webhooks, the oldest first.")
class WebhookConnection:
    edges: list[WebhookEdge] = strawberry.field(description="The webhooks with their cursors.")
    nodes: list[Webhook] = strawberry.field(description="The webhooks.")
    page_info: PageInfo = strawberry.field(description="Where the page begins and ends.")

    @classmethod
    def from_rows(
        cls, rows: Sequence[WebhookRow], *, first: int | None, after: str | None, last: int | None, before: str | None
    ) -> "WebhookConnection":
        """A page of all the account's webhooks. A webhook's id is its cursor. Raises RequestError."""
        if first is not None and last is not None:
            raise RequestError("BAD_USER_INPUT", "Give either first or last.")
        ids = [encode_id("Webhook", row.id) for row in rows]
        start = _position(ids, after, "after") + 1 if after is not None else 0
        end = _position(ids, before, "before") if before is not None else len(rows)
        if first is not None:
            check_page_size(first)
            end = min(end, start + first)
        elif last is not None:
            check_page_size(last, "last")
            start = max(start, end - last)
        nodes = [Webhook.from_row(row) for row in rows[start:end]]
        return cls(
            edges=[WebhookEdge(cursor=str(node.id), node=node) for node in nodes],
            nodes=nodes,
            page_info=PageInfo(
                has_next_page=end < len(rows),
                end_cursor=str(nodes[-1].id) if nodes else None,
                has_previous_page=start > 0,
                start_cursor=str(nodes[0].id) if nodes else None,
            ),
        )


def _position(ids: Sequence[str], cursor: str, argument: str) -> int:
    if cursor not in ids:
        raise RequestError("BAD_USER_INPUT", f"`{argument}` is not a cursor of this account's webhooks.")
    return ids.index(cursor)


def _encode_delivery_cursor(number: int) -> str:
    return encode_text(f"d1:{number}")


def _decode_delivery_cursor(cursor: str | None, argument: str) -> int | None:
    if cursor is None:
        return None
    prefix, _, number = decode_text(cursor).partition(":")
    if prefix == "d1" and number.isdecimal() and len(number) < 19 and _encode_delivery_cursor(int(number)) == cursor:
        return int(number)
    raise RequestError("BAD_USER_INPUT", f"`{argument}` is not a cursor of a page of deliveries.")
