"""Fixtures of the flow tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from argon2 import PasswordHasher

from accounts import passwords
from tests.flow.fleet import Fleet, fleet


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Nearly every test signs somebody up, and a hash takes 64 MiB on purpose; other processes do that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What `@pytest.mark.parametrize("settings", [{…}], indirect=True)` gives: settings other than the fleet's own."""
    given: dict[str, Any] = getattr(request, "param", {})
    return given


@pytest_asyncio.fixture(name="fleet")
async def a_fleet(database_url: str, redis_url: str, tmp_path: Path, settings: dict[str, Any]) -> AsyncIterator[Fleet]:
    """API and worker at work."""
    async with fleet(database_url, redis_url, tmp_path, **settings) as made:
        yield made


@pytest_asyncio.fixture(name="api")
async def api_alone(
    database_url: str, redis_url: str, tmp_path: Path, settings: dict[str, Any]
) -> AsyncIterator[Fleet]:
    """The API without a worker: stores stay REQUESTED."""
    async with fleet(database_url, redis_url, tmp_path, worker=False, **settings) as made:
        yield made
