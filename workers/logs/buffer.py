"""What has been read and not yet sent: no more goes out than a subscription may get; what is too much is counted."""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from stores.logs import BYTES, LINE_BYTES, LINES, MAX_TAIL, Item, Places

WAITING_LINES = 2 * MAX_TAIL
WAITING_BYTES = MAX_TAIL * LINE_BYTES
"""What may wait, the longest tail at least: a burst comes late rather than never."""


class Waiting(NamedTuple):
    """An item, and how far its container has been read with it."""

    item: Item
    places: Places
    size: int


class Buffer:
    """In: lines as they come. Out: at most LINES lines and BYTES bytes each second, in order."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._second, self._sent_lines, self._sent_bytes = 0.0, 0, 0
        self._said: dict[str, str] = {}
        self._left_out = 0
        self._passed: Places = {}
        """How far containers have been read with what was left out."""

    @property
    def full(self) -> bool:
        """What comes is left out."""
        return self._left_out > 0

    def add(self, item: Item, places: Places) -> None:
        """A line or notice, unless too much waits."""
        size = len(item.text.encode())
        if self.full or len(self._waiting) >= WAITING_LINES or self._bytes + size > WAITING_BYTES:
            self.leave_out(places)
            return
        self._waiting.append(Waiting(item, places, size))
        self._bytes += size

    def leave_out(self, places: Places) -> None:
        """Count a line instead of keeping it. When there is room for half of what may wait, a notice says how many."""
        self._left_out += 1
        self._passed |= places

    def notice(self, text: str, pod: str | None = None, container: str | None = None) -> None:
        """In its place; also while lines are left out."""
        self._waiting.append(Waiting(Item("NOTICE", text, time.time_ns(), pod, container), {}, 0))

    def say(self, about: str, text: str, pod: str | None = None, container: str | None = None) -> None:
        """A notice, once until something else is said of the same."""
        if self._said.get(about) != text:
            self._said[about] = text
            self.notice(text, pod, container)

    def unsay(self, about: str) -> None:
        """It is so no longer."""
        self._said.pop(about, None)

    def take(self) -> tuple[list[Item], Places]:
        """What may go out now, and how far containers have been read with it."""
        now = self._clock()
        if now - self._second >= 1:
            self._second, self._sent_lines, self._sent_bytes = now, 0, 0
        items: list[Item] = []
        places: Places = {}
        while self._waiting and self._sent_lines < LINES and self._sent_bytes + self._waiting[0].size <= BYTES:
            item, passed, size = self._waiting.popleft()
            items.append(item)
            places |= passed
            self._bytes -= size
            self._sent_bytes += size
            self._sent_lines += item.kind == "LINE"
        if self.full and len(self._waiting) <= WAITING_LINES / 2 and self._bytes <= WAITING_BYTES / 2:
            most = f"at most {LINES} lines or {BYTES // 1024} KB a second are shown"
            item = Item("NOTICE", f"{self._left_out} lines were left out here: {most}.", time.time_ns())
            self._waiting.append(Waiting(item, self._passed, 0))
            self._left_out, self._passed = 0, {}
        return items, places
