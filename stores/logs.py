"""A store's logs: what the API asks of workers, what they answer, and the limits both keep to.

The API has no right in the cluster, so any worker of the store's cluster reads for it (an arq job) and publishes what
it reads on a Redis channel whose name nobody can guess. Nothing is kept there. Whatever breaks, the API asks again, on
another channel, to go on after the place that it has reached.
"""

import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

READ_LOGS = "read_logs"
KINDS = ("LINE", "NOTICE")
MAX_TAIL = 500
SECONDS = 900.0
"""After so long a subscription ends; whoever still looks subscribes again."""
HEARTBEAT_SECONDS = 1.0
"""A worker says something at least as often."""
LINES = 200
"""A subscription gets no more lines a second,"""
BYTES = 256 * 1024
"""nor more bytes."""
LINE_BYTES = 4096
"""What is longer is cut."""

Places = dict[str, Any]
"""How far each container's log has been read; only workers know what is in it."""


def queue_of(cluster: str) -> str:
    """The arq queue of a cluster's workers."""
    return f"storefleet:logs:{cluster}"


def new_channel() -> str:
    """For the answers to one request: who doesn't know the name can't listen."""
    return f"storefleet:log:{secrets.token_urlsafe(32)}"


@dataclass(frozen=True)
class Request:
    """What the API asks for."""

    channel: str
    store_id: UUID
    workload: str
    tail: int
    """How many of the lines that are there to begin with; of no meaning with `places`."""
    seconds: float
    """How long to read at most."""
    places: Places | None
    """None: from the tail on."""

    def job(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "store_id": str(self.store_id)}

    @classmethod
    def parse(cls, job: dict[str, Any]) -> "Request":
        """The reverse; anybody who reaches Redis could have written it. Raises ValueError."""
        try:
            return cls(
                channel=str(job["channel"]),
                store_id=UUID(job["store_id"]),
                workload=str(job["workload"]),
                tail=min(max(int(job["tail"]), 0), MAX_TAIL),
                seconds=min(float(job["seconds"]), SECONDS),
                places=None if job["places"] is None else dict(job["places"]),
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"no request for logs: {error!r}") from None


@dataclass(frozen=True)
class Item:
    """A line of a container, or a notice of ours. Without any secret of the store."""

    kind: Literal["LINE", "NOTICE"]
    text: str
    at: int
    """Nanoseconds since 1970; of a line as its node says."""
    pod: str | None = None
    container: str | None = None


End = Literal["moved", "busy", "failed", "gone"]
"""Why a worker reads no further: it stops, it has enough to read, it can't, or there is no such store any more."""


@dataclass(frozen=True)
class Answer:
    """What a worker publishes, in order."""

    number: int
    """From 0: one that is missing was lost."""
    items: list[Item]
    places: Places | None
    """What is new of them after these items; None before the tail is read."""
    end: End | None = None

    def encode(self) -> bytes:
        items = [[item.kind, item.text, item.at, item.pod, item.container] for item in self.items]
        return json.dumps([self.number, items, self.places, self.end]).encode()

    @classmethod
    def decode(cls, message: bytes) -> "Answer":
        number, items, places, end = json.loads(message)
        return cls(number, [Item(*item) for item in items], places, end)
