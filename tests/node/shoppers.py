"""Shoppers at a WooCommerce store's address, and what the shop's database has of their orders."""

import asyncio
import base64
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psutil

from tests.flow.fleet import Fleet
from tests.node.inside import of_store
from tests.node.real import RealNode
from tests.node.test_life import pods

JSON = dict[str, Any]
API = "/wp-json/wc/store/v1"
ADDRESS = {
    "first_name": "Ada",
    "last_name": "Byron",
    "address_1": "Unter den Linden 1",
    "city": "Berlin",
    "postcode": "10117",
    "country": "DE",
    "email": "ada@example.com",
}
ORDER = {"billing_address": ADDRESS, "payment_method": "cod"}
NOBODY_THERE = (503, "no healthy upstream")
"""What the ingress says while no pod is ready: the shop has not heard of the request."""
READY_SECONDS = 120.0


async def ask(fleet: Fleet, store: JSON, method: str, path: str, **more: Any) -> tuple[int, Any, Any]:
    """By the store's address, through the ingress: status, headers, and what was answered: JSON, or else text."""
    address = urlsplit(store["url"])
    url, headers = f"http://127.0.0.1:{address.port}{path}", {"Host": address.netloc, **more.pop("headers", {})}
    async with fleet.http.request(method, url, headers=headers, allow_redirects=False, **more) as answer:
        text = await answer.text()
        try:
            return answer.status, answer.headers, json.loads(text)
        except ValueError:
            return answer.status, answer.headers, text


async def opened(fleet: Fleet, **given: Any) -> tuple[JSON, str]:
    """A store that is READY and opens, and its namespace."""
    store = await fleet.create(**given)
    await fleet.until(store["id"], "READY", READY_SECONDS)
    [row] = await fleet.sql("SELECT id FROM stores WHERE slug = $1", store["slug"])
    store = await fleet.store(store["id"])
    await opens(fleet, store)
    return store, f"store-{row['id']}"


async def opens(fleet: Fleet, store: JSON) -> None:
    async def answers() -> bool:
        return "Sample product" in str((await ask(fleet, store, "GET", "/"))[2])

    await fleet.poll(answers, 30)


@dataclass
class Shopping:
    """What shoppers without an account, who all buy the sample product by cash on delivery, were told."""

    fleet: Fleet
    store: JSON
    keys: list[str] = field(default_factory=list)
    """Of orders that were acknowledged. Numbers won't do: those of lost orders are given out again."""
    numbers: list[int] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)
    """Status and text of whatever else was answered."""
    cut: list[str] = field(default_factory=list)
    """Requests that got no answer, or half of one."""
    ended: bool = False

    async def sell(self, more: int, seconds: float = 60) -> None:
        """Return when so many more orders were acknowledged."""
        wanted = len(self.keys) + more

        async def sold() -> bool:
            return len(self.keys) >= wanted

        await self.fleet.poll(sold, seconds)

    async def buy(self) -> None:
        """One order, as often as it takes; an order that was placed and not acknowledged leaves an empty cart."""
        headers, _ = await self._insist(200, "GET", "/cart")
        cart = {"Cart-Token": headers["Cart-Token"]}
        _, [product] = await self._insist(200, "GET", "/products?sku=storefleet-sample")
        await self._insist(201, "POST", "/cart/add-item", json={"id": product["id"], "quantity": 1}, headers=cart)
        _, bought = await self._insist(200, "POST", "/checkout", json=ORDER, headers=cart, over="cart_empty")
        if bought is None:
            return
        assert bought["status"] == "processing", bought
        self.keys.append(bought["order_key"])
        self.numbers.append(bought["order_id"])

    async def _insist(self, wanted: int, method: str, path: str, over: str = "", **more: Any) -> tuple[Any, Any]:
        """Headers and answer. None as an answer: the shop said `over`."""
        while True:
            try:
                status, headers, answer = await ask(self.fleet, self.store, method, API + path, **more)
            except (aiohttp.ClientError, TimeoutError) as error:
                self.cut.append(f"{method} {path}: {error!r}")
            else:
                if status == wanted and isinstance(answer, dict | list):
                    return headers, answer
                self.refusals.append((status, str(answer)[:200]))
                if over and over in str(answer):
                    return headers, None
            await asyncio.sleep(0.05)

    async def keep_buying(self) -> None:
        while not self.ended:
            await self.buy()


@asynccontextmanager
async def shopping(fleet: Fleet, store: JSON, shoppers: int) -> AsyncIterator[Shopping]:
    """So many at once, each buying again and again; at the end of the block what they have begun they finish."""
    made = Shopping(fleet, store)
    async with asyncio.timeout(300), asyncio.TaskGroup() as group:
        for _ in range(shoppers):
            group.create_task(made.keep_buying())
        yield made
        made.ended = True


async def database_of(fleet: Fleet, node: RealNode, namespace: str) -> psutil.Process:
    """The store's own database server, as seen from outside."""
    pod = (await pods(fleet, namespace))["database"]
    [process] = await asyncio.to_thread(of_store, node, "mariadbd", {pod["metadata"]["uid"]})
    return process


async def rows(fleet: Fleet, node: RealNode, namespace: str, query: str) -> list[list[str]]:
    """What the store's own database answers to its user."""
    process = await database_of(fleet, node, namespace)
    _, secret = await fleet.kubernetes("GET", f"/api/v1/namespaces/{namespace}/secrets/database")
    password = base64.b64decode(secret["data"]["password"]).decode()
    client = ["mariadb", "--host=127.0.0.1", "--user=wordpress", "-NB", "wordpress", "-e", query]
    argv = ["nsenter", "-t", str(process.pid), "-m", "-n", "--", *client]
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MYSQL_PWD": password}
    done = await asyncio.to_thread(subprocess.run, argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


async def orders(fleet: Fleet, node: RealNode, namespace: str) -> set[str]:
    """The keys of those that the shop has and means to send."""
    query = (
        "SELECT order_key FROM wp_wc_orders JOIN wp_wc_order_operational_data ON order_id = wp_wc_orders.id"
        " WHERE status = 'wc-processing'"
    )
    return {key for [key] in await rows(fleet, node, namespace, query)}
