"""Reading logs for subscriptions. A worker reads for several at a time, for each as long as a subscriber listens."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import structlog
from arq.connections import ArqRedis
from prometheus_client import Gauge
from redis.exceptions import RedisError

from runtime.database import CONNECTION_ERRORS
from runtime.tasks import cancel_and_wait
from stores.log_protocol import HEARTBEAT_SECONDS, End, LogAnswer, LogRequest, Positions
from stores.models import Store
from stores.status import Status
from workers.context import Context
from workers.engines.labels import namespace_name
from workers.logs.buffer import Buffer
from workers.logs.follower import LogFollower
from workers.logs.lines import SecretMasker
from workers.logs.pods import PodWatcher, container_states
from workers.logs.source import ContainerLog
from workers.secrets import open_all_secrets

MAX_READERS = 20
"""Subscriptions that one worker reads for at the same time."""
MAX_STREAMS = 8
"""Containers that are read at the same time for one subscription."""
FLUSH_SECONDS = 0.1
"""Lines are collected for so long and published together."""
LIST_TIMEOUT = 3.0
"""Seconds without a list of the pods after which the subscriber gets a notice."""
CLOSE_TIMEOUT = 1.0
"""Seconds for publishing why reading ended."""

ACTIVE_READERS = Gauge("storefleet_log_readings", "Subscriptions whose logs this worker reads now")

log = structlog.get_logger()


class LogReaders:
    """The log readers of a worker process."""

    def __init__(self, context: Context, redis: ArqRedis) -> None:
        self._context, self._redis = context, redis
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, job: dict[str, Any]) -> None:
        """Read for a request in a separate task. At MAX_READERS the request is answered with `busy`."""
        try:
            request = LogRequest.parse(job)
        except ValueError as error:
            log.warning("logs.invalid_request", error=str(error)[:300])
            return
        busy = len(self._tasks) >= MAX_READERS
        task = asyncio.create_task(self._reject(request) if busy else self._read(request))
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        ACTIVE_READERS.set(len(self._tasks))

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        ACTIVE_READERS.set(len(self._tasks))

    async def _reject(self, request: LogRequest) -> None:
        await self._publish_end(request, LogAnswer(0, [], None, "busy"))

    async def _read(self, request: LogRequest) -> None:
        reader = LogReader(self._context, self._redis, request)
        end: End | None = "moved"
        with structlog.contextvars.bound_contextvars(store=str(request.store_id), component=request.component):
            try:
                end = await reader.run()
            except (RedisError, *CONNECTION_ERRORS) as error:
                log.warning("logs.interrupted", error=repr(error), hint="the API sends the request again")
                end = "failed"
            except Exception:
                log.exception("logs.failed")
                end = "failed"
            finally:
                if end is not None:
                    await self._publish_end(request, LogAnswer(reader.number, [], None, end))

    async def _publish_end(self, request: LogRequest, answer: LogAnswer) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._redis.publish(request.channel, answer.encode())
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("logs.end_not_published", error=repr(error), hint="the API misses the heartbeat")

    async def close(self) -> None:
        """End all readers. The API sends their requests to another worker."""
        await cancel_and_wait(*self._tasks)
        await self._redis.aclose()


class LogReader:
    """Reads the logs of one component for one subscription, and publishes them."""

    def __init__(self, context: Context, redis: ArqRedis, request: LogRequest) -> None:
        self._context, self._redis, self._request = context, redis, request
        self._pods = PodWatcher(context.cluster, namespace_name(request.store_id), request.component)
        self._buffer = Buffer()
        self._follower = LogFollower(context.cluster, self._pods, self._buffer, self._load_masker)
        self._followed: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._positions: Positions | None = {} if request.positions is not None else None
        """Positions to send with the next answer, besides those of its items. None: the tail isn't read yet."""
        self.number = 0
        """The number of the next answer."""

    async def run(self) -> End | None:
        """Read until there is no listener or the time is over (None), or return why reading ended earlier.

        Raises what the database and Redis raise.
        """
        async with self._context.sessions() as session:
            store = await session.get(Store, self._request.store_id)
        if store is None or store.status == Status.DELETED:
            return "gone"
        engine = self._context.engines.get(store.engine)
        if engine is None or self._request.component not in engine.components:
            return "failed"
        self._start(self._pods.watch())
        self._start(self._follow_all())
        try:
            await self._publish_items()
        finally:
            await cancel_and_wait(*self._tasks)
        return None

    async def _publish_items(self) -> None:
        deadline, last = time.monotonic() + self._request.seconds, 0.0
        while (now := time.monotonic()) < deadline:
            for task in [task for task in self._tasks if task.done()]:
                self._tasks.discard(task)
                task.result()  # raises what ended it
            items, positions = self._buffer.take()
            if items or now - last >= HEARTBEAT_SECONDS:
                if self._positions is not None:
                    positions, self._positions = self._positions | positions, {}
                answer = LogAnswer(self.number, items, None if self._positions is None else positions)
                listeners = await self._redis.publish(self._request.channel, answer.encode())
                if not listeners:
                    return
                self.number, last = self.number + 1, now
            await asyncio.sleep(FLUSH_SECONDS)

    async def _follow_all(self) -> None:
        while not self._pods.synced:
            await self._pods.wait_for_change(LIST_TIMEOUT)
            if not self._pods.synced:
                self._buffer.notify_once("", "The cluster doesn't answer now. Asking again.")
        known, sources = set(self._pods.by_uid), self._new_sources()
        if self._positions is None:
            self._positions = await self._follower.tail(sources, self._request.tail)
            sources += self._new_sources()
        while True:
            for source in sources:
                if source.uid not in known:
                    self._buffer.notify_once(source.uid, f"The pod {source.pod} is new: its lines follow.", source.pod)
                self._start(self._follow(source))
            if self._pods.by_uid:
                self._buffer.clear_notice("")
            else:
                text = f"There is no pod of {self._request.component} now. Its lines come as soon as one starts."
                self._buffer.notify_once("", text)
            await self._pods.wait_for_change()
            sources = self._new_sources()

    async def _follow(self, source: ContainerLog) -> None:
        await self._follower.follow(source)
        self._followed.discard(source.key)

    def _new_sources(self) -> list[ContainerLog]:
        """The containers that aren't followed yet."""
        found: list[ContainerLog] = []
        for uid, pod in self._pods.by_uid.items():
            name = pod["metadata"]["name"]
            if not container_states(pod):
                self._buffer.notify_once(uid, f"The pod {name} waits for a node.", name)
            for container in container_states(pod):
                source = ContainerLog.resume(uid, name, container.name, self._request.positions)
                if source.key in self._followed:
                    continue
                if len(self._followed) >= MAX_STREAMS:
                    text = f"Only {MAX_STREAMS} containers are read at a time: others are left out."
                    self._buffer.notify_once("streams", text)
                    return found
                self._followed.add(source.key)
                found.append(source)
        return found

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _load_masker(self) -> SecretMasker:
        async with self._context.sessions() as session:
            return SecretMasker(await open_all_secrets(session, self._context, self._request.store_id))
