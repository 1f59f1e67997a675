"""Streams a store's logs to subscribers of the API: asks a worker to read them, and another when it is silent."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Literal
from uuid import UUID

import structlog
from arq.connections import ArqRedis
from pydantic import SecretStr
from redis.exceptions import RedisError

from accounts.actors import Actor
from runtime.queue import open_redis
from runtime.tasks import cancel_and_wait
from stores.event_stream import EventStream
from stores.log_protocol import (
    READ_LOGS,
    STREAM_SECONDS,
    End,
    LogAnswer,
    LogItem,
    LogRequest,
    Positions,
    log_queue,
    new_channel,
)
from stores.queries import StoreWithCursor
from stores.status import Status

MAX_STREAMS_PER_USER = 5
MAX_STREAMS_PER_PROCESS = 100
"""Open log streams in one process. Each has a connection to Redis."""
SILENCE_SECONDS = 4.0
"""A worker without an answer for this time is considered dead."""
ANSWER_SECONDS = 12.0
"""The stream fails after this time without an answer of any worker."""
PAUSE_SECONDS = 0.5
BUSY_WORKERS = 3
"""The stream fails after this many busy workers in a row."""
MAX_UNREAD = 100
"""Answers that are buffered for a slow subscriber. Then the request is dropped, and sent again when they are read."""

NoMoreAnswers = Literal["redis", "silent"] | End
"""Why no more answers come."""
REFUSALS = {
    "redis": (
        "UNAVAILABLE",
        "Logs need Redis, which can't be reached now. Everything else works without it. Try again in a moment.",
    ),
    "silent": ("UNAVAILABLE", "No worker of the store's cluster answers. Try again in a moment, or tell the operator."),
    "failed": ("UNAVAILABLE", "The workers can't read these logs; their own logs say why. Tell the operator."),
    "busy": ("LIMIT_REACHED", "Too many logs are followed at the moment. Try again in a few minutes."),
}
"""Code and message of the errors, by reason."""

log = structlog.get_logger()


class LogStreamError(Exception):
    """The log stream can't start or continue. `code`: of the GraphQL error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class LogStream:
    """All log streams of a process."""

    def __init__(self, redis: ArqRedis, events: EventStream) -> None:
        self._redis = redis
        self._events = events
        self._following: Counter[UUID] = Counter()
        """Open streams by user id."""

    async def follow(
        self,
        actor: Actor,
        target: StoreWithCursor,
        component: str,
        tail: int,
    ) -> AsyncGenerator[LogItem, None]:
        """The last `tail` lines of the store's component, then each new line, and a notice where lines are left out.

        Ends after STREAM_SECONDS, and when the store is deleted. Raises LogStreamError: too many streams are open, or
        no worker can read.
        """
        user_id = actor.user_id
        if self._following[user_id] >= MAX_STREAMS_PER_USER:
            raise LogStreamError(
                "LIMIT_REACHED", f"Follow at most {MAX_STREAMS_PER_USER} logs at a time: end one of them first."
            )
        if self._following.total() >= MAX_STREAMS_PER_PROCESS:
            raise LogStreamError(*REFUSALS["busy"])
        self._following += Counter([user_id])
        deleted = asyncio.create_task(self._until_deleted(target))
        try:
            async with aclosing(self._items(target, component, tail, deleted)) as items:
                async for item in items:
                    yield item
        finally:
            self._following -= Counter([user_id])
            await cancel_and_wait(deleted)

    async def _until_deleted(self, target: StoreWithCursor) -> None:
        store = target.store
        async with aclosing(self._events.follow(store.account_id, target.seq, store_id=None)) as events:
            async for event in events:
                if event.store_id == store.id and event.status == Status.DELETED:
                    return

    async def _items(
        self, target: StoreWithCursor, component: str, tail: int, deleted: asyncio.Task[None]
    ) -> AsyncGenerator[LogItem, None]:
        last_answer, deadline = time.monotonic(), time.monotonic() + STREAM_SECONDS
        positions: Positions | None = None
        busy = 0
        while True:
            request = LogRequest(
                new_channel(), target.store.id, component, tail, deadline - time.monotonic(), positions
            )
            async with self._request(target.store.cluster, request) as answers:
                number = 0
                while (
                    isinstance(answer := await _next(answers, deleted, deadline), LogAnswer) and answer.number == number
                ):
                    number += 1
                    for item in answer.items:
                        yield item
                    if answer.positions is not None:
                        positions = {**(positions or {}), **answer.positions}
                        last_answer, busy = time.monotonic(), 0
            if deleted.done():
                deleted.result()  # raises what the database raised
                answer = "gone"
            if answer == "gone":
                yield _notice("The store is deleted, and its logs with it.")
                return
            if time.monotonic() >= deadline:
                yield _notice(f"{STREAM_SECONDS / 60:g} minutes are over. Subscribe again to continue.")
                return
            busy += answer == "busy"
            fails = positions is None and (answer == "redis" or busy >= BUSY_WORKERS)
            if fails or time.monotonic() - last_answer > ANSWER_SECONDS:
                raise LogStreamError(*REFUSALS.get(str(answer), REFUSALS["silent"]))
            await asyncio.sleep(PAUSE_SECONDS)

    @asynccontextmanager
    async def _request(
        self, cluster: str, request: LogRequest
    ) -> AsyncIterator["asyncio.Queue[LogAnswer | NoMoreAnswers]"]:
        """Send the request; yields a queue of the answers."""
        answers: asyncio.Queue[LogAnswer | NoMoreAnswers] = asyncio.Queue()
        receiver = asyncio.create_task(self._receive(cluster, request, answers))
        try:
            yield answers
        finally:
            await cancel_and_wait(receiver)

    async def _receive(
        self, cluster: str, request: LogRequest, answers: "asyncio.Queue[LogAnswer | NoMoreAnswers]"
    ) -> None:
        """Send the request and queue the answers, until the worker ends or is silent, or MAX_UNREAD answers wait.

        Runs in a separate task, because redis-py may swallow the cancellation of a subscriber.
        """
        reason: NoMoreAnswers = "silent"
        try:
            async with self._redis.pubsub() as pubsub:
                async with asyncio.timeout(SILENCE_SECONDS):
                    await pubsub.subscribe(request.channel)
                    await pubsub.get_message(timeout=None)  # the confirmation: no later message is missed
                    job, queue = request.job(), log_queue(cluster)
                    await self._redis.enqueue_job(READ_LOGS, job, _queue_name=queue, _expires=SILENCE_SECONDS)
                while answers.qsize() < MAX_UNREAD and (message := await pubsub.get_message(timeout=SILENCE_SECONDS)):
                    answer = LogAnswer.decode(message["data"])
                    answers.put_nowait(answer)
                    if answer.end is not None:
                        reason = answer.end
                        break
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("log_stream.redis_unavailable", error=type(error).__name__)
            reason = "redis"
        answers.put_nowait(reason)

    async def close(self) -> None:
        await self._redis.aclose()


async def _next(
    answers: "asyncio.Queue[LogAnswer | NoMoreAnswers]", deleted: asyncio.Task[None], deadline: float
) -> LogAnswer | NoMoreAnswers | None:
    """The next answer, or why no more come; None when the store is deleted or the deadline is over."""
    answer = asyncio.ensure_future(answers.get())
    try:
        seconds = max(0, deadline - time.monotonic())
        await asyncio.wait({answer, deleted}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() and not deleted.done() else None
    finally:
        answer.cancel()


def _notice(text: str) -> LogItem:
    return LogItem("NOTICE", text, time.time_ns())


@asynccontextmanager
async def open_log_streams(url: SecretStr, events: EventStream) -> AsyncIterator[LogStream]:
    """The log streams of this process, on their own Redis pool: each open stream holds a connection."""
    streams = LogStream(open_redis(url, connections=MAX_STREAMS_PER_PROCESS + 20), events)
    try:
        yield streams
    finally:
        await streams.close()
