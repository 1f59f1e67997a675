"""Following a store's logs from the API's side: asks a worker to read, listens, and asks again when it falls silent."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Literal
from uuid import UUID

import structlog
from arq.connections import ArqRedis
from pydantic import SecretStr
from redis.exceptions import RedisError

from runtime.queue import open_redis
from runtime.tasks import end
from stores.logs import READ_LOGS, SECONDS, Answer, End, Item, Places, Request, new_channel, queue_of
from stores.queries import Seen
from stores.status import Status
from stores.tail import Tail

A_USER = 5
"""So many may one user follow at a time in one process,"""
A_PROCESS = 100
"""and so many all users together: each has a connection to Redis."""
SILENCE_SECONDS = 4.0
"""A worker that says nothing for so long is gone."""
PATIENCE_SECONDS = 12.0
"""How long a worker is looked for."""
PAUSE_SECONDS = 0.5
BUSY_WORKERS = 3
"""So many in a row refuse: the next would, too."""
UNREAD = 100
"""Answers that may wait for a subscriber that is slow; after that its worker may stop, until it has caught up."""

Lost = Literal["redis", "silent"] | End
"""Why a worker is no longer heard."""
Over = Literal["denied", "deleted"]
Ending = asyncio.Task[Over]
WHY = {
    "redis": (
        "UNAVAILABLE",
        "Logs need Redis, which can't be reached now. Everything else works without it. Try again in a moment.",
    ),
    "silent": ("UNAVAILABLE", "No worker of the store's cluster answers. Try again in a moment, or tell the operator."),
    "failed": ("UNAVAILABLE", "The workers can't read these logs; their own logs say why. Tell the operator."),
    "busy": ("LIMIT_REACHED", "As many logs are followed as can be. Try again in a few minutes."),
}
"""Code and message when logs can't be followed."""

log = structlog.get_logger()


class LogsRefused(Exception):
    """Logs can't be followed, or no longer. `code` is GraphQL's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class LogTail:
    """Follows logs for all subscribers of a process."""

    def __init__(self, redis: ArqRedis, tail: Tail) -> None:
        self._redis = redis
        self._tail = tail
        self._following: Counter[UUID] = Counter()
        """How many each user follows."""

    async def follow(
        self, user_id: UUID, seen: Seen, workload: str, tail: int, *, may_go_on: Callable[[], Awaitable[bool]]
    ) -> AsyncGenerator[Item, None]:
        """The last lines of the store's workload, then each as it comes, and a notice of what is left out.

        Ends after SECONDS, and when the store is deleted. Raises LogsRefused: too many are followed already, nobody
        can read, or `may_go_on`, asked whenever access may have changed, says no.
        """
        if self._following[user_id] >= A_USER:
            raise LogsRefused("LIMIT_REACHED", f"Follow at most {A_USER} logs at a time: end another first.")
        if self._following.total() >= A_PROCESS:
            raise LogsRefused(*WHY["busy"])
        self._following += Counter([user_id])
        over = asyncio.create_task(self._until_over(seen, may_go_on))
        try:
            async with aclosing(self._items(seen, workload, tail, over)) as items:
                async for item in items:
                    yield item
        finally:
            self._following -= Counter([user_id])
            await end(over)

    async def _until_over(self, seen: Seen, may_go_on: Callable[[], Awaitable[bool]]) -> Over:
        store = seen.store
        events = self._tail.follow(store.account_id, seen.seq, store_id=None, may_go_on=may_go_on)
        async with aclosing(events):
            async for event in events:
                if event.store_id == store.id and event.status == Status.DELETED:
                    return "deleted"
        return "denied"

    async def _items(self, seen: Seen, workload: str, tail: int, over: Ending) -> AsyncGenerator[Item, None]:
        heard, deadline = time.monotonic(), time.monotonic() + SECONDS
        places: Places | None = None
        busy = 0
        while True:
            request = Request(new_channel(), seen.store.id, workload, tail, deadline - time.monotonic(), places)
            async with self._asking(seen.store.cluster, request) as answers:
                number = 0
                while isinstance(answer := await _next(answers, over, deadline), Answer) and answer.number == number:
                    number += 1
                    for item in answer.items:
                        yield item
                    if answer.places is not None:
                        places = {**(places or {}), **answer.places}
                        heard, busy = time.monotonic(), 0
            if over.done():
                if over.result() == "denied":
                    raise LogsRefused("UNAUTHENTICATED", "The token or session has ended. Sign in again.")
                answer = "gone"
            if answer == "gone":
                yield _notice("The store is deleted, and its logs with it.")
                return
            if time.monotonic() >= deadline:
                yield _notice(f"{SECONDS / 60:g} minutes are over. Subscribe again to go on.")
                return
            busy += answer == "busy"
            hopeless = places is None and (answer == "redis" or busy >= BUSY_WORKERS)
            if hopeless or time.monotonic() - heard > PATIENCE_SECONDS:
                raise LogsRefused(*WHY.get(str(answer), WHY["silent"]))
            await asyncio.sleep(PAUSE_SECONDS)

    @asynccontextmanager
    async def _asking(self, cluster: str, request: Request) -> AsyncIterator["asyncio.Queue[Answer | Lost]"]:
        """What a worker answers, until the end of the block."""
        answers: asyncio.Queue[Answer | Lost] = asyncio.Queue()
        hearing = asyncio.create_task(self._hear(cluster, request, answers))
        try:
            yield answers
        finally:
            await end(hearing)

    async def _hear(self, cluster: str, request: Request, answers: "asyncio.Queue[Answer | Lost]") -> None:
        """Ask, and hear until the worker ends or falls silent, or too much waits: Redis would keep it for us.

        A task of its own, because redis-py may swallow the cancellation of a subscriber that leaves.
        """
        lost: Lost = "silent"
        try:
            async with self._redis.pubsub() as pubsub:
                async with asyncio.timeout(SILENCE_SECONDS):
                    await pubsub.subscribe(request.channel)
                    await pubsub.get_message(timeout=None)  # that it listens: from here on it misses nothing
                    job, queue = request.job(), queue_of(cluster)
                    await self._redis.enqueue_job(READ_LOGS, job, _queue_name=queue, _expires=SILENCE_SECONDS)
                while answers.qsize() < UNREAD and (message := await pubsub.get_message(timeout=SILENCE_SECONDS)):
                    answer = Answer.decode(message["data"])
                    answers.put_nowait(answer)
                    if answer.end is not None:
                        lost = answer.end
                        break
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("logs.no_redis", error=type(error).__name__)
            lost = "redis"
        answers.put_nowait(lost)

    async def close(self) -> None:
        await self._redis.aclose()


async def _next(answers: "asyncio.Queue[Answer | Lost]", over: Ending, deadline: float) -> Answer | Lost | None:
    """The next one, or why there is none; None when the subscription is over or its time is."""
    getting = asyncio.ensure_future(answers.get())
    try:
        seconds = max(0, deadline - time.monotonic())
        await asyncio.wait({getting, over}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return getting.result() if getting.done() and not over.done() else None
    finally:
        getting.cancel()


def _notice(text: str) -> Item:
    return Item("NOTICE", text, time.time_ns())


@asynccontextmanager
async def log_tail(url: SecretStr, tail: Tail) -> AsyncIterator[LogTail]:
    """On connections of its own: who listens holds one."""
    made = LogTail(open_redis(url, connections=A_PROCESS + 20), tail)
    try:
        yield made
    finally:
        await made.close()
