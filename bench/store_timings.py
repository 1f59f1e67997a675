"""Times of stores as their owner sees them: created over GraphQL and followed by a subscription."""

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from bench.system import TOKEN_PREFIX, System
from bench.timeline import Timeline, watch_timeline
from cli.client import Access, Client
from tests.node.shoppers import REVEAL

JSON = dict[str, Any]
SECONDS = 240.0
"""Seconds after which a store that is neither READY nor FAILED counts as failed."""
CREATE = """
mutation ($name: String!, $engine: Engine!) { createStore(input: {name: $name, engine: $engine}) {
  store { id slug url } userErrors { message }
} }
"""
EVENTS = "subscription { accountEvents { storeId type status message step { name status } } }"
STORE = """
query ($id: ID!) { store(id: $id) {
  status cause health { state cause } steps { name startedAt finishedAt } receipt { totalMs steps { name ms } }
} }
"""
DELETE = "mutation ($id: ID!) { deleteStore(input: {id: $id}) { userErrors { message } } }"


class StoreFailed(Exception):
    """A store didn't become READY. The message is the cause that its owner sees."""


@dataclass
class CreatedStore:
    """A store, and the time of the call of createStore in seconds since the epoch."""

    id: str
    url: str
    namespace: str
    started: float


@dataclass
class StoreTiming:
    """The times of one store in seconds, except the receipt's milliseconds. Moments are relative to createStore."""

    ready: float
    """From createStore to READY at the subscriber."""
    steps: dict[str, float]
    moments: dict[str, float] = field(default_factory=dict)
    receipt: dict[str, int] = field(default_factory=dict)

    @property
    def proof_latency(self) -> float:
        """From the end of the proof's pod, as our watch sees it, to READY at the subscriber."""
        return self.ready - self.moments["proof pod has ended"]

    @property
    def database_latency(self) -> float:
        """From the readiness of the database's pod, as our watch sees it, to the end of its step at the subscriber."""
        return self.moments["event: step database"] - self.moments["database pod is ready"]


class StoreOwner:
    """The owner of an account. Creates stores and collects the account's events."""

    def __init__(self, client: Client, database: asyncpg.Connection, watch: Timeline) -> None:
        self.client = client
        self.watch = watch
        self._database = database
        self._events: dict[str, list[tuple[float, JSON]]] = defaultdict(list)
        self._changed = asyncio.Event()

    async def collect_events(self) -> None:
        async for data in self.client.subscribe(EVENTS, {}):
            event = data["accountEvents"]
            self._events[event["storeId"]].append((time.time(), event))
            self._changed.set()

    async def create(self, name: str, engine: str) -> CreatedStore:
        started = time.time()
        answer = (await self.client.execute(CREATE, {"name": name, "engine": engine}))["createStore"]
        assert not answer["userErrors"], answer["userErrors"]
        store = answer["store"]
        # deleted stores may have had this slug
        query = "SELECT id FROM stores WHERE slug = $1 ORDER BY created_at DESC LIMIT 1"
        row = await self._database.fetchval(query, store["slug"])
        return CreatedStore(store["id"], store["url"], f"store-{row}", started)

    async def store(self, created: CreatedStore) -> JSON:
        details: JSON = (await self.client.execute(STORE, {"id": created.id}))["store"]
        return details

    async def credentials(self, created: CreatedStore) -> tuple[str, str]:
        """The user name and password of the shop's admin."""
        revealed = await self.client.execute(REVEAL, {"id": created.id})
        given = revealed["revealAdminCredentials"]["credentials"]
        return given["username"], given["password"]

    async def wait_ready(self, created: CreatedStore) -> StoreTiming:
        """Wait until the store is READY. Returns its times. Raises StoreFailed."""
        at, event = await self._until(created, lambda event: event["status"] in ("READY", "FAILED"))
        if event["status"] == "FAILED":
            raise StoreFailed(str((await self.store(created))["cause"]))
        details, moments = await self.store(created), await self.watch.moments(created.namespace)
        for received, event in self._events[created.id]:
            if event["step"] and event["step"]["status"] == "SUCCEEDED":
                moments.setdefault(f"event: step {event['step']['name']}", received)
        return StoreTiming(
            at - created.started,
            {step["name"]: _seconds(step["startedAt"], step["finishedAt"]) for step in details["steps"]},
            {name: moment - created.started for name, moment in sorted(moments.items(), key=lambda row: row[1])},
            {step["name"]: step["ms"] for step in details["receipt"]["steps"]}
            | {"total": details["receipt"]["totalMs"]},
        )

    def health_changes(self, created: CreatedStore) -> list[str]:
        """The messages of the store's events of type HEALTH."""
        return [event["message"] for _, event in self._events[created.id] if event["type"] == "HEALTH"]

    async def delete(self, created: CreatedStore) -> None:
        """Delete the store, and wait until it is DELETED. Raises StoreFailed."""
        await self.client.execute(DELETE, {"id": created.id})
        await self._until(created, lambda event: event["status"] == "DELETED")

    async def _until(self, created: CreatedStore, condition: Callable[[JSON], bool]) -> tuple[float, JSON]:
        """Wait for the first STATUS event that meets the condition. Returns its time and the event.

        Raises StoreFailed.
        """
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    for at, event in self._events[created.id]:
                        if event["type"] == "STATUS" and condition(event):
                            return at, event
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            last = [event["message"] for _, event in self._events[created.id]][-1:]
            raise StoreFailed(f"timeout after {SECONDS:g} s; the last event: {last}") from None


def _seconds(started: str, ended: str) -> float:
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()


@asynccontextmanager
async def store_owner(instance: System, administrator: Path) -> AsyncIterator[StoreOwner]:
    """The owner of account 0, until the end of the block. `administrator`: a kubeconfig."""
    database = await asyncpg.connect(instance.database_url)
    async with aiohttp.ClientSession() as session, watch_timeline(administrator) as watch:
        created = StoreOwner(Client(session, Access(instance.url, f"{TOKEN_PREFIX}0")), database, watch)
        collecting = asyncio.create_task(created.collect_events())
        await asyncio.sleep(1)  # until the server has the subscription
        try:
            yield created
        finally:
            collecting.cancel()
            await asyncio.gather(collecting, return_exceptions=True)
            await database.close()


async def measure_one_by_one(owner: StoreOwner, engine: str, stores: int) -> list[StoreTiming]:
    """Create, measure and delete stores, one after the other. Raises StoreFailed."""
    timings = []
    for number in range(stores):
        created = await owner.create(f"{engine.capitalize()} {number}", engine)
        timings.append(await owner.wait_ready(created))
        await owner.delete(created)
    return timings


def medians(rows: list[dict[str, float]]) -> dict[str, float]:
    """The median of each name that is in all rows, in the order of the first row."""
    names = [name for name in rows[0] if all(name in row for row in rows)]
    return {name: statistics.median(row[name] for row in rows) for name in names}
