"""The queue between reading logs and sending them: rate-limited, bounded, and what it drops is counted."""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from stores.log_protocol import BYTES_PER_SECOND, LINES_PER_SECOND, MAX_LINE_BYTES, MAX_TAIL, LogItem, Positions

MAX_QUEUED_LINES = 2 * MAX_TAIL
MAX_QUEUED_BYTES = MAX_TAIL * MAX_LINE_BYTES
"""Room for the longest tail at least: a burst arrives late instead of being dropped."""


class QueuedItem(NamedTuple):
    """An item, and the position of its container after it."""

    item: LogItem
    positions: Positions
    size: int


class Buffer:
    """Hands out at most LINES_PER_SECOND lines and BYTES_PER_SECOND bytes, in order."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._queue: deque[QueuedItem] = deque()
        self._bytes = 0
        self._second, self._sent_lines, self._sent_bytes = 0.0, 0, 0
        self._last_notices: dict[str, str] = {}
        self._dropped = 0
        self._dropped_positions: Positions = {}
        """The positions of containers after the lines that were dropped."""

    @property
    def full(self) -> bool:
        """True while lines are dropped."""
        return self._dropped > 0

    def add(self, item: LogItem, positions: Positions) -> None:
        """Queue a line or notice, or drop it when the queue is full."""
        size = len(item.text.encode())
        if self.full or len(self._queue) >= MAX_QUEUED_LINES or self._bytes + size > MAX_QUEUED_BYTES:
            self.drop(positions)
            return
        self._queue.append(QueuedItem(item, positions, size))
        self._bytes += size

    def drop(self, positions: Positions) -> None:
        """Count a line instead of queueing it. When half of the queue is free, a notice has their number."""
        self._dropped += 1
        self._dropped_positions |= positions

    def notice(self, text: str, pod: str | None = None, container: str | None = None) -> None:
        """Queue a notice now, even while lines are dropped."""
        self._queue.append(QueuedItem(LogItem("NOTICE", text, time.time_ns(), pod, container), {}, 0))

    def notify_once(self, subject: str, text: str, pod: str | None = None, container: str | None = None) -> None:
        """Queue a notice unless it equals the last notice about the same subject."""
        if self._last_notices.get(subject) != text:
            self._last_notices[subject] = text
            self.notice(text, pod, container)

    def clear_notice(self, subject: str) -> None:
        """Forget the last notice about the subject: the next one is sent even if it is equal."""
        self._last_notices.pop(subject, None)

    def take(self) -> tuple[list[LogItem], Positions]:
        """The items that may be sent now, and the containers' positions after them."""
        now = self._clock()
        if now - self._second >= 1:
            self._second, self._sent_lines, self._sent_bytes = now, 0, 0
        items: list[LogItem] = []
        positions: Positions = {}
        while (
            self._queue
            and self._sent_lines < LINES_PER_SECOND
            and self._sent_bytes + self._queue[0].size <= BYTES_PER_SECOND
        ):
            item, reached, size = self._queue.popleft()
            items.append(item)
            positions |= reached
            self._bytes -= size
            self._sent_bytes += size
            self._sent_lines += item.kind == "LINE"
        if self.full and len(self._queue) <= MAX_QUEUED_LINES / 2 and self._bytes <= MAX_QUEUED_BYTES / 2:
            limit = f"at most {LINES_PER_SECOND} lines or {BYTES_PER_SECOND // 1024} KB a second are shown"
            item = LogItem("NOTICE", f"{self._dropped} lines were left out here: {limit}.", time.time_ns())
            self._queue.append(QueuedItem(item, self._dropped_positions, 0))
            self._dropped, self._dropped_positions = 0, {}
        return items, positions
