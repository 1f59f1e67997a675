"""Tasks that run at the same time, and cancelling them reliably."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

Result = TypeVar("Result")

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


async def gather(coroutines: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """All results. After the first error the others are cancelled, and awaited: nothing runs on behind the caller."""
    if len(coroutines) < 2:
        return [await coroutine for coroutine in coroutines]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(coroutine) for coroutine in coroutines]
    return [task.result() for task in tasks]
