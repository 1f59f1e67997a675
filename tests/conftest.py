"""What tests share: one PostgreSQL and one Valkey a session, and a fresh database for each test that asks for one."""

import asyncio
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import structlog
from redis import Redis

from cli.migrate import upgrade
from sandbox.folder import SandboxError, remove_socket_folder
from sandbox.postgres import Postgres, start_postgres
from sandbox.valkey import Valkey, start_valkey

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

_numbers = itertools.count(1)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder of the test's own for embedded servers; it isn't there yet."""
    folder = tmp_path / "data"
    yield folder
    for link in folder.glob("*.socket"):
        remove_socket_folder(link)  # of what the test killed
    shutil.rmtree(folder)  # 40 MB, which pytest would keep


@pytest.fixture(scope="session")
def servers_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("servers")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres(servers_folder: Path) -> Iterator[Postgres]:
    """Without fsync: tests lose nothing by it but time."""
    try:
        server = start_postgres(servers_folder, durable=False)
    except SandboxError as error:
        pytest.exit(f"the tests need PostgreSQL: {error}", returncode=3)  # not once for each test
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey(servers_folder: Path) -> Iterator[Valkey]:
    try:
        server = start_valkey(servers_folder)
    except SandboxError as error:
        pytest.exit(f"the tests need Valkey: {error}", returncode=3)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """The name of a database that the migrations built, to be copied."""
    asyncio.run(_execute(postgres.url, "CREATE DATABASE migrated"))
    upgrade(postgres.url_of("migrated"))
    return "migrated"


@pytest.fixture
def database_url(postgres: Postgres, migrated: str) -> Iterator[str]:
    """A database of the test's own, as the migrations leave it."""
    name = f"test_{next(_numbers)}"
    asyncio.run(_execute(postgres.url, f"CREATE DATABASE {name} TEMPLATE {migrated}"))
    yield postgres.url_of(name)
    asyncio.run(_execute(postgres.url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def redis_url(valkey: Valkey) -> str:
    """Empty."""
    with Redis.from_url(valkey.url) as redis:
        redis.flushall()
    return valkey.url


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
