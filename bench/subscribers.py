"""`python -m bench.subscribers [CLONE]`: many WebSockets of one account, and one event to all of them.

CLONE: also measures the API of another clone, in the same run. The client only looks for the event's text in what it
receives, so that the API is what is measured.
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import asyncpg
import psutil
import uvloop
from websockets.frames import Frame, Opcode

from bench.system import TOKEN_PREFIX, System, accounts, listening_pid, percentile, system
from bench.tables import report, row, table
from schema.ids import encode_event_cursor

COUNTS = (1000, 5000)
EVENTS = 10
PING = 0x80 | Opcode.PING
AT_ONCE = 50
"""Sockets that are opened at the same time."""
QUERY = "subscription ($after: String!) { accountEvents(after: $after) { cursor storeId type status message at } }"
EVENT = "INSERT INTO events (account_id, store_id, type, status, message) VALUES ($1, $2, 'NOTICE', 'READY', $3)"
STORE = """
INSERT INTO stores (id, account_id, name, slug, engine, release, plan, admin_email, country, currency, cluster)
SELECT gen_random_uuid(), id, 'x', 'bench', 'woocommerce', '2026.11', 'small', 'a@x.example', 'US', 'USD', 'elsewhere'
FROM accounts WHERE name = '0' RETURNING account_id, id
"""
HEAD = (
    "GET /graphql HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c3RvcmVmbGVldC1iZW5jaA==\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n"
    "Authorization: Bearer {token}\r\n\r\n"
)


@dataclass
class Awaited:
    """The event that all sockets wait for, and when each of them got it."""

    text: bytes
    times: list[float]
    missing: asyncio.Event


class Subscriber(asyncio.Protocol):
    """One WebSocket, subscribed to the account's events."""

    awaited: Awaited

    def __init__(self, host: str, after: str, expected: int) -> None:
        self._host, self._after, self._expected = host, after, expected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(HEAD.format(host=self._host, token=f"{TOKEN_PREFIX}0").encode())

    def data_received(self, data: bytes) -> None:
        """An event and a ping are short: they come in one piece."""
        if data.startswith(b"HTTP/1.1 101"):
            payload = {"query": QUERY, "variables": {"after": self._after}}
            for message in ({"type": "connection_init"}, {"id": "1", "type": "subscribe", "payload": payload}):
                self.transport.write(Frame(Opcode.TEXT, json.dumps(message).encode()).serialize(mask=True))
        if data[0] == PING:
            self.transport.write(Frame(Opcode.PONG, data[2 : 2 + data[1]]).serialize(mask=True))
        if self.awaited.text in data:
            self.awaited.times.append(time.perf_counter())
            if len(self.awaited.times) == self._expected:
                self.awaited.missing.set()


async def _insert(connection: asyncpg.Connection, account: asyncpg.Record, message: str, count: int) -> Awaited:
    """Insert an event; the clock of the answer starts just before COMMIT."""
    Subscriber.awaited = awaited = Awaited(message.encode(), [], asyncio.Event())
    async with connection.transaction():
        await connection.execute(EVENT, account["account_id"], account["id"], message)
        await connection.execute("SELECT pg_notify('account_changed', $1)", str(account["account_id"]))
        started = time.perf_counter()
    if count:
        await awaited.missing.wait()
    awaited.times = [(moment - started) * 1000 for moment in awaited.times]
    return awaited


async def _measure(name: str, url: str, pid: int, database_url: str, account: asyncpg.Record, count: int) -> None:
    address, loop = urlsplit(url), asyncio.get_running_loop()
    connection = await asyncpg.connect(database_url)
    seq = await connection.fetchval("SELECT seq FROM account_streams WHERE account_id = $1", account["account_id"])
    after = encode_event_cursor(account["account_id"], seq)
    process = psutil.Process(pid)
    before = process.memory_full_info().uss
    subscribers = []
    await _insert(connection, account, f"first of {count} for {name}", 0)
    for start in range(0, count, AT_ONCE):
        opened = [
            loop.create_connection(lambda: Subscriber(address.netloc, after, count), "127.0.0.1", address.port or 80)
            for _ in range(min(AT_ONCE, count - start))
        ]
        subscribers += [transport for transport, _ in await asyncio.gather(*opened)]
        while len(Subscriber.awaited.times) < len(subscribers):  # noqa: ASYNC110  # of several sockets
            await asyncio.sleep(0.05)
    await asyncio.sleep(2)
    memory = (process.memory_full_info().uss - before) / count / 1024
    took, cpu = [], process.cpu_times()
    for number in range(EVENTS):
        took += (await _insert(connection, account, f"{number} of {count} for {name}", count)).times
        await asyncio.sleep(1)
    used = process.cpu_times()
    spent = (used.user + used.system - cpu.user - cpu.system) * 1e6 / EVENTS / count
    latency = f"{percentile(took, 0.5):.0f} / {percentile(took, 0.99):.0f} ms"
    row(f"{count:,} sockets, {name}", f"{memory:.0f} KiB", latency, f"{spent:.0f} µs")
    for transport in subscribers:
        transport.close()
    await connection.close()
    await asyncio.sleep(5)


async def _run(instance: System, clone: Path | None) -> None:
    await accounts(instance.database_url, 1)
    connection = await asyncpg.connect(instance.database_url)
    account = await connection.fetchrow(STORE)
    await connection.close()
    apis = [("now", instance.url, instance.api.pid)]
    if clone is not None:
        url = instance.another_api(clone)
        apis.insert(0, ("before", url, listening_pid(url)))
    table("one event to all", "memory of a socket", "commit → socket p50 / p99", "CPU of the API for a socket")
    for count in COUNTS:
        for name, url, pid in apis:
            report(f"{count} sockets, {name}")
            await _measure(name, url, pid, instance.database_url, account, count)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, 20_000))
    limits = {"STOREFLEET_MAX_WEBSOCKETS": "10000", "STOREFLEET_MAX_CONNECTIONS": "10000"}
    with system(workers=0, settings=limits) as instance:
        uvloop.run(_run(instance, Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None))


if __name__ == "__main__":
    main()
