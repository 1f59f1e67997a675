"""What the tests of the embedded servers share."""

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

from sandbox.processes import residents

ROOT = Path(__file__).parents[2]
PARENT = """
import json, signal, sys
from pathlib import Path
from sandbox.postgres import start_postgres
from sandbox.valkey import start_valkey

postgres = start_postgres(Path(sys.argv[1]), durable=False)
valkey = start_valkey(Path(sys.argv[1]))
sockets = [str(server.sockets) for server in (postgres, valkey)]
print(json.dumps({"postgres": postgres.url, "valkey": valkey.url, "sockets": sockets}), flush=True)
signal.pause()
"""


@dataclass
class Parent:
    """Another process that started both servers."""

    process: subprocess.Popen[bytes]
    postgres: str
    valkey: str
    sockets: list[str]


@contextmanager
def parent(data: Path) -> Iterator[Parent]:
    """Killed at the end, if not before."""
    argv = [sys.executable, "-c", PARENT, str(data)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield Parent(process, **json.loads(process.stdout.readline()))
        finally:
            process.kill()


def everybody(data: Path) -> list[int]:
    """The processes of the servers of that data folder, whoever started them."""
    return residents(data / "postgres", "postgres") + residents(data / "valkey", "valkey-server")


def ask(url: str, *statements: str) -> Any:
    """The single value that the last statement returns."""

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
    with Redis.from_url(url, socket_timeout=2) as redis:
        return bool(redis.ping())
