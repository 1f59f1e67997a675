"""However the embedded servers ended, no process is left behind, and the next start works or says what to do."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from sandbox.data_folder import SandboxError
from sandbox.postgres import start_postgres
from sandbox.processes import processes_in
from sandbox.server import Server
from sandbox.valkey import start_valkey
from tests.support.embedded_servers import ROOT, ping, query_value, server_pids, servers_process
from tests.support.waiting import HANG_SECONDS, eventually


@pytest.fixture
def running() -> Iterator[list[Server]]:
    """The servers in this list are stopped after the test."""
    servers: list[Server] = []
    yield servers
    for server in servers:
        server.stop()


def test_a_killed_parent_takes_everybody_along_and_the_next_start_works(used_data: Path, running: list[Server]) -> None:
    with servers_process(used_data) as killed:
        assert (
            query_value(killed.postgres, "CREATE TABLE kept (answer int)", "INSERT INTO kept VALUES (42) RETURNING 1")
            == 1
        )
        assert ping(killed.valkey)
        assert len(server_pids(used_data)) > 4  # PostgreSQL's own children are among them

        async def kill_while_a_query_runs() -> None:
            connection = await asyncpg.connect(killed.postgres)
            query = asyncio.ensure_future(connection.fetchval("SELECT pg_sleep(60)"))
            await asyncio.wait({query}, timeout=0.1)
            killed.process.kill()
            with pytest.raises(asyncpg.PostgresConnectionError):
                await asyncio.wait_for(query, HANG_SECONDS)
            connection.terminate()

        asyncio.run(kill_while_a_query_runs())
        assert eventually(lambda: not server_pids(used_data)), server_pids(used_data)
    postgres, valkey = start_postgres(used_data, durable=False), start_valkey(used_data)
    running += [postgres, valkey]
    assert query_value(postgres.url, "SELECT answer FROM kept") == 42
    assert ping(valkey.url)
    assert not any(Path(folder).exists() for folder in killed.sockets)


def test_after_killing_everything_at_once_it_starts_again(used_data: Path, running: list[Server]) -> None:
    with servers_process(used_data) as killed:
        query_value(killed.postgres, "CREATE TABLE kept (answer int)", "INSERT INTO kept VALUES (42) RETURNING 1")
        killed.process.send_signal(signal.SIGSTOP)  # so that no process can shut down in order
        for pid in server_pids(used_data):
            os.kill(pid, signal.SIGKILL)
        killed.process.kill()
    # another process has the pid in the file now: PostgreSQL alone would take it for a running server
    stale = used_data / "postgres" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n" + stale.read_text().partition("\n")[2])
    postgres = start_postgres(used_data, durable=False)
    running.append(postgres)
    assert query_value(postgres.url, "SELECT answer FROM kept") == 42


def test_what_a_killed_parent_left_frozen_is_ended(
    used_data: Path, running: list[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.valkey.GRACE_SECONDS", 0.2)
    with servers_process(used_data) as killed:
        [frozen] = processes_in(used_data / "valkey", "valkey-server")
        os.kill(frozen, signal.SIGSTOP)
    assert processes_in(used_data / "valkey", "valkey-server") == [frozen]
    valkey = start_valkey(used_data)
    running.append(valkey)
    assert ping(valkey.url)
    assert processes_in(used_data / "valkey", "valkey-server") == [valkey.pid]
    assert eventually(lambda: not processes_in(used_data / "postgres", "postgres"))
    assert not Path(killed.sockets[1]).exists()


def test_a_second_start_on_the_same_data_is_refused_and_harmless(used_data: Path) -> None:
    with servers_process(used_data) as first:
        with pytest.raises(SandboxError) as refusal:
            start_postgres(used_data)
        assert str(refusal.value) == (
            f"another Storefleet (process {first.process.pid}) runs on {used_data}; stop it or use DATA=…"
        )
        with pytest.raises(SandboxError, match="another Storefleet"):
            start_valkey(used_data)
        assert query_value(first.postgres, "SELECT 1") == 1
        assert ping(first.valkey)
    assert eventually(lambda: not server_pids(used_data))


def test_a_killed_initdb_is_restarted(data: Path, running: list[Server]) -> None:
    code = f"from pathlib import Path; from sandbox.postgres import start_postgres; start_postgres(Path({str(data)!r}))"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as killed:
        assert eventually(lambda: (data / "postgres.new" / "PG_VERSION").exists())
        killed.kill()
    assert not (data / "postgres").exists()
    postgres = start_postgres(data, durable=False)
    running.append(postgres)
    assert query_value(postgres.url, "SELECT 1") == 1
    assert not (data / "postgres.new").exists()


def test_the_data_of_another_version_says_what_to_do(used_data: Path) -> None:
    (used_data / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(SandboxError) as failure:
        start_postgres(used_data)
    message = str(failure.value)
    assert "initialized by PostgreSQL version 9, which is not compatible" in message
    assert message.endswith("use DATA=… for a new data folder")
    assert "\n" not in message
    shutil.rmtree(used_data / "postgres")


def test_files_that_arent_a_database_are_left_alone(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "thesis.txt").write_text("years of work")
    with pytest.raises(SandboxError, match="has files but no PostgreSQL database; move it away or use DATA=…"):
        start_postgres(data)
    assert (data / "postgres" / "thesis.txt").exists()


def test_an_initdb_that_fails_says_why(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.postgres.USER", "pg_reserved")
    with pytest.raises(SandboxError) as failure:
        start_postgres(data, durable=False)
    message = str(failure.value)
    assert message.startswith(f"initdb can't make {data}/postgres: initdb: error: ")
    assert "pg_" in message
    assert message.endswith(f"(log: {data}/logs/initdb.log)")
    assert not (data / "postgres").exists()
    assert server_pids(data) == []
