"""`make bench`: every measurement, a line each, in Markdown."""

import asyncio
import itertools
import platform
import subprocess
import sys
import tempfile
import time

import aiohttp
import asyncpg
import uvloop

from bench.system import ROOT, TOKEN, System, accounts, memory, percentile, system
from cli.client import Access, Client
from schema.ids import event_cursor

CREATE = """
mutation ($name: String!) { createStore(input: {name: $name, engine: WOOCOMMERCE}) {
  store { id } userErrors { message }
} }
"""
EVENTS = "subscription ($after: String!) { accountEvents(after: $after) { message } }"
EVENT = "INSERT INTO events (account_id, store_id, type, status, message) VALUES ($1, $2, 'NOTICE', 'READY', $3)"
FOREIGN_STORES = """
INSERT INTO stores (id, account_id, name, slug, engine, release, plan, admin_email, country, currency, cluster)
SELECT gen_random_uuid(), id, 'x', 'bench-' || row_number() OVER (), 'woocommerce', '2026.11', 'small', 'a@x.example',
       'US', 'USD', 'elsewhere' FROM accounts
"""
"""Of a cluster that no worker has: they stay as they are."""
ACCOUNTS = """
SELECT stores.account_id, min(stores.id::text)::uuid AS store_id FROM stores
JOIN memberships ON memberships.account_id = stores.account_id JOIN users ON users.id = user_id
WHERE stores.cluster = 'elsewhere' GROUP BY stores.account_id, email ORDER BY split_part(email, '@', 1)::int
"""
SOCKETS = 1000
STORES = 100


def row(what: str, figure: str) -> None:
    print(f"| {what} | {figure} |", flush=True)


def second_demo() -> None:
    """From the command to READY, with warm data."""
    with tempfile.TemporaryDirectory(prefix="storefleet-bench-") as data:
        words = [sys.executable, "-m", "cli", "demo", "--once", "--speed", "inf", "--port", "18765", "--data", data]
        seconds = []
        for _ in range(4):
            began = time.perf_counter()
            done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
            told = next(line for line in done.stdout.splitlines() if line.startswith("From nothing"))
            seconds.append(float(told.split()[-2]))
            total = time.perf_counter() - began
        row("first demo to READY", f"{seconds[0]:.1f} s")
        row("second demo to READY (median of 3)", f"{percentile(seconds[1:], 0.5):.1f} s, {total:.1f} s with the end")


async def create_store(up: System) -> None:
    """One client, one after the other."""
    async with aiohttp.ClientSession() as session:
        client = Client(session, Access(up.url, f"{TOKEN}0"))
        took = []
        for number in range(300):
            began = time.perf_counter()
            answer = await client.execute(CREATE, {"name": f"Latency {number}"})
            took.append((time.perf_counter() - began) * 1000)
            assert not answer["createStore"]["userErrors"]
    row(
        "createStore p50 / p99 (300, one after the other)",
        f"{percentile(took, 0.5):.1f} / {percentile(took, 0.99):.1f} ms",
    )


class Sockets:
    """Sockets that follow accounts, and how long each event took to them."""

    def __init__(self, up: System, accounts: list[asyncpg.Record]) -> None:
        self.up = up
        self.accounts = accounts
        self.latencies: list[float] = []
        self.began: dict[str, float] = {}
        self.greeted = asyncio.Semaphore(0)

    async def follow(self, session: aiohttp.ClientSession, index: int) -> None:
        """From the account's beginning, where a greeting is: whoever got it misses nothing after it."""
        headers = {"Authorization": f"Bearer {TOKEN}{index}"}
        variables = {"after": event_cursor(self.accounts[index]["account_id"], 0)}
        url = self.up.url.replace("http", "ws", 1) + "/graphql"
        async with session.ws_connect(url, protocols=("graphql-transport-ws",), headers=headers) as socket:
            await socket.send_json({"type": "connection_init"})
            await socket.receive_json()
            payload = {"query": EVENTS, "variables": variables}
            await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
            async for frame in socket:
                now = time.perf_counter()
                message = frame.json()["payload"]["data"]["accountEvents"]["message"]
                if message == "greeting":
                    self.greeted.release()
                elif message in self.began:
                    self.latencies.append((now - self.began[message]) * 1000)

    async def tell(self, connection: asyncpg.Connection, message: str, index: int) -> None:
        """An event, with the ring; the clock starts just before COMMIT."""
        account = self.accounts[index]
        async with connection.transaction():
            await connection.execute(EVENT, account["account_id"], account["store_id"], message)
            await connection.execute("SELECT pg_notify('account_changed', $1)", str(account["account_id"]))
            self.began[message] = time.perf_counter()

    async def opened(self, session: aiohttp.ClientSession, indexes: list[int]) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.follow(session, index)) for index in indexes]
        for _ in tasks:
            await self.greeted.acquire()
        await asyncio.sleep(1)
        return tasks


