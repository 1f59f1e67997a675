"""Dataloaders when nobody waits for some of the loads any more."""

import asyncio

import pytest

from schema.dataloader import ShieldedDataLoader
from tests.support.waiting import HANG_SECONDS


async def squares(keys: list[int]) -> list[int]:
    return [key * key for key in keys]


@pytest.mark.parametrize("turns", range(4))
async def test_a_load_after_a_cancelled_batch_is_answered(turns: int) -> None:
    loader = ShieldedDataLoader[int, int](squares, cache=False)
    cancelled = loader.load(2)
    cancelled.cancel()
    for _ in range(turns):
        await asyncio.sleep(0)
    assert await asyncio.wait_for(loader.load(3), HANG_SECONDS) == 9
    assert cancelled.cancelled()
