"""Ending background tasks for certain."""

import asyncio
from typing import Any

PATIENCE = 0.5


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel them and wait until they are done; raises nothing of theirs.

    Again and again, because a library under them may swallow a cancellation (redis-py does while it reads).
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=PATIENCE)
        for task in done:
            if not task.cancelled():
                task.exception()  # seen, so that nobody warns of it; whoever cares looks before