async def sockets(up: System) -> None:
    """From just before COMMIT to the frame in the client; the client's own work is in it."""
    connection = await asyncpg.connect(up.database_url)
    await connection.execute(FOREIGN_STORES)
    found = await connection.fetch(ACCOUNTS)
    for account in found:
        await connection.execute(EVENT, account["account_id"], account["store_id"], "greeting")
    all_of = Sockets(up, found)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        tasks = await all_of.opened(session, list(range(SOCKETS)))
        for number in range(500):
            await all_of.tell(connection, f"one {number}", number * 7 % SOCKETS)
            await asyncio.sleep(0.02)
        await asyncio.sleep(1)
        took = all_of.latencies
        assert len(took) == 500, len(took)
        each = f"{percentile(took, 0.5):.1f} / {percentile(took, 0.99):.1f} ms"
        row(f"commit → socket p50 / p99, {SOCKETS} sockets of as many accounts, 50 events/s", each)
        row("memory of the API with them (USS)", f"{memory(up.api):.0f} MiB")
        await _cancel(tasks)
    one = Sockets(up, found)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        tasks = await one.opened(session, [1] * SOCKETS)
        for number in range(5):
            await one.tell(connection, f"all {number}", 1)
            await asyncio.sleep(2)
        assert len(one.latencies) == 5 * SOCKETS, len(one.latencies)
        fan = f"{percentile(one.latencies, 0.5):.0f} / {percentile(one.latencies, 0.99):.0f} ms"
        row(f"one event to all {SOCKETS} sockets of one account p50 / p99", fan)
        await _cancel(tasks)
    await connection.close()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def to_ready(up: System, workers: int) -> None:
    """All at once, until the last is READY."""
    connection = await asyncpg.connect(up.database_url)
    async with aiohttp.ClientSession() as session:
        client = Client(session, Access(up.url, f"{TOKEN}1"))
        began = time.perf_counter()
        await asyncio.gather(*(client.execute(CREATE, {"name": f"Many {number}"}) for number in range(STORES)))
        for pause in itertools.repeat(0.05):
            if not await connection.fetchval("SELECT 1 FROM stores WHERE status <> 'READY' LIMIT 1"):
                break
            await asyncio.sleep(pause)
        seconds = time.perf_counter() - began
    await connection.close()
    row(
        f"REQUESTED → READY, {STORES} at once, {workers} worker{'s' * (workers > 1)}",
        f"{STORES / seconds:.1f} stores/s",
    )


def main() -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(f"{platform.machine()}, Python {platform.python_version()}, commit {commit.stdout.strip()}\n")
    print("| what | figure |\n| --- | --- |", flush=True)
    second_demo()
    with system(workers=1) as up:
        time.sleep(3)
        row("idle memory of the API (USS)", f"{memory(up.api):.0f} MiB")
        row("idle memory of a worker (USS)", f"{memory(up.workers[0]):.0f} MiB")
        uvloop.run(accounts(up.database_url, 2))
        uvloop.run(to_ready(up, 1))
    with system(workers=2) as up:
        uvloop.run(accounts(up.database_url, 2))
        uvloop.run(to_ready(up, 2))
    with system(workers=0) as up:
        uvloop.run(accounts(up.database_url, SOCKETS))
        uvloop.run(create_store(up))
        uvloop.run(sockets(up))


if __name__ == "__main__":
    main()
