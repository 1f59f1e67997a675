"""Reading logs for subscriptions: a worker does so for several at a time, for each as long as somebody listens."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import structlog
from arq.connections import ArqRedis
from prometheus_client import Gauge
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from runtime.tasks import end
from stores.logs import HEARTBEAT_SECONDS, Answer, End, Places, Request
from stores.models import Store
from stores.status import Status
from workers.context import Context
from workers.engines.labels import namespace_name
from workers.logs.buffer import Buffer
from workers.logs.following import Following
from workers.logs.lines import Mask
from workers.logs.pods import Pods, containers
from workers.logs.source import Source
from workers.secrets import open_all

READINGS = 20
"""So many at a time in one worker."""
STREAMS = 8
"""Containers that are read at the same time for one subscription."""
TICK = 0.1
"""Seconds in which lines gather to be sent together."""
PATIENCE_SECONDS = 3.0
"""After so long without a list of the pods, the subscriber is told."""
LAST_WORDS_SECONDS = 1.0

NOW = Gauge("storefleet_log_readings", "Subscriptions whose logs this worker reads now")

log = structlog.get_logger()


class Readings:
    """Those of a worker."""

    def __init__(self, context: Context, redis: ArqRedis) -> None:
        self._context, self._redis = context, redis
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, job: dict[str, Any]) -> None:
        """Read what is asked for, beside everything else. A worker that has enough to read says so."""
        try:
            request = Request.parse(job)
        except ValueError as error:
            log.warning("logs.no_request", error=str(error)[:300])
            return
        busy = len(self._tasks) >= READINGS
        task = asyncio.create_task(self._refuse(request) if busy else self._read(request))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        NOW.set(len(self._tasks))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        NOW.set(len(self._tasks))

    async def _refuse(self, request: Request) -> None:
        await self._say_end(request, Answer(0, [], None, "busy"))

    async def _read(self, request: Request) -> None:
        reading = Reading(self._context, self._redis, request)
        why: End | None = "moved"
        with structlog.contextvars.bound_contextvars(store=str(request.store_id), workload=request.workload):
            try:
                why = await reading.run()
            except (RedisError, SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("logs.cut_short", error=type(error).__name__, hint="the subscriber asks again")
                why = "failed"
            except Exception:
                log.exception("logs.failed")
                why = "failed"
            finally:
                if why is not None:
                    await self._say_end(request, Answer(reading.number, [], None, why))

    async def _say_end(self, request: Request, answer: Answer) -> None:
        try:
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await self._redis.publish(request.channel, answer.encode())
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("logs.end_unheard", error=type(error).__name__, hint="the subscriber notices the silence")

    async def close(self) -> None:
        """End all of them; their subscribers ask another worker."""
        await end(*self._tasks)
        await self._redis.aclose()


class Reading:
    """One subscription's."""

    def __init__(self, context: Context, redis: ArqRedis, request: Request) -> None:
        self._context, self._redis, self._request = context, redis, request
        self._pods = Pods(context.cluster, namespace_name(request.store_id), request.workload)
        self._buffer = Buffer()
        self._following = Following(context.cluster, self._pods, self._buffer, self._open_mask)
        self._followed: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._places: Places | None = {} if request.places is not None else None
        """What the subscriber is to be told besides with the next answer; None: the tail isn't read yet."""
        self.number = 0
        """Of the next answer."""

    async def run(self) -> End | None:
        """Until nobody listens or the time is over; or why it ends before. Raises what database and Redis raise."""
        async with self._context.sessions() as session:
            store = await session.get(Store, self._request.store_id)
        if store is None or store.status == Status.DELETED:
            return "gone"
        engine = self._context.engines.get(store.engine)
        if engine is None or self._request.workload not in engine.workloads:
            return "failed"
        self._start(self._pods.watch())
        self._start(self._follow_all())
        try:
            await self._send()
        finally:
            await end(*self._tasks)
        return None

    async def _send(self) -> None:
        deadline, last = time.monotonic() + self._request.seconds, 0.0
        while (now := time.monotonic()) < deadline:
            for task in [task for task in self._tasks if task.done()]:
                self._tasks.discard(task)
                task.result()  # raises what ended it
            items, places = self._buffer.take()
            if items or now - last >= HEARTBEAT_SECONDS:
                if self._places is not None:
                    places, self._places = self._places | places, {}
                answer = Answer(self.number, items, None if self._places is None else places)
                if not await self._redis.publish(self._request.channel, answer.encode()):
                    return
                self.number, last = self.number + 1, now
            await asyncio.sleep(TICK)

    async def _follow_all(self) -> None:
        while not self._pods.listed:
            await self._pods.change(PATIENCE_SECONDS)
            if not self._pods.listed:
                self._buffer.say("", "The cluster doesn't answer now. Asking again.")
        known, sources = set(self._pods.found), self._new_sources()
        if self._places is None:
            self._places = await self._following.tail(sources, self._request.tail)
            sources += self._new_sources()
        while True:
            for source in sources:
                if source.uid not in known:
                    self._buffer.say(source.uid, f"The pod {source.pod} is new: its lines follow.", source.pod)
                self._start(self._follow(source))
            if self._pods.found:
                self._buffer.unsay("")
            else:
                text = f"There is no pod of {self._request.workload} now. Its lines come as soon as one starts."
                self._buffer.say("", text)
            await self._pods.change()
            sources = self._new_sources()

    async def _follow(self, source: Source) -> None:
        await self._following.follow(source)
        self._followed.discard(source.key)

    def _new_sources(self) -> list[Source]:
        """Of containers that nobody follows yet."""
        found: list[Source] = []
        for uid, pod in self._pods.found.items():
            name = pod["metadata"]["name"]
            if not containers(pod):
                self._buffer.say(uid, f"The pod {name} waits for a node.", name)
            for container in containers(pod):
                source = Source.known(uid, name, container.name, self._request.places)
                if source.key in self._followed:
                    continue
                if len(self._followed) >= STREAMS:
                    self._buffer.say("streams", f"Only {STREAMS} containers are read at a time: others are left out.")
                    return found
                self._followed.add(source.key)
                found.append(source)
        return found

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _open_mask(self) -> Mask:
        async with self._context.sessions() as session:
            return Mask(await open_all(session, self._context, self._request.store_id))
