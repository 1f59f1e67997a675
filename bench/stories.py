"""Stores as their owner sees them: made over GraphQL, followed by a subscription, and what each one's way took."""

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

from bench.system import TOKEN, System
from bench.timeline import Watching, watching
from cli.client import Access, Client

JSON = dict[str, Any]
SECONDS = 240.0
"""After which a store that is neither READY nor FAILED counts as failed."""
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


class Failure(Exception):
    """A store that didn't get READY: why, as its owner is told."""


@dataclass
class Made:
    """A store, and when createStore was called."""

    id: str
    url: str
    namespace: str
    began: float


@dataclass
class Story:
    """Seconds, but for the receipt's milliseconds. Moments count from the call of createStore."""

    ready: float
    """Until READY at the subscriber."""
    steps: dict[str, float]
    moments: dict[str, float] = field(default_factory=dict)
    receipt: dict[str, int] = field(default_factory=dict)

    @property
    def proof_told(self) -> float:
        """From the proof's pod having ended to READY at the subscriber, both as they came here."""
        return self.ready - self.moments["proof pod has ended"]

    @property
    def database_told(self) -> float:
        """From the database's pod being ready to its step having ended at the subscriber."""
        return self.moments["told: step database"] - self.moments["database pod is ready"]


class Owner:
    """One account's owner, who listens."""

    def __init__(self, client: Client, database: asyncpg.Connection, watch: Watching) -> None:
        self.client = client
        self.watch = watch
        self._database = database
        self._told: dict[str, list[tuple[float, JSON]]] = defaultdict(list)
        self._news = asyncio.Event()

    async def listen(self) -> None:
        async for data in self.client.subscribe(EVENTS, {}):
            event = data["accountEvents"]
            self._told[event["storeId"]].append((time.time(), event))
            self._news.set()

    async def create(self, name: str, engine: str) -> Made:
        began = time.time()
        answer = (await self.client.execute(CREATE, {"name": name, "engine": engine}))["createStore"]
        assert not answer["userErrors"], answer["userErrors"]
        store = answer["store"]
        query = "SELECT id FROM stores WHERE slug = $1 ORDER BY created_at DESC LIMIT 1"  # others had it before
        row = await self._database.fetchval(query, store["slug"])
        return Made(store["id"], store["url"], f"store-{row}", began)

    async def store(self, made: Made) -> JSON:
        found: JSON = (await self.client.execute(STORE, {"id": made.id}))["store"]
        return found

    async def ready(self, made: Made) -> Story:
        """Its way, once it is READY. Raises Failure."""
        at, event = await self._until(made, lambda event: event["status"] in ("READY", "FAILED"))
        if event["status"] == "FAILED":
            raise Failure(str((await self.store(made))["cause"]))
        found, moments = await self.store(made), await self.watch.moments(made.namespace)
        for heard, event in self._told[made.id]:
            if event["step"] and event["step"]["status"] == "SUCCEEDED":
                moments.setdefault(f"told: step {event['step']['name']}", heard)
        return Story(
            at - made.began,
            {step["name"]: _seconds(step["startedAt"], step["finishedAt"]) for step in found["steps"]},
            {name: moment - made.began for name, moment in sorted(moments.items(), key=lambda row: row[1])},
            {step["name"]: step["ms"] for step in found["receipt"]["steps"]} | {"total": found["receipt"]["totalMs"]},
        )

    async def delete(self, made: Made) -> None:
        """Until it is gone."""
        await self.client.execute(DELETE, {"id": made.id})
        await self._until(made, lambda event: event["status"] == "DELETED")

    async def _until(self, made: Made, true: Callable[[JSON], bool]) -> tuple[float, JSON]:
        """The first event of STATUS for which it is true, and when it came. Raises Failure."""
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    for at, event in self._told[made.id]:
                        if event["type"] == "STATUS" and true(event):
                            return at, event
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            last = [event["message"] for _, event in self._told[made.id]][-1:]
            raise Failure(f"nothing more was told in {SECONDS:g} s than: {last}") from None


def _seconds(began: str, ended: str) -> float:
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


@asynccontextmanager
async def owner(up: System, administrator: Path) -> AsyncIterator[Owner]:
    """Listening, until the end of the block."""
    database = await asyncpg.connect(up.database_url)
    async with aiohttp.ClientSession() as session, watching(administrator) as watch:
        made = Owner(Client(session, Access(up.url, f"{TOKEN}0")), database, watch)
        listening = asyncio.create_task(made.listen())
        await asyncio.sleep(1)  # until the subscription is there
        try:
            yield made
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await database.close()


async def one_by_one(owner: Owner, engine: str, stores: int) -> list[Story]:
    """Each is made alone, and gone before the next. Raises Failure."""
    stories = []
    for number in range(stores):
        made = await owner.create(f"{engine.capitalize()} {number}", engine)
        stories.append(await owner.ready(made))
        await owner.delete(made)
    return stories


def medians(rows: list[dict[str, float]]) -> dict[str, float]:
    """Of each name that all of them have, in the first one's order."""
    names = [name for name in rows[0] if all(name in row for row in rows)]
    return {name: statistics.median(row[name] for row in rows) for name in names}
