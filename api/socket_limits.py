"""How many WebSockets may be open in this process: in all, of one client's address, and anonymously of an address."""

from collections import Counter

RETRY_AFTER_SECONDS = 10
MAX_ANONYMOUS_PER_ADDRESS = 20


class TooManySockets(Exception):
    """Refuse this WebSocket."""


class SocketSlot:
    """The place that one WebSocket takes, until it is released."""

    def __init__(self, limits: "SocketLimits", address: str) -> None:
        self._limits, self._address, self._anonymous = limits, address, True
        limits.open[address] += 1
        limits.anonymous[address] += 1

    def authenticated(self) -> None:
        """The WebSocket no longer counts as anonymous."""
        if self._anonymous:
            self._anonymous = False
            _decrement(self._limits.anonymous, self._address)

    def release(self) -> None:
        """Call it once, at the end of the WebSocket."""
        self.authenticated()
        _decrement(self._limits.open, self._address)


class SocketLimits:
    """Counts the open WebSockets of one process."""

    def __init__(self, in_all: int, per_address: int) -> None:
        self._in_all, self._per_address = in_all, per_address
        self.open: Counter[str] = Counter()
        self.anonymous: Counter[str] = Counter()
        """By address, like `open`, which includes them."""

    def take(self, address: str, *, anonymous: bool) -> SocketSlot:
        """A slot for a new WebSocket. Raises TooManySockets."""
        if (
            self.open.total() >= self._in_all
            or self.open[address] >= self._per_address
            or (anonymous and self.anonymous[address] >= MAX_ANONYMOUS_PER_ADDRESS)
        ):
            raise TooManySockets
        slot = SocketSlot(self, address)
        if not anonymous:
            slot.authenticated()
        return slot


def _decrement(counter: Counter[str], address: str) -> None:
    counter[address] -= 1
    if not counter[address]:
        del counter[address]  # or addresses would pile up
