"""What visitors and the owner of a WooCommerce store see while pods end, and while many visitors come at once."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from tests.node.plugin import NEEDS_PLUGIN
from tests.node.process_inspection import processes_of_pods
from tests.node.real_node import RealNode
from tests.node.shoppers import create_open_store, wait_until_open
from tests.node.stores import is_replaced, pods
from tests.support.harness import DELETE, JSON, Harness
from tests.support.stores import notices
from tests.support.waiting import wait_until

pytestmark = NEEDS_PLUGIN
PLATFORM, SHOP = "</bdi> will be back in a moment", "<h1>Back in a moment</h1>"
OPENING = "</bdi> opens in a moment"
"""The platform's page when the shop is ready again, and its route is not yet."""
GONE = "There is no store at this address"


@dataclass
class Visits:
    """The answers to visitors: how many of each (status, who answered)."""

    answers: Counter[tuple[int, str]] = field(default_factory=Counter)

    def add(self, status: int, retry_after: str | None, text: str) -> None:
        signs = {PLATFORM: "platform", OPENING: "platform", GONE: "gone", SHOP: "shop"}
        who = next((name for sign, name in signs.items() if sign in text), "page" if status == 200 else text[:60])
        assert (who in ("platform", "shop")) <= (retry_after is not None)
        self.answers[status, who] += 1


@asynccontextmanager
async def visitors(store: JSON, clients: int, pause: float = 0.0) -> AsyncIterator[Visits]:
    """So many visitors request the home page again and again until the end of the block.

    They have a cookie of a cart: WordPress makes the page for each of them.
    """
    seen, done, address = Visits(), asyncio.Event(), URL(store["url"])
    headers = {"Host": address.authority, "Cookie": "woocommerce_items_in_cart=1"}

    async def visitor(session: aiohttp.ClientSession) -> None:
        while not done.is_set():
            async with session.get(address.with_host("127.0.0.1"), headers=headers) as answer:
                seen.add(answer.status, answer.headers.get("Retry-After"), await answer.text())
            await asyncio.sleep(pause)

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(visitor(session))
        yield seen
        done.set()


async def health_messages(harness: Harness) -> list[str]:
    return [
        row["message"] for row in await harness.sql("SELECT message FROM events WHERE type = 'HEALTH' ORDER BY seq")
    ]


async def kill(harness: Harness, node: RealNode, namespace: str, component: str, program: str) -> None:
    """Sends SIGKILL to all processes of the program in the component's pod."""
    pod = (await pods(harness, namespace))[component]
    for process in await asyncio.to_thread(processes_of_pods, node, program, {pod["metadata"]["uid"]}):
        if process.is_running():
            os.kill(process.pid, signal.SIGKILL)


async def wait_for_health(harness: Harness, store: JSON, count: int) -> list[str]:
    """Waits until there are that many events of health and the store is healthy. Returns their messages."""

    async def told() -> bool:
        messages = await health_messages(harness)
        return len(messages) >= count and messages[-1] == "The store is healthy again."

    await wait_until(told)
    return await health_messages(harness)


async def test_visitors_of_a_shop_whose_pods_end_see_a_page(harness: Harness, node: RealNode) -> None:
    store, namespace = await create_open_store(harness)
    web = (await pods(harness, namespace))["web"]["metadata"]
    async with visitors(store, 4, pause=0.1) as seen:
        await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{namespace}/pods/{web['name']}")
        await wait_until(is_replaced(harness, namespace, "web", web["uid"]))
        messages = await wait_for_health(harness, store, 2)
    assert seen.answers[503, "platform"] > 0, seen
    assert messages[0].startswith("No web pod is ready.")
    await wait_until_open(harness, store)

    async with visitors(store, 4, pause=0.1) as seen:
        await kill(harness, node, namespace, "database", "mariadbd")
        messages = (await wait_for_health(harness, store, len(messages) + 2))[len(messages) :]
    assert seen.answers[503, "shop"] > 0, seen
    assert seen.answers.keys() <= {(200, "page"), (503, "shop")}, seen
    assert messages[0].startswith("The database container ended (exit code 137).")
    await wait_until_open(harness, store)

    before = len(await health_messages(harness))
    await kill(harness, node, namespace, "web", "apache2")
    messages = (await wait_for_health(harness, store, before + 2))[before:]
    # on a busy machine, a probe fails before the kubelet finds that the container has ended
    assert messages[0].startswith(("The web container ended (exit code 137).", "No web pod is ready.")), messages
    await wait_until_open(harness, store)
    assert await notices(harness) == []

    async with visitors(store, 1, pause=0.1) as seen:
        await harness.client().execute(DELETE, {"id": store["id"]})
        await harness.wait_for_status(store["id"], "DELETED")
    assert seen.answers.keys() <= {(200, "page"), (404, "gone")}, seen


async def test_a_crowd_waits_and_the_shop_stays_open(harness: Harness) -> None:
    clients = 16
    store, _ = await create_open_store(harness)
    async with visitors(store, clients) as seen:

        async def enough() -> bool:
            return sum(seen.answers.values()) >= 4 * clients

        await wait_until(enough)
    assert seen.answers.keys() == {(200, "page")}, seen
    assert await health_messages(harness) == []
