"""Enqueues due stores for the workers, as arq jobs in Redis. A lost job costs seconds: workers also poll Postgres."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import structlog
from arq.connections import ArqRedis
from pydantic import SecretStr
from redis.asyncio import BlockingConnectionPool, ConnectionPool
from redis.asyncio.client import Pipeline
from redis.exceptions import ReadOnlyError, RedisError

RECONCILE_JOB = "reconcile_store"
QUEUE = "storefleet:reconcile"
ENQUEUE_TIMEOUT_SECONDS = 2.0

log = structlog.get_logger()


def serialize(job: dict[str, Any]) -> bytes:
    """JSON, because arq's default (pickle) would run code that anyone with access to Redis can write."""
    return json.dumps(job).encode()


def deserialize(job: bytes) -> dict[str, Any]:
    """The reverse of `serialize`. Raises ValueError."""
    value: dict[str, Any] = json.loads(job)
    return value


@asynccontextmanager
async def replace_connections_to_replica(pool: ConnectionPool) -> AsyncIterator[None]:
    """A server that became a replica, as in a failover, keeps its connections open: the next command makes new ones."""
    try:
        yield
    except ReadOnlyError:
        await pool.disconnect(inuse_connections=False)
        raise


class ReleasingPipeline(Pipeline):
    """Gives its connection back to the pool in any case. redis-py 5 keeps it if Redis doesn't answer UNWATCH."""

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        async with replace_connections_to_replica(self.connection_pool):
            return await super().execute(raise_on_error)

    async def reset(self) -> None:
        try:
            await super().reset()  # type: ignore[no-untyped-call]  # redis-py 5 has no types there
        finally:
            if (connection := self.connection) is not None:
                self.connection = None
                await connection.disconnect(nowait=True)
                await self.connection_pool.release(connection)


class PooledRedis(ArqRedis):
    """arq's client, which uses a pipeline to enqueue and to start each job."""

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        async with replace_connections_to_replica(self.connection_pool):
            return await super().execute_command(  # type: ignore[no-untyped-call]  # redis-py 5 has no types there
                *arguments, **options
            )

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return ReleasingPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


def open_redis(url: SecretStr, connections: int = 20) -> ArqRedis:
    """Connects at the first command. Every command has a timeout."""
    pool = BlockingConnectionPool.from_url(
        url.get_secret_value(), max_connections=connections, timeout=2, socket_timeout=5, socket_connect_timeout=2
    )
    redis = PooledRedis(pool, job_serializer=serialize, job_deserializer=deserialize, default_queue_name=QUEUE)
    redis.auto_close_connection_pool = True  # `aclose` closes the pool, too: nothing else uses it
    return redis


class Enqueuer:
    """Enqueues stores in background tasks, so that the caller never waits for Redis."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._tasks: set[asyncio.Task[None]] = set()

    def enqueue(self, store_ids: Iterable[UUID]) -> None:
        """Call it after the commit. Returns at once. Without Redis, the workers find the stores in Postgres."""
        task = asyncio.create_task(self._send([str(store_id) for store_id in store_ids]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, store_ids: list[str]) -> None:
        try:
            async with asyncio.timeout(ENQUEUE_TIMEOUT_SECONDS):
                for store_id in store_ids:
                    # without a job id: arq drops a job whose id is queued or running
                    await self._redis.enqueue_job(RECONCILE_JOB, store_id)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning(
                "queue.enqueue_failed",
                stores=len(store_ids),
                error=type(error).__name__,
                hint="the workers find the stores in Postgres",
            )

    async def close(self) -> None:
        """Wait for jobs that are being sent, then close the connections."""
        await asyncio.gather(*self._tasks)
        await self._redis.aclose()


@asynccontextmanager
async def open_enqueuer(url: SecretStr) -> AsyncIterator[Enqueuer]:
    """An Enqueuer with its own connection pool, closed at the end of the block."""
    enqueuer = Enqueuer(open_redis(url))
    try:
        yield enqueuer
    finally:
        await enqueuer.close()
