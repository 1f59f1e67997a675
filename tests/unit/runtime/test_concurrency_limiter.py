"""A user's parallel mutations wait their turn."""

import asyncio

import pytest

from runtime.concurrency_limiter import ConcurrencyLimiter, LimitTimeout


async def test_holders_per_key_are_limited_and_others_wait_in_order() -> None:
    limiter, order, release = ConcurrencyLimiter(2, 60), [], asyncio.Event()

    async def hold(name: str, key: str) -> None:
        async with limiter.hold(key):
            order.append(name)
            await release.wait()

    tasks = [asyncio.create_task(hold(name, "a")) for name in ("first", "second", "third", "fourth")]
    tasks.append(asyncio.create_task(hold("other", "b")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == ["first", "second", "other"]
    release.set()
    await asyncio.gather(*tasks)
    assert order == ["first", "second", "other", "third", "fourth"]
    assert len(limiter._semaphores) == 0  # no state is kept for a key without a holder


async def test_a_wait_ends_in_an_error_and_leaves_no_trace() -> None:
    limiter = ConcurrencyLimiter(1, 0.01)
    async with limiter.hold("a"):
        with pytest.raises(LimitTimeout):
            async with limiter.hold("a"):
                pass
        cancelled = asyncio.create_task(limiter.hold("a").__aenter__())
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])
    with pytest.raises(ZeroDivisionError):
        async with limiter.hold("a"):
            raise ZeroDivisionError
    async with limiter.hold("a"):
        assert len(limiter._semaphores) == 1
