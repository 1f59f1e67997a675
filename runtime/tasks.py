"""Cancelling background tasks reliably."""

import asyncio
from typing import Any

CANCEL_RETRY_SECONDS = 3.0
"""Long enough for the cleanup of a cancelled task: another cancellation would interrupt it."""


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel the tasks and wait until all are done. Raises none of their exceptions.

    Cancels repeatedly, because a library may swallow a CancelledError (redis-py does while it reads).
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        done, pending = await asyncio.wait(pending, timeout=CANCEL_RETRY_SECONDS)
        for task in done:
            if not task.cancelled():
                task.exception()  # marks the exception as retrieved: otherwise asyncio logs a warning
