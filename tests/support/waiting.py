"""Waiting for a condition. No test asserts how fast something is: bench/ measures that."""

import asyncio
import time
from collections.abc import Awaitable, Callable

HANG_SECONDS = 120.0
"""The limit of every wait, long enough for a busy machine: a condition that is false for so long never becomes true."""


def hang_limit() -> asyncio.Timeout:
    """A context that raises TimeoutError after HANG_SECONDS."""
    return asyncio.timeout(HANG_SECONDS)


def eventually(condition: Callable[[], object]) -> bool:
    """Wait until the condition is true; False when it never is."""
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


async def wait_until(condition: Callable[[], Awaitable[object]]) -> None:
    """Ask until the answer is true. Raises TimeoutError."""
    async with hang_limit():
        while not await condition():  # noqa: ASYNC110  # there is no event to wait for
            await asyncio.sleep(0.05)
