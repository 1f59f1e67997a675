"""The queue's connections survive a Redis that doesn't answer."""

import pytest
from pydantic import SecretStr
from redis.exceptions import RedisError

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
