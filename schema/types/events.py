"""Event: one entry of an account's event stream."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from schema.access import AS_PARENT
from schema.context import Info, RequestError
from schema.enums import EventType
from schema.ids import decode_event_cursor, encode_event_cursor, encode_id
from schema.types.pages import PageInfo, page_size
from stores.event_pages import EventPage, EventRange
from stores.models import Event as EventRow
from stores.status import Status, StepStatus

if TYPE_CHECKING:
    from schema.types.stores import Store


@strawberry.type(description="The state of a step at the time of a STEP event.")
class EventStep:
    name: str = strawberry.field(description="The step's name.")
    status: StepStatus = strawberry.field(description="The step's status after the event.")
    message: str | None = strawberry.field(description="The step's message after the event.")


@strawberry.type(description="One entry of an account's event stream. Events are in order and without gaps.")
class Event:
    cursor: str = strawberry.field(description="Pass the last cursor as `after` to continue after this event.")
    store_id: strawberry.ID = strawberry.field(description="Global id of the store.")
    type: EventType = strawberry.field(description="What the event reports.")
    status: Status = strawberry.field(description="The store's status after the event.")
    step: EventStep | None = strawberry.field(description="Only for type STEP.")
    message: str = strawberry.field(description="What happened, for people.")
    at: datetime = strawberry.field(description="When it happened.")
    row: strawberry.Private[EventRow]

    @strawberry.field(extensions=[AS_PARENT], description="The store as it is now.")
    async def store(self, info: Info) -> Annotated["Store", strawberry.lazy("schema.types.stores")]:
        from schema.types.stores import Store  # the two types refer to each other

        return Store.from_row(info, await info.context.stores.load(self.row.store_id))

    @classmethod
    def from_row(cls, row: EventRow) -> "Event":
        step = None
        if row.step is not None:
            step = EventStep(name=row.step["name"], status=StepStatus(row.step["status"]), message=row.step["message"])
        return cls(
            cursor=encode_event_cursor(row.account_id, row.seq),
            store_id=strawberry.ID(encode_id("Store", row.store_id)),
            type=EventType(row.type),
            status=Status(row.status),
            step=step,
            message=row.message,
            at=row.at,
            row=row,
        )


@strawberry.type(description="An event in a page.")
class EventEdge:
    cursor: str = strawberry.field(description="The event's cursor.")
    node: Event = strawberry.field(description="The event.")


@strawberry.type(description="A page of a store's events, the oldest first.")
class EventConnection:
    edges: list[EventEdge] = strawberry.field(description="The events with their cursors.")
    nodes: list[Event] = strawberry.field(description="The events.")
    page_info: PageInfo = strawberry.field(description="Where the page begins and ends.")

    @classmethod
    def from_page(cls, page: EventPage, wanted: EventRange) -> "EventConnection":
        nodes = [Event.from_row(row) for row in page.events]
        return cls(
            edges=[EventEdge(cursor=node.cursor, node=node) for node in nodes],
            nodes=nodes,
            page_info=PageInfo(
                has_next_page=wanted.before is not None if wanted.last else page.has_more,
                end_cursor=nodes[-1].cursor if nodes else None,
                has_previous_page=page.has_more if wanted.last else wanted.after > 0,
                start_cursor=nodes[0].cursor if nodes else None,
            ),
        )


def to_range(
    account_id: UUID, *, first: int | None, after: str | None, last: int | None, before: str | None
) -> EventRange:
    """Raises RequestError for anything but one of `first` and `last`, and for malformed cursors."""
    return EventRange(
        page_size(first, last),
        last=first is None,
        after=_seq(account_id, after, "after") if after is not None else 0,
        before=_seq(account_id, before, "before") if before is not None else None,
    )


def _seq(account_id: UUID, cursor: str, argument: str) -> int:
    decoded = decode_event_cursor(cursor)
    if decoded is None or decoded[0] != account_id:
        raise RequestError("BAD_USER_INPUT", f"`{argument}` is not a cursor of this store's events.")
    return decoded[1]
