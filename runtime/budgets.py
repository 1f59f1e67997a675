"""Budgets of points: how much a caller may ask for in a minute.

A budget is full at its limit, and refills evenly within a minute. While anything is left, a request is admitted; its
points may bring the budget below zero, and then the caller waits. Budgets are counted in this process. Those that are
`shared` are compared with the other processes' through Redis, once a second; without Redis each process has its own.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtime.queue import open_redis

WINDOW_SECONDS = 60
SHARE_SECONDS = 1.0
SHARE_TIMEOUT_SECONDS = 2.0
PREFIX = "storefleet:budget:"
SHARE = """
local time = redis.call('TIME')
local now, left = time[1] + time[2] / 1e6, {}
for i, key in ipairs(KEYS) do
  local limit, spent, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1]), tonumber(ARGV[1])
  local kept = redis.call('HMGET', key, 'points', 'at')
  local points = limit
  if kept[1] then points = math.min(limit, kept[1] + math.max(0, now - kept[2]) * limit / window) end
  points = math.max(points - spent, -limit)
  redis.call('HSET', key, 'points', points, 'at', string.format('%.6f', now))
  redis.call('EXPIRE', key, 2 * window)
  left[i] = tostring(points)
end
return left
"""
"""Subtracts what this process has spent since the last time, and returns what is left.

Arguments: the window in seconds, then limit and points of each key."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Budget:
    """Whose points these are (`key`, such as `token:<id>`), and how many there are in a minute."""

    key: str
    limit: int
    shared: bool = False

    @property
    def kind(self) -> str:
        """The part of the key before the colon."""
        return self.key.partition(":")[0]


@dataclass(frozen=True)
class Balance:
    """What is left of a budget now."""

    kind: str
    limit: int
    points: float

    @property
    def remaining(self) -> int:
        """Whole points, at least 0."""
        return max(0, math.floor(self.points))

    @property
    def reset_seconds(self) -> int:
        """Seconds until the budget is full again."""
        return math.ceil((self.limit - self.points) * WINDOW_SECONDS / self.limit)

    @property
    def retry_after(self) -> int | None:
        """Seconds until another request is admitted; None: now."""
        return None if self.points > 0 else math.floor(-self.points * WINDOW_SECONDS / self.limit) + 1


@dataclass
class _Count:
    budget: Budget
    points: float
    at: float
    unshared: int = 0
    """Points that the other processes don't know of yet."""


class Budgets:
    """The budgets of all callers of this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: dict[str, _Count] = {}

    def balances(self, budgets: Sequence[Budget]) -> list[Balance]:
        """What is left of each budget."""
        return [Balance(budget.kind, budget.limit, self._points(budget)) for budget in budgets]

    def lowest(self, budgets: Sequence[Budget]) -> Balance:
        """What is left of the budget that lets the caller wait longest."""
        return min(self.balances(budgets), key=lambda balance: balance.points / balance.limit)

    def charge(self, budgets: Sequence[Budget], points: int) -> None:
        """Take the points from each budget. Nobody waits longer than one window for them."""
        for budget in budgets:
            left = max(self._points(budget) - points, -budget.limit)
            count = self._counts.setdefault(budget.key, _Count(budget, budget.limit, 0))
            count.budget, count.points, count.at = budget, left, self._clock()
            if budget.shared:
                count.unshared += points

    def _points(self, budget: Budget) -> float:
        count = self._counts.get(budget.key)
        if count is None:
            return budget.limit
        refilled = (self._clock() - count.at) * budget.limit / WINDOW_SECONDS
        return min(budget.limit, count.points + refilled)

    def forget_full(self) -> None:
        """Forget the budgets that are full, or callers would pile up."""
        for key, count in list(self._counts.items()):
            if self._points(count.budget) >= count.budget.limit and not count.unshared:
                del self._counts[key]

    async def share(self, redis: Redis) -> None:
        """Tell what was spent here, and learn what was spent elsewhere. Raises RedisError, OSError.

        After an error the other processes never learn of these points: the caller gets a little more than the limit.
        """
        spent = {count.budget: count.unshared for count in self._counts.values() if count.unshared}
        if not spent:
            return
        for budget in spent:
            self._counts[budget.key].unshared = 0
        arguments = [str(value) for budget, points in spent.items() for value in (budget.limit, points)]
        keys = [PREFIX + budget.key for budget in spent]
        left = await redis.eval(SHARE, len(keys), *keys, str(WINDOW_SECONDS), *arguments)  # type: ignore[misc]  # also for the synchronous client
        for budget, points in zip(spent, left, strict=True):
            count = self._counts[budget.key]
            count.points, count.at = float(points) - count.unshared, self._clock()


@asynccontextmanager
async def open_budgets(url: SecretStr) -> AsyncIterator[Budgets]:
    """Budgets that are shared once a second, until the end of the block."""
    budgets, redis, closing = Budgets(), open_redis(url, connections=2), asyncio.Event()
    task = asyncio.create_task(_share_until(closing, budgets, redis))
    try:
        yield budgets
    finally:
        closing.set()
        await task
        await redis.aclose()


async def _share_until(closing: asyncio.Event, budgets: Budgets, redis: Redis) -> None:
    reachable = True
    while not closing.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(SHARE_SECONDS):
                await closing.wait()
        budgets.forget_full()
        try:
            async with asyncio.timeout(SHARE_TIMEOUT_SECONDS):
                await budgets.share(redis)
        except (RedisError, OSError, TimeoutError) as error:
            if reachable:
                hint = "each API process counts for itself until Redis answers"
                log.warning("budgets.not_shared", error=type(error).__name__, hint=hint)
            reachable = False
        else:
            reachable = True
