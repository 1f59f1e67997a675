"""A client that follows a store's logs in the background, over the WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from cli.client import ClientError
from tests.support.harness import JSON, Harness
from tests.support.stores import namespace_of
from tests.support.waiting import hang_limit

LOGS = """
subscription ($id: ID!, $component: String!, $tail: Int!) {
storeLogs(storeId: $id, component: $component, tail: $tail) {
  kind line at pod container
} }
"""


class LogSubscriber:
    """The items that came until now, and how the subscription ended."""

    def __init__(self) -> None:
        self.items: list[JSON] = []
        self.error: str | None = None
        self.ended = False
        self._changed = asyncio.Event()

    @property
    def lines(self) -> list[str]:
        return [item["line"] for item in self.items if item["kind"] == "LINE"]

    @property
    def notices(self) -> list[str]:
        return [item["line"] for item in self.items if item["kind"] == "NOTICE"]

    async def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait until the condition is true; it is checked at each new item."""
        try:
            async with hang_limit():
                while not condition():
                    assert not self.ended, self._report()
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"the condition never became true: {self._report()}") from None

    def _report(self) -> str:
        lines = [f"{item['at']} {item['kind']} {item['line']}" for item in self.items[-20:]]
        return "\n".join([*lines, f"ended: {self.error}" if self.ended else "not ended"])

    async def wait_for_lines(self, *lines: str) -> None:
        await self.wait_for(lambda: set(lines) <= set(self.lines))

    async def wait_for_notice(self, words: str) -> None:
        """Wait for a notice that contains these words."""
        await self.wait_for(lambda: any(words in notice for notice in self.notices))

    async def wait_for_end(self) -> None:
        await self.wait_for(lambda: self.ended)

    async def run(self, harness: Harness, variables: dict[str, Any], token: str | None) -> None:
        try:
            async for data in harness.client(token).subscribe(LOGS, variables):
                self.items.append(data["storeLogs"])
                self._changed.set()
        except ClientError as error:
            self.error = str(error)
        self.ended = True
        self._changed.set()


@asynccontextmanager
async def follow_logs(
    harness: Harness, store_id: str, component: str = "web", tail: int = 100, *, token: str | None = None
) -> AsyncIterator[LogSubscriber]:
    """Subscribe to storeLogs until the end of the block."""
    subscriber = LogSubscriber()
    variables = {"id": store_id, "component": component, "tail": tail}
    task = asyncio.create_task(subscriber.run(harness, variables, token))
    try:
        yield subscriber
    finally:
        task.cancel()
        await asyncio.wait({task})


async def subscription_error(
    harness: Harness, store_id: str, component: str = "web", tail: int = 100, *, token: str | None = None
) -> str | None:
    """The error that ends a subscription to storeLogs before its first line."""
    async with follow_logs(harness, store_id, component, tail, token=token) as subscriber:
        await subscriber.wait_for_end()
        assert subscriber.lines == []
        return subscriber.error


async def print_lines(harness: Harness, store_id: str, *lines: str, component: str = "web") -> int:
    """Make the containers of a store's component print these lines. Returns how many containers there are."""
    body = {"namespace": namespace_of(store_id), "component": component, "lines": lines}
    containers: int = (await harness.call_simulator("print", body))["containers"]
    return containers


async def open_log_streams(harness: Harness) -> int:
    """How many log streams the simulator serves now."""
    _, counts = await harness.kubernetes_request("GET", "/_sim/counts")
    streams: int = counts["logs"]
    return streams
