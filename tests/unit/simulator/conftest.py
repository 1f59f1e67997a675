"""The fixture of the simulator's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.support.simulator_client import Client, simulated


@pytest.fixture
async def api() -> AsyncIterator[Client]:
    """A client of a new simulator."""
    async with simulated() as client:
        yield client
