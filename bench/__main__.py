"""`make bench`: measures one machine with a simulated cluster, and prints a Markdown table."""

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

from bench import attacks
from bench.system import ROOT, TOKEN_PREFIX, System, accounts, memory_mib, percentile, system
from cli.client import Access, Client
from schema.ids import encode_event_cursor

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
"""Stores of a cluster without workers: their status doesn't change."""
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
    """Measure from the command to READY: the first demo in a data folder, and the next ones."""
    with tempfile.TemporaryDirectory(prefix="storefleet-bench-") as data:
        command = [sys.executable, "-m", "cli", "demo", "--once", "--speed", "inf", "--port", "18765", "--data", data]
        seconds = []
        for _ in range(4):
            started = time.perf_counter()
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            line = next(line for line in done.stdout.splitlines() if line.startswith("From nothing"))
            seconds.append(float(line.split()[-2]))
            total = time.perf_counter() - started
        row("first demo to READY", f"{seconds[0]:.1f} s")
        row("second demo to READY (median of 3)", f"{percentile(seconds[1:], 0.5):.1f} s, {total:.1f} s with the end")


async def create_store(instance: System) -> None:
    """Measure createStore: one client, one call after the other."""
    async with aiohttp.ClientSession() as session:
        client = Client(session, Access(instance.url, f"{TOKEN_PREFIX}0"))
        took = []
        for number in range(300):
            started = time.perf_counter()
            answer = await client.execute(CREATE, {"name": f"Latency {number}"})
            took.append((time.perf_counter() - started) * 1000)
            assert not answer["createStore"]["userErrors"]
    row(
        "createStore p50 / p99 (300, one after the other)",
        f"{percentile(took, 0.5):.1f} / {percentile(took, 0.99):.1f} ms",
    )


class Sockets:
    """WebSockets that subscribe to accounts, and the latency of each event in milliseconds."""

    def __init__(self, instance: System, accounts: list[asyncpg.Record]) -> None:
        self.instance = instance
        self.accounts = accounts
        self.latencies: list[float] = []
        self.started: dict[str, float] = {}
        self.subscribed = asyncio.Semaphore(0)

    async def follow(self, session: aiohttp.ClientSession, index: int) -> None:
        """Subscribe from the account's first event, `first`: after it has come, no event can be missed."""
        headers = {"Authorization": f"Bearer {TOKEN_PREFIX}{index}"}
        variables = {"after": encode_event_cursor(self.accounts[index]["account_id"], 0)}
        url = self.instance.url.replace("http", "ws", 1) + "/graphql"
        async with session.ws_connect(url, protocols=("graphql-transport-ws",), headers=headers) as socket:
            await socket.send_json({"type": "connection_init"})
            await socket.receive_json()
            payload = {"query": EVENTS, "variables": variables}
            await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
            async for frame in socket:
                now = time.perf_counter()
                message = frame.json()["payload"]["data"]["accountEvents"]["message"]
                if message == "first":
                    self.subscribed.release()
                elif message in self.started:
                    self.latencies.append((now - self.started[message]) * 1000)

    async def insert_event(self, connection: asyncpg.Connection, message: str, index: int) -> None:
        """Insert an event and notify; the clock starts just before COMMIT."""
        account = self.accounts[index]
        async with connection.transaction():
            await connection.execute(EVENT, account["account_id"], account["store_id"], message)
            await connection.execute("SELECT pg_notify('account_changed', $1)", str(account["account_id"]))
            self.started[message] = time.perf_counter()

    async def subscribe_all(self, session: aiohttp.ClientSession, indexes: list[int]) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.follow(session, index)) for index in indexes]
        for _ in tasks:
            await self.subscribed.acquire()
        await asyncio.sleep(1)
        return tasks


async def sockets(instance: System) -> None:
    """Measure from COMMIT to the frame in the client, including the client's own work."""
    connection = await asyncpg.connect(instance.database_url)
    await connection.execute(FOREIGN_STORES)
    account_rows = await connection.fetch(ACCOUNTS)
    for account in account_rows:
        await connection.execute(EVENT, account["account_id"], account["store_id"], "first")
    own_accounts = Sockets(instance, account_rows)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        tasks = await own_accounts.subscribe_all(session, list(range(SOCKETS)))
        for number in range(500):
            await own_accounts.insert_event(connection, f"one {number}", number * 7 % SOCKETS)
            await asyncio.sleep(0.02)
        await asyncio.sleep(1)
        took = own_accounts.latencies
        assert len(took) == 500, len(took)
        latency = f"{percentile(took, 0.5):.1f} / {percentile(took, 0.99):.1f} ms"
        row(f"commit → socket p50 / p99, {SOCKETS} sockets of as many accounts, 50 events/s", latency)
        row("memory of the API with them (USS)", f"{memory_mib(instance.api):.0f} MiB")
        await _cancel(tasks)
    one_account = Sockets(instance, account_rows)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        tasks = await one_account.subscribe_all(session, [1] * SOCKETS)
        for number in range(5):
            await one_account.insert_event(connection, f"all {number}", 1)
            await asyncio.sleep(2)
        assert len(one_account.latencies) == 5 * SOCKETS, len(one_account.latencies)
        latency = f"{percentile(one_account.latencies, 0.5):.0f} / {percentile(one_account.latencies, 0.99):.0f} ms"
        row(f"one event to all {SOCKETS} sockets of one account p50 / p99", latency)
        await _cancel(tasks)
    await connection.close()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def to_ready(instance: System, workers: int) -> None:
    """Create STORES stores at the same time, and wait until the last is READY."""
    connection = await asyncpg.connect(instance.database_url)
    async with aiohttp.ClientSession() as session:
        client = Client(session, Access(instance.url, f"{TOKEN_PREFIX}1"))
        started = time.perf_counter()
        await asyncio.gather(*(client.execute(CREATE, {"name": f"Many {number}"}) for number in range(STORES)))
        for pause in itertools.repeat(0.05):
            if not await connection.fetchval("SELECT 1 FROM stores WHERE status <> 'READY' LIMIT 1"):
                break
            await asyncio.sleep(pause)
        seconds = time.perf_counter() - started
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
    with system(workers=1) as instance:
        time.sleep(3)
        row("idle memory of the API (USS)", f"{memory_mib(instance.api):.0f} MiB")
        row("idle memory of a worker (USS)", f"{memory_mib(instance.workers[0]):.0f} MiB")
        uvloop.run(accounts(instance.database_url, 2))
        uvloop.run(to_ready(instance, 1))
    with system(workers=2) as instance:
        uvloop.run(accounts(instance.database_url, 2))
        uvloop.run(to_ready(instance, 2))
    with system(workers=0) as instance:
        uvloop.run(accounts(instance.database_url, SOCKETS))
        uvloop.run(create_store(instance))
        uvloop.run(sockets(instance))
    with system(workers=0) as instance:
        uvloop.run(accounts(instance.database_url, 1))
        attacks.measure(instance)


if __name__ == "__main__":
    main()
