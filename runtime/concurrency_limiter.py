"""Limits how much of a shared resource one user can hold at a time."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class LimitTimeout(Exception):
    """It wasn't the caller's turn in time."""


class ConcurrencyLimiter:
    """At most `limit` holders per key at a time. Others wait their turn (first in, first out), at most `seconds`."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._semaphores: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()
        """Each lives as long as somebody holds it or waits for it."""

    @asynccontextmanager
    async def hold(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for a turn, and hold it during the block. Raises LimitTimeout."""
        semaphore = self._semaphores.setdefault(key, asyncio.Semaphore(self._limit))
        try:
            async with asyncio.timeout(self._seconds):
                await semaphore.acquire()
        except TimeoutError:
            raise LimitTimeout from None
        try:
            yield
        finally:
            semaphore.release()
