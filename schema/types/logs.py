"""StoreLogLine: one line of what a store's containers print."""

from datetime import UTC, datetime

import strawberry

from schema.enums import LogLineKind
from stores.log_protocol import LogItem


@strawberry.type(description="A line of a store's logs, or a notice: lines are missing, or a container ended.")
class StoreLogLine:
    kind: LogLineKind = strawberry.field(description="Whether it is a line or a notice.")
    line: str = strawberry.field(description="The store's secrets and colours are removed. At most 4 KB.")
    at: datetime = strawberry.field(description="When the line was printed, by the clock of its node.")
    pod: str | None = strawberry.field(description="Null: the notice is about more than one pod.")
    container: str | None = strawberry.field(
        description="Null: the notice is about a whole pod, or about more than one."
    )

    @classmethod
    def from_item(cls, item: LogItem) -> "StoreLogLine":
        """`item.at` is in nanoseconds since 1970."""
        return cls(
            kind=LogLineKind(item.kind),
            line=item.text,
            at=datetime.fromtimestamp(item.at // 1000 / 1_000_000, UTC),
            pod=item.pod,
            container=item.container,
        )
