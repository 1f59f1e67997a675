"""The queue's connections survive a Redis that doesn't answer, and one that became a replica."""

from functools import partial

import pytest
from pydantic import SecretStr
from redis.exceptions import ReadOnlyError, RedisError

from runtime.queue import RECONCILE_JOB, open_redis
from sandbox.valkey import Valkey
from tests.support.waiting import hang_limit


async def test_a_pipeline_without_an_answer_gives_its_connection_back(valkey: Valkey, redis_url: str) -> None:
    """The pool has one connection: if that were lost, the next job would fail."""
    redis = open_redis(SecretStr(f"{redis_url}?socket_timeout=0.5"), connections=1)
    pipe = redis.pipeline()
    try:
        await pipe.watch("key")
        valkey.pause()
        with pytest.raises(RedisError):
            await pipe.reset()  # type: ignore[no-untyped-call]  # redis-py 5 has no types there
        valkey.resume()
        async with hang_limit():
            await redis.enqueue_job(RECONCILE_JOB, "a store")
    finally:
        valkey.resume()
        await redis.aclose()


async def test_connections_to_a_server_that_became_a_replica_are_replaced(valkey: Valkey, redis_url: str) -> None:
    """As in a failover: the address leads to another server then, but this one keeps its connections open."""
    redis, other = open_redis(SecretStr(redis_url), connections=1), open_redis(SecretStr(redis_url), connections=1)
    try:
        await other.execute_command("REPLICAOF", "127.0.0.1", "1")  # type: ignore[no-untyped-call]  # no types there
        for write in (partial(redis.enqueue_job, RECONCILE_JOB, "a store"), partial(redis.set, "key", "value")):
            connection = await redis.client_id()
            with pytest.raises(ReadOnlyError):
                await write()
            assert await redis.client_id() != connection
    finally:
        await other.execute_command("REPLICAOF", "NO", "ONE")  # type: ignore[no-untyped-call]  # no types there
        await redis.aclose()
        await other.aclose()
