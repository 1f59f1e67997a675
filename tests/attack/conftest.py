"""An API process under a memory cap, which the tests attack from other processes and threads."""

import asyncio
import itertools
import resource
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest

from sandbox.ports import free_port
from sandbox.postgres import Postgres
from sandbox.valkey import Valkey
from tests.databases import TEMPLATE
from tests.support.harness import JSON, ROOT, Harness, process_environment, run_harness
from tests.support.stores import create_ready_store
from tests.support.waiting import wait_until

MEMORY = 512 * 2**20
"""Bytes of data of the API process: as much as the chart's limit of its container."""
WITHOUT_THROTTLE = "UPDATE sign_in_throttle SET tries = 0"
Value = TypeVar("Value")
_numbers = itertools.count(1)


@dataclass
class Target:
    """The API process and its harness, whose event loop runs in a thread of its own."""

    harness: Harness
    loop: asyncio.AbstractEventLoop
    url: str
    process: asyncio.subprocess.Process
    log: Path
    ids: list[str] = field(default_factory=list)
    """Of one object of each kind, so that an attack gets beyond "not found"."""

    def run(self, coroutine: Coroutine[Any, Any, Value]) -> Value:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    async def post(self, path: str, body: JSON, headers: JSON) -> tuple[int, JSON]:
        """The status and the answer, which is always JSON."""
        async with self.harness.http.post(f"{self.url}{path}", json=body, headers=headers) as response:
            answer: JSON = await response.json()
            return response.status, answer

    def assert_alive(self) -> None:
        assert self.process.returncode is None, self.log.read_text()[-3000:]


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


@asynccontextmanager
async def _attacked(database_url: str, redis_url: str, folder: Path) -> AsyncIterator[Target]:
    async with run_harness(database_url, redis_url, folder) as harness:
        store, _ = await create_ready_store(harness)
        port, log = free_port(), folder / "api.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cli", "api"),
                cwd=ROOT,
                env=process_environment(harness.api_settings, STOREFLEET_PORT=str(port)),
                stdout=output,
                stderr=output,
                preexec_fn=_limit_memory,
            )
        harness.processes.append(process)
        loop = asyncio.get_running_loop()
        target = Target(harness, loop, f"http://127.0.0.1:{port}", process, log, [store["id"], harness.account])

        async def is_ready() -> bool:
            target.assert_alive()
            try:
                async with harness.http.get(f"{target.url}/readyz") as response:
                    return response.status == 200
            except OSError:
                return False

        await wait_until(is_ready)
        yield target


@pytest.fixture(scope="module")
def target(postgres: Postgres, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    name = f"attack_{next(_numbers)}"
    asyncio.run(_execute(postgres.url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: Coroutine[Any, Any, Value]) -> Value:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    try:
        attacked = _attacked(postgres.url_of(name), valkey.url, tmp_path_factory.mktemp("attack"))
        yield run(stack.enter_async_context(attacked))
        run(stack.aclose())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    asyncio.run(_execute(postgres.url, f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
