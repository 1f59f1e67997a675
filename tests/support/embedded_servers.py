"""The embedded PostgreSQL and Valkey, started by this process or by another one."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from redis import Redis

from sandbox.processes import processes_in
from tests.support.waiting import HANG_SECONDS

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, signal, sys
from pathlib import Path
from sandbox.postgres import start_postgres
from sandbox.valkey import start_valkey

postgres = start_postgres(Path(sys.argv[1]), durable=False)
valkey = start_valkey(Path(sys.argv[1]))
sockets = [str(server.socket_folder) for server in (postgres, valkey)]
print(json.dumps({"postgres": postgres.url, "valkey": valkey.url, "sockets": sockets}), flush=True)
signal.pause()
"""


@dataclass
class ServersProcess:
    """Another process, which started both servers; their URLs and socket folders."""

    process: subprocess.Popen[bytes]
    postgres: str
    valkey: str
    sockets: list[str]


@contextmanager
def servers_process(data: Path) -> Iterator[ServersProcess]:
    """Start both servers in another process, which is killed at the end of the block."""
    argv = [sys.executable, "-c", PROGRAM, str(data)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield ServersProcess(process, **json.loads(process.stdout.readline()))
        finally:
            process.kill()


def server_pids(data: Path) -> list[int]:
    """The process ids of all servers of that data folder, and of their children."""
    return processes_in(data / "postgres", "postgres") + processes_in(data / "valkey", "valkey-server")


def query_value(url: str, *statements: str) -> Any:
    """Execute the statements; the single value that the last one returns."""

    async def run() -> Any:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(run())


def ping(url: str) -> bool:
    with Redis.from_url(url, socket_timeout=HANG_SECONDS) as redis:
        return bool(redis.ping())
