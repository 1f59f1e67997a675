"""How the API reads a store's logs through a worker: the request, the answers, and the limits that both respect.

The API has no access to the cluster. It enqueues an arq job; a worker of the store's cluster reads the logs and
publishes them on a Redis channel with an unguessable name. Redis stores none of them. After any failure the API sends
another request, with another channel and the positions that it has reached.
"""

import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

READ_LOGS = "read_logs"
ITEM_KINDS = ("LINE", "NOTICE")
MAX_TAIL = 500
STREAM_SECONDS = 900.0
"""A subscription ends after this time; a client that still needs the logs subscribes again."""
HEARTBEAT_SECONDS = 1.0
"""The longest time between two answers of a worker."""
LINES_PER_SECOND = 200
BYTES_PER_SECOND = 256 * 1024
"""Limits of one subscription."""
MAX_LINE_BYTES = 4096
"""A longer line is truncated."""

Positions = dict[str, Any]
"""How far each container's log has been read. Opaque to the API."""


def log_queue(cluster: str) -> str:
    """The arq queue that the workers of a cluster take log requests from."""
    return f"storefleet:logs:{cluster}"


def new_channel() -> str:
    """The Redis channel for the answers to one request. Its name is secret: 256 random bits."""
    return f"storefleet:log:{secrets.token_urlsafe(32)}"


@dataclass(frozen=True)
class LogRequest:
    """A job for a worker."""

    channel: str
    store_id: UUID
    component: str
    tail: int
    """How many existing lines to start with; ignored when `positions` are given."""
    seconds: float
    """How long to read at most, in seconds."""
    positions: Positions | None
    """Where to continue; None: start with the tail."""

    def job(self) -> dict[str, Any]:
        """As JSON. `workload` and `places` are the wire names of component and positions: workers of the release before
        read them."""
        job = asdict(self)
        wire_names = {"workload": job.pop("component"), "places": job.pop("positions")}
        return job | {"store_id": str(self.store_id)} | wire_names

    @classmethod
    def parse(cls, job: dict[str, Any]) -> "LogRequest":
        """The reverse of `job`. Checks everything: any client of Redis can enqueue a job. Raises ValueError."""
        try:
            return cls(
                channel=str(job["channel"]),
                store_id=UUID(job["store_id"]),
                component=str(job["workload"]),
                tail=min(max(int(job["tail"]), 0), MAX_TAIL),
                seconds=min(float(job["seconds"]), STREAM_SECONDS),
                positions=None if job["places"] is None else dict(job["places"]),
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"invalid log request: {error!r}") from None


@dataclass(frozen=True)
class LogItem:
    """A line of a container, or a notice of Storefleet. Secrets of the store are masked."""

    kind: Literal["LINE", "NOTICE"]
    text: str
    at: int
    """Nanoseconds since 1970; the time of a line is the node's."""
    pod: str | None = None
    container: str | None = None


End = Literal["moved", "busy", "failed", "gone"]
"""Why a worker ends a reading: it shuts down, it is at its limit, it failed, or the store no longer exists."""


@dataclass(frozen=True)
class LogAnswer:
    """One message of a worker on the request's channel."""

    number: int
    """Counts from 0; a gap means that a message was lost."""
    items: list[LogItem]
    positions: Positions | None
    """The positions that changed with these items; None before the tail is read."""
    end: End | None = None

    def encode(self) -> bytes:
        items = [[item.kind, item.text, item.at, item.pod, item.container] for item in self.items]
        return json.dumps([self.number, items, self.positions, self.end]).encode()

    @classmethod
    def decode(cls, message: bytes) -> "LogAnswer":
        number, items, positions, end = json.loads(message)
        return cls(number, [LogItem(*item) for item in items], positions, end)
