"""Follows the objects of a kind as the informer does, and checks each event."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from runtime.tasks import cancel_and_wait
from stores.engines import Manifest
from tests.contract.objects import LABEL
from tests.support.waiting import hang_limit
from workers.cluster.client import Cluster
from workers.cluster.watch import list_and_watch


class WatchRecorder:
    """The latest objects by name, all lists and events, and `errors`: lost or repeated events."""

    def __init__(self) -> None:
        self.objects: dict[str, Manifest] = {}
        self.lists: list[list[str]] = []
        self.events: list[tuple[str, str]] = []
        self.errors: list[str] = []

    def on_list(self, items: Sequence[Manifest]) -> None:
        self.objects = {item["metadata"]["name"]: item for item in items}
        self.lists.append(sorted(self.objects))

    def on_event(self, change: str, item: Manifest) -> None:
        name = item["metadata"]["name"]
        self.events.append((change, name))
        known = self.objects.get(name)
        if (known is None) is not (change == "ADDED"):
            self.errors.append(f"{change} {name}, which was {'not ' if known is None else ''}there")
        if known is not None and version(item) <= version(known):
            self.errors.append(f"{change} {name} again")
        if change == "DELETED":
            self.objects.pop(name, None)
        else:
            self.objects[name] = item

    async def until(self, good: Callable[[], object]) -> None:
        """Wait until the condition is true. Raises TimeoutError, and AssertionError for a lost or repeated event."""
        async with hang_limit():
            while not good():  # noqa: ASYNC110  # there is no event to wait for
                await asyncio.sleep(0.002)
        assert not self.errors

    async def wait_for_object(self, name: str) -> None:
        """Wait until an object of that name exists."""
        await self.until(lambda: name in self.objects)


def version(item: Manifest) -> int:
    return int(item["metadata"]["resourceVersion"])


@asynccontextmanager
async def recording_watch(cluster: Cluster, label: str, kind: str = "ConfigMap") -> AsyncIterator[WatchRecorder]:
    """Record the objects with that value of LABEL until the end of the block; starts after the first list."""
    recorder = WatchRecorder()
    task = asyncio.create_task(
        list_and_watch(cluster, kind, f"{LABEL}={label}", on_list=recorder.on_list, on_event=recorder.on_event)
    )
    try:
        await recorder.until(lambda: recorder.lists or task.done())
        yield recorder
        assert not task.done(), "it must never return"
        assert not recorder.errors
    finally:
        await cancel_and_wait(task)
