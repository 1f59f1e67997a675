"""Nudges: arq jobs that make a due store be looked at sooner. Losing one costs seconds, never truth."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import structlog
from arq.connections import ArqRedis
from pydantic import SecretStr
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError

RECONCILE = "reconcile_store"
QUEUE = "storefleet:nudges"
NUDGE_SECONDS = 2.0

log = structlog.get_logger()


def serialize(job: dict[str, Any]) -> bytes:
    """JSON, because the default (pickle) would run what somebody else put into Redis."""
    return json.dumps(job).encode()


def deserialize(job: bytes) -> dict[str, Any]:
    """The reverse of `serialize`. Raises ValueError."""
    value: dict[str, Any] = json.loads(job)
    return value


def open_redis(url: SecretStr, connections: int = 20) -> ArqRedis:
    """Connects when first used; every command ends by itself."""
    pool = BlockingConnectionPool.from_url(
        url.get_secret_value(), max_connections=connections, timeout=2, socket_timeout=5, socket_connect_timeout=2
    )
    redis = ArqRedis(pool, job_serializer=serialize, job_deserializer=deserialize, default_queue_name=QUEUE)
    redis.auto_close_connection_pool = True  # the pool is nobody else's
    return redis


class Nudger:
    """Sends nudges beside the caller's work, never in its way."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._tasks: set[asyncio.Task[None]] = set()

    def nudge(self, store_ids: Iterable[UUID]) -> None:
        """After the commit. Returns at once; the sweep finds the stores when Redis can't be reached."""
        task = asyncio.create_task(self._send([str(store_id) for store_id in store_ids]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, store_ids: list[str]) -> None:
        try:
            async with asyncio.timeout(NUDGE_SECONDS):
                for store_id in store_ids:
                    # no job id: arq would drop a nudge whose id is queued or running
                    await self._redis.enqueue_job(RECONCILE, store_id)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning(
                "nudge.lost", stores=len(store_ids), error=type(error).__name__, hint="the sweep will find them"
            )

    async def close(self) -> None:
        """Wait for what is being sent."""
        await asyncio.gather(*self._tasks)
        await self._redis.aclose()


@asynccontextmanager
async def nudging(url: SecretStr) -> AsyncIterator[Nudger]:
    """A nudger on a connection pool of its own."""
    nudger = Nudger(open_redis(url))
    try:
        yield nudger
    finally:
        await nudger.close()
