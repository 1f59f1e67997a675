"""One who follows a kind of objects as the observer does, and checks every step of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from runtime.tasks import end
from stores.engines import Manifest
from tests.contract.objects import LABEL, PATIENCE
from workers.cluster.client import Cluster
from workers.cluster.watch import reflect


class Reflection:
    """What was there at last, by name; `wrong` is what a list followed by every event once can't have shown."""

    def __init__(self) -> None:
        self.objects: dict[str, Manifest] = {}
        self.lists: list[list[str]] = []
        self.events: list[tuple[str, str]] = []
        self.wrong: list[str] = []
        self._moved = asyncio.Event()

    def on_list(self, items: Sequence[Manifest]) -> None:
        self.objects = {item["metadata"]["name"]: item for item in items}
        self.lists.append(sorted(self.objects))
        self._moved.set()

    def on_event(self, change: str, item: Manifest) -> None:
        name = item["metadata"]["name"]
        self.events.append((change, name))
        known = self.objects.get(name)
        if (known is None) is not (change == "ADDED"):
            self.wrong.append(f"{change} {name}, which was {'not ' if known is None else ''}there")
        if known is not None and version(item) <= version(known):
            self.wrong.append(f"{change} {name} again")
        if change == "DELETED":
            self.objects.pop(name, None)
        else:
            self.objects[name] = item
        self._moved.set()

    async def until(self, good: Callable[[], object], seconds: float = PATIENCE) -> float:
        """How many seconds it took; AssertionError when longer than `seconds`."""
        began = time.monotonic()
        while not good():
            self._moved.clear()
            left = began + seconds - time.monotonic()
            assert left > 0, (self.lists, self.events[-10:])
            try:
                await asyncio.wait_for(self._moved.wait(), min(left, 0.01))
            except TimeoutError:
                continue  # it may be about something else than what was followed
        assert not self.wrong
        return time.monotonic() - began

    async def sees(self, name: str) -> float:
        """How many seconds it takes until an object of that name is there."""
        return await self.until(lambda: name in self.objects)


def version(item: Manifest) -> int:
    return int(item["metadata"]["resourceVersion"])


@asynccontextmanager
async def following(cluster: Cluster, label: str, kind: str = "ConfigMap") -> AsyncIterator[Reflection]:
    """Follow the objects with that label's value until the end of the block; the first list has come."""
    reflection = Reflection()
    task = asyncio.create_task(
        reflect(cluster, kind, f"{LABEL}={label}", on_list=reflection.on_list, on_event=reflection.on_event)
    )
    try:
        await reflection.until(lambda: reflection.lists or task.done())
        yield reflection
        assert not task.done(), "it never ends by itself"
        assert not reflection.wrong
    finally:
        await end(task)
