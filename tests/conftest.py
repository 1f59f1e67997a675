"""Fixtures of all tests: one PostgreSQL and one Valkey for the session, an empty database for each test."""

import gc
import re
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from redis import Redis
from slipcover import Slipcover
from sqlalchemy import Connection, Engine, event

from sandbox.data_folder import SandboxError, remove_socket_folder
from sandbox.postgres import Postgres, start_postgres
from sandbox.valkey import Valkey, start_valkey
from tests.databases import Databases, copy_prepared_postgres

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

pytest.register_assert_rewrite("tests.support")
gc.set_threshold(25_000)  # collections are as rare as in an API process (api/serve.py), also during imports
PREPARED = pytest.StashKey[Path]()
"""A folder that all processes of the run share."""
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # no timed assertions
settings.load_profile("tests")
WRITES = re.compile(
    r"\b(INSERT INTO|DELETE FROM|UPDATE \w+ SET|FOR (NO KEY )?UPDATE|FOR (KEY )?SHARE|pg_notify)\b", re.I
)


def pytest_configure(config: pytest.Config) -> None:
    worker_input = getattr(config, "workerinput", None)
    if worker_input is None:  # not a process of pytest-xdist
        folder = TemporaryDirectory(prefix="storefleet-tests-")
        config.add_cleanup(folder.cleanup)
    config.stash[PREPARED] = Path(folder.name if worker_input is None else worker_input["prepared"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A process of pytest-xdist will be started."""
    node.workerinput["prepared"] = str(node.config.stash[PREPARED])


def pytest_collection_finish() -> None:
    """Garbage collections need not look at the imported modules and collected tests again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_public_authorities() -> Iterator[None]:
    """No test trusts a public server, and each TLS context takes 30 ms of CPU to load the system's authorities."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _lasting_probes() -> Iterator[None]:
    """SlipCover's probes stay: each costs 15 ns. To remove those that were hit, it looks through all modules again and
    again, which took 10 % of the CPU of the flow tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Slipcover, "deinstrument_seen", lambda _: None, raising=False)  # from Python 3.12 on it has none
        yield


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """The path of a new data folder for embedded servers; it doesn't exist yet."""
    folder = tmp_path / "data"
    yield folder
    for link in folder.glob("*.socket"):
        remove_socket_folder(link)  # of servers that the test killed
    shutil.rmtree(folder)  # 40 MB, which pytest would keep


@pytest.fixture
def used_data(data: Path, pytestconfig: pytest.Config) -> Path:
    """The path of a data folder whose PostgreSQL has stopped: initdb takes a second of CPU."""
    data.mkdir(mode=0o711)
    copy_prepared_postgres(pytestconfig.stash[PREPARED], data)
    return data


@pytest.fixture(scope="session")
def servers_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("servers")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres(servers_folder: Path, pytestconfig: pytest.Config) -> Iterator[Postgres]:
    """Without fsync, which tests don't need."""
    try:
        copy_prepared_postgres(pytestconfig.stash[PREPARED], servers_folder)
        server = start_postgres(servers_folder, durable=False)
    except SandboxError as error:
        pytest.exit(f"the tests need PostgreSQL: {error}", returncode=3)  # instead of an error for each test
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
def databases(postgres: Postgres) -> Databases:
    return Databases(postgres)


@pytest.fixture
def database_url(postgres: Postgres, databases: Databases) -> Iterator[str]:
    """A migrated database without rows."""
    name = databases.take()
    yield postgres.url_of(name)
    databases.give_back(name)


@pytest.fixture(scope="session")
def _redis(valkey: Valkey) -> Iterator[Redis]:
    with Redis.from_url(valkey.url) as redis:
        yield redis


@pytest.fixture
def redis_url(valkey: Valkey, _redis: Redis) -> str:
    """Empty."""
    _redis.flushall()
    return valkey.url


@event.listens_for(Engine, "before_cursor_execute")
def _only_reads(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
    """What a session for reading writes would be committed at once, and what it locks unlocked again."""
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        assert WRITES.search(statement) is None, f"`sessions()` is for reading: {statement}"
