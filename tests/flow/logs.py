"""Following a store's logs in the background, as a client over the WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from cli.client import ClientError
from schema.ids import decode
from tests.flow.fleet import JSON, Fleet

LOGS = """
subscription ($id: ID!, $workload: String!, $tail: Int!) { storeLogs(storeId: $id, workload: $workload, tail: $tail) {
  kind line at pod container
} }
"""


class Follower:
    """What was told so far, and how it ended."""

    def __init__(self) -> None:
        self.items: list[JSON] = []
        self.error: str | None = None
        self.ended = False
        self._news = asyncio.Event()

    @property
    def lines(self) -> list[str]:
        return [item["line"] for item in self.items if item["kind"] == "LINE"]

    @property
    def notices(self) -> list[str]:
        return [item["line"] for item in self.items if item["kind"] == "NOTICE"]

    async def until(self, condition: Callable[[], object], seconds: float = 10) -> None:
        """Wait for news until it is so."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    assert not self.ended, self._told()
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"not so after {seconds} s: {self._told()}") from None

    def _told(self) -> str:
        lines = [f"{item['at']} {item['kind']} {item['line']}" for item in self.items[-20:]]
        return "\n".join([*lines, f"ended: {self.error}" if self.ended else "goes on"])

    async def sees(self, *lines: str, seconds: float = 10) -> None:
        await self.until(lambda: set(lines) <= set(self.lines), seconds)

    async def told(self, words: str, seconds: float = 10) -> None:
        """A notice that has these words."""
        await self.until(lambda: any(words in notice for notice in self.notices), seconds)

    async def over(self, seconds: float = 10) -> None:
        await self.until(lambda: self.ended, seconds)

    async def run(self, fleet: Fleet, variables: dict[str, Any], token: str | None) -> None:
        try:
            async for data in fleet.client(token).subscribe(LOGS, variables):
                self.items.append(data["storeLogs"])
                self._news.set()
        except ClientError as error:
            self.error = str(error)
        self.ended = True
        self._news.set()


@asynccontextmanager
async def following(
    fleet: Fleet, store_id: str, workload: str = "web", tail: int = 100, *, token: str | None = None
) -> AsyncIterator[Follower]:
    """A subscription until the end of the block."""
    follower = Follower()
    variables = {"id": store_id, "workload": workload, "tail": tail}
    task = asyncio.create_task(follower.run(fleet, variables, token))
    try:
        yield follower
    finally:
        task.cancel()
        await asyncio.wait({task})


async def refusal(fleet: Fleet, store_id: str, workload: str = "web", tail: int = 100, **more: Any) -> str | None:
    """The error with which a subscription ends."""
    async with following(fleet, store_id, workload, tail, **more) as follower:
        await follower.over()
        assert follower.items == []
        return follower.error


def namespace_of(store_id: str) -> str:
    return f"store-{decode('Store', store_id)}"


async def say(fleet: Fleet, store_id: str, *lines: str, workload: str = "web") -> int:
    """Have the containers of a store's workload print; how many they are."""
    body = {"namespace": namespace_of(store_id), "component": workload, "lines": lines}
    containers: int = (await fleet.sim("print", body))["containers"]
    return containers


async def readers(fleet: Fleet) -> int:
    """How many logs the cluster streams now."""
    _, counts = await fleet.kubernetes("GET", "/_sim/counts")
    found: int = counts["logs"]
    return found
