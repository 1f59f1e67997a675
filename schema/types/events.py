"""Event: one entry of an account's event stream."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from runtime.pagination import Page
from schema.access import AS_PARENT
from schema.context import Info
from schema.enums import EventType
from schema.ids import decode_event_cursor, encode_event_cursor, encode_id
from schema.types.connections import Connection
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


@strawberry.type(description="A page of a store's events, the oldest first.")
class EventConnection(Connection[Event]):
    @classmethod
    def from_page(cls, page: Page[EventRow]) -> "EventConnection":
        nodes = [Event.from_row(row) for row in page.rows]
        return cls.of(nodes, [node.cursor for node in nodes], page)


def decode_cursor_of(account_id: UUID) -> Callable[[str], tuple[int] | None]:
    """Decodes a cursor of the account's events; None for another one."""

    def decode(cursor: str) -> tuple[int] | None:
        decoded = decode_event_cursor(cursor)
        return (decoded[1],) if decoded is not None and decoded[0] == account_id else None

    return decode
