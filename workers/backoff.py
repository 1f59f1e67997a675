"""Exponential backoff: how long to wait before a retry."""

from runtime.jitter import jitter

MAX_RETRY_AFTER = 60.0
"""Seconds; a longer Retry-After of the server is cut."""


def backoff_seconds(failures: int, first: float, longest: float, retry_after: float | None = None) -> float:
    """The pause after that many consecutive failures (from 1): doubled each time, with jitter, at most `longest`.

    With the server's `retry_after` in seconds, it is at least this, but at most MAX_RETRY_AFTER.
    """
    pause: float = min(longest, first * 2 ** min(failures - 1, 10))
    return max(pause * jitter(), min(retry_after or 0, MAX_RETRY_AFTER))
