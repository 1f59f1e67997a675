"""Fixtures of the flow tests."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.asyncio import create_async_engine

from accounts import passwords
from api import app, store_status_page
from api.dashboard import Dashboard
from runtime import database
from stores.event_stream import EventStream
from tests.support.harness import Harness, run_harness
from tests.support.waiting import HANG_SECONDS


@pytest.fixture(scope="module", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Nearly every test signs up a user, and a hash costs 64 MiB on purpose. Separate processes hash at full cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        patch.setattr(passwords, "DUMMY_HASH", re.sub(r"m=\d+,t=\d+,p=\d+", "m=64,t=1,p=1", passwords.DUMMY_HASH))
        yield


@pytest.fixture(scope="session", autouse=True)
def _shared_compiled_cache() -> Iterator[None]:
    """Statements are compiled once for all engines. By default each engine of each test compiles all of them again."""
    cache: dict[Any, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PGDialect_asyncpg, "__eq__", lambda self, other: type(self) is type(other))  # a part of the keys
        patch.setattr(PGDialect_asyncpg, "__hash__", lambda self: hash(type(self)))
        options = {"compiled_cache": cache}
        patch.setattr(database, "create_async_engine", partial(create_async_engine, execution_options=options))
        yield


@pytest.fixture(autouse=True)
def _without_a_dashboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether this checkout has a built dashboard makes no difference. To parse its documents takes 25 ms."""
    monkeypatch.setattr(app, "Dashboard", lambda: Dashboard(tmp_path / "frontend"))
    monkeypatch.setattr(app, "FRONTEND", tmp_path / "frontend")


@pytest.fixture(autouse=True)
def _patient_status_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor isn't kept waiting; a test on a busy machine waits."""
    monkeypatch.setattr(store_status_page, "LOOKUP_TIMEOUT_SECONDS", HANG_SECONDS)


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings other than the harness's own: `@pytest.mark.parametrize("settings", [{…}], indirect=True)`."""
    overrides: dict[str, Any] = getattr(request, "param", {})
    return overrides


@pytest_asyncio.fixture(name="harness")
async def _harness(
    database_url: str, redis_url: str, tmp_path: Path, settings: dict[str, Any]
) -> AsyncIterator[Harness]:
    """API and worker."""
    async with run_harness(database_url, redis_url, tmp_path, **settings) as harness:
        yield harness


@pytest_asyncio.fixture(name="api")
async def _api(database_url: str, redis_url: str, tmp_path: Path, settings: dict[str, Any]) -> AsyncIterator[Harness]:
    """The API without a worker: stores stay REQUESTED."""
    async with run_harness(database_url, redis_url, tmp_path, worker=False, **settings) as harness:
        yield harness


@pytest.fixture
def stream_started(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set as soon as an event stream of this process listens for new events."""
    started = asyncio.Event()
    read = EventStream._read

    async def read_and_tell(*args: Any) -> Any:
        started.set()
        return await read(*args)

    monkeypatch.setattr(EventStream, "_read", read_and_tell)
    return started
