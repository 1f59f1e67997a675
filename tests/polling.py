"""Waiting for what has no event to wait for."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], seconds: float = 2.0) -> bool:
    """Whether the condition came true within that many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
