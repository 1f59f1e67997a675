"""The dataloader of resolvers."""

import asyncio

import pytest

from schema.dataloader import Loader
from tests.support.waiting import hang_limit


@pytest.mark.parametrize("turns", range(5))
async def test_a_load_after_cancelled_ones_is_answered(turns: int) -> None:
    batches: list[list[int]] = []

    async def double(keys: list[int]) -> list[int]:
        batches.append(keys)
        return [2 * key for key in keys]

    loader = Loader(double)
    for future in (loader.load(1), loader.load(2)):
        assert isinstance(future, asyncio.Future)
        future.cancel()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with hang_limit():
        assert list(await asyncio.gather(loader.load(3), loader.load(4))) == [6, 8]
    assert batches == [[3, 4]]
