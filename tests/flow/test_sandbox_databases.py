"""The embedded PostgreSQL and Valkey: start, stop, restart at the same address, kill, pause; nothing is left."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from redis import ConnectionError, Redis
from sqlalchemy import text

from runtime.database import create_engine
from sandbox import postgres as postgres_module
from sandbox.postgres import Postgres, start_postgres
from sandbox.server import Server
from sandbox.valkey import Valkey, start_valkey
from tests.support.embedded_servers import ping, query_value, server_pids
from tests.support.waiting import HANG_SECONDS


@pytest.fixture
def running() -> Iterator[list[Server]]:
    """The servers in this list are stopped after the test."""
    servers: list[Server] = []
    yield servers
    for server in servers:
        server.stop()


def test_a_cold_start_then_a_warm_one_keep_what_was_written(data: Path, running: list[Server]) -> None:
    first = start_postgres(data)
    running.append(first)
    initialized = (data / "postgres" / "PG_VERSION").stat().st_mtime_ns
    assert query_value(first.url, "CREATE TABLE kept AS SELECT 42 AS answer", "SHOW fsync") == "on"
    assert query_value(first.url, "SHOW listen_addresses") == ""
    assert query_value(first.url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True
    first.stop()
    first.stop()  # twice is no error
    assert not first.running
    assert not first.socket_folder.exists()
    assert not list(data.glob("*.socket"))
    assert server_pids(data) == []
    second = start_postgres(data)
    running.append(second)
    assert (data / "postgres" / "PG_VERSION").stat().st_mtime_ns == initialized  # no second initdb
    assert query_value(second.url, "SELECT answer FROM kept") == 42


def test_sqlalchemy_takes_the_url(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")

    async def run() -> str:
        engine = create_engine(SecretStr(postgres.url_of("template1")), 1)
        try:
            async with engine.connect() as connection:
                return str(await connection.scalar(text("SELECT current_database()")))
        finally:
            await engine.dispose()

    assert asyncio.run(run()) == "template1"


def test_a_long_strange_path_and_a_strange_environment_dont_matter(
    data: Path, running: list[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("SECRET", "hidden")
    long = data / ("a long, 'quoted' path with an é " * 6)
    assert len(str(long)) > 150
    started = (start_postgres(long, durable=False), start_valkey(long))
    running.extend(started)
    assert query_value(started[0].url, "SHOW fsync") == "off"
    assert ping(started[1].url)
    for server in started:
        assert b"hidden" not in Path(f"/proc/{server.pid}/environ").read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_where_root_is_refused_user_namespaces_postgres_runs_as_nobody(
    data: Path, running: list[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data folder is inside folders that only root may enter; the server gets access all the same."""
    with monkeypatch.context() as patch:
        patch.setattr(postgres_module, "unprivileged_identity", lambda: "nobody")
        server = start_postgres(data, durable=False)
        running.append(server)
        assert Path(f"/proc/{server.pid}").stat().st_uid == 65534
        query_value(server.url, "CREATE TABLE kept (answer int)", "INSERT INTO kept VALUES (42) RETURNING answer")
        server.restart()
        assert query_value(server.url, "SELECT answer FROM kept") == 42
        server.stop()
    server = start_postgres(data, durable=False)  # as root, on a folder that belongs to `nobody`
    running.append(server)
    assert query_value(server.url, "SELECT answer FROM kept") == 42


def test_postgres_comes_back_at_its_address_however_it_went(data: Path, running: list[Server]) -> None:
    server = start_postgres(data, durable=False)
    running.append(server)
    url, pids = server.url, {server.pid}
    query_value(url, "CREATE TABLE kept (answer int)", "INSERT INTO kept VALUES (42) RETURNING answer")

    server.kill()
    assert not server.running
    assert server_pids(data) == []
    with pytest.raises(ConnectionRefusedError):
        query_value(url, "SELECT 1")
    server.restart()
    pids.add(server.pid)

    server.restart()  # from running
    pids.add(server.pid)

    server.pause()
    server.restart()  # from frozen
    pids.add(server.pid)

    assert server.url == url
    assert len(pids) == 4
    assert query_value(url, "SELECT answer FROM kept") == 42


def test_valkey_comes_back_at_its_address_and_empty(data: Path, running: list[Server]) -> None:
    server = start_valkey(data)
    running.append(server)
    url = server.url
    with Redis.from_url(url) as redis:
        redis.set("key", "value")
        assert redis.get("key") == b"value"
    server.kill()
    with pytest.raises(ConnectionError, match="refused"):
        ping(url)
    server.restart()
    assert server.url == url
    with Redis.from_url(url) as redis:
        assert redis.dbsize() == 0
        assert redis.config_get("save")["save"] == ""
    server.stop()
    assert not server.socket_folder.exists()
    assert list((data / "valkey").iterdir()) == []


async def test_a_paused_postgres_keeps_its_connections_and_answers_later(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.url)
    try:
        postgres.pause()
        answer = asyncio.ensure_future(connection.fetchval("SELECT 42"))
        _, waiting = await asyncio.wait({answer}, timeout=0.2)
        assert waiting == {answer}
        postgres.resume()
        assert await asyncio.wait_for(answer, HANG_SECONDS) == 42
    finally:
        postgres.resume()
        await connection.close()


def test_a_paused_valkey_answers_later(valkey: Valkey) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(0.2)
        connection.connect(valkey.url.removeprefix("unix://"))
        valkey.pause()
        try:
            connection.sendall(b"PING\r\n")
            with pytest.raises(TimeoutError):
                connection.recv(16)
        finally:
            valkey.resume()
        connection.settimeout(HANG_SECONDS)
        assert connection.recv(16) == b"+PONG\r\n"
