"""Shoppers of a store on the node, by default of a WooCommerce store, and the orders in its database."""

import asyncio
import base64
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psutil

from tests.node.process_inspection import processes_of_pods
from tests.node.real_node import RealNode
from tests.node.stores import pods
from tests.support.harness import JSON, Harness
from tests.support.waiting import hang_limit, wait_until

COOKIE = {"Cookie": "wordpress_test_cookie=WP%20Cookie%20check"}

REVEAL = "mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { username password } } }"

API = "/wp-json/wc/store/v1"
BILLING_ADDRESS = {
    "first_name": "Ada",
    "last_name": "Byron",
    "address_1": "Unter den Linden 1",
    "city": "Berlin",
    "postcode": "10117",
    "country": "DE",
    "email": "ada@example.com",
}
ORDER = {"billing_address": BILLING_ADDRESS, "payment_method": "cod"}
SAMPLE_NAMES = ("Sample product", "Beispielprodukt")
NO_HEALTHY_UPSTREAM = (503, "no healthy upstream")
"""The response of the ingress while no pod is ready: the request didn't reach the shop."""


async def send_request(harness: Harness, store: JSON, method: str, path: str, **more: Any) -> tuple[int, Any, Any]:
    """A request to the store's URL through the ingress: status, headers, and the body as JSON or text."""
    address = urlsplit(store["url"])
    url, headers = f"http://127.0.0.1:{address.port}{path}", {"Host": address.netloc, **more.pop("headers", {})}
    async with harness.http.request(method, url, headers=headers, allow_redirects=False, **more) as answer:
        text = await answer.text()
        try:
            return answer.status, answer.headers, json.loads(text)
        except ValueError:
            return answer.status, answer.headers, text


async def create_open_store(harness: Harness, **given: Any) -> tuple[JSON, str]:
    """Creates a store and waits until it is READY and its page opens. Returns it with its namespace."""
    store = await harness.create_store(**given)
    await harness.wait_for_status(store["id"], "READY")
    [row] = await harness.sql("SELECT id FROM stores WHERE slug = $1", store["slug"])
    store = await harness.get_store(store["id"])
    await wait_until_open(harness, store)
    return store, f"store-{row['id']}"


async def wait_until_open(harness: Harness, store: JSON) -> None:
    async def answers() -> bool:
        page = str((await send_request(harness, store, "GET", "/"))[2])
        return any(name in page for name in SAMPLE_NAMES)

    await wait_until(answers)


@dataclass
class ShoppingSession:
    """The responses to guests who buy the sample product by cash on delivery. A subclass buys in another engine's."""

    harness: Harness
    store: JSON
    keys: list[str] = field(default_factory=list)
    """Keys of acknowledged orders. Order numbers aren't unique: the number of a lost order is used again."""
    numbers: list[int] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)
    """Status and body of other responses."""
    interrupted: list[str] = field(default_factory=list)
    """Requests without a complete response."""
    ended: bool = False

    async def sell(self, more: int) -> None:
        """Returns after `more` further orders were acknowledged. Each has the limit of a wait: a shop may be slow."""
        for wanted in range(len(self.keys) + 1, len(self.keys) + more + 1):
            await wait_until(partial(self._has_sold, wanted))

    async def _has_sold(self, orders: int) -> bool:
        return len(self.keys) >= orders

    async def buy(self) -> None:
        """Buys once, with retries. An order that was placed but not acknowledged leaves an empty cart."""
        headers, _ = await self.retry_until(200, "GET", f"{API}/cart")
        cart = {"Cart-Token": headers["Cart-Token"]}
        _, [product] = await self.retry_until(200, "GET", f"{API}/products?sku=storefleet-sample")
        added = {"id": product["id"], "quantity": 1}
        await self.retry_until(201, "POST", f"{API}/cart/add-item", json=added, headers=cart)
        _, bought = await self.retry_until(200, "POST", f"{API}/checkout", json=ORDER, headers=cart, over="cart_empty")
        if bought is None:
            return
        assert bought["status"] == "processing", bought
        self.keys.append(bought["order_key"])
        self.numbers.append(bought["order_id"])

    async def retry_until(self, wanted: int, method: str, path: str, over: str = "", **more: Any) -> tuple[Any, Any]:
        """Headers and body of the first response with the wanted status; the body is None if one contains `over`."""
        while True:
            try:
                status, headers, answer = await send_request(self.harness, self.store, method, path, **more)
            except (aiohttp.ClientError, TimeoutError) as error:
                self.interrupted.append(f"{method} {path}: {error!r}")
            else:
                if status == wanted:
                    return headers, answer
                self.refusals.append((status, str(answer)[:200]))
                if over and over in str(answer):
                    return headers, None
            await asyncio.sleep(0.05)

    async def keep_buying(self) -> None:
        while not self.ended:
            await self.buy()


@asynccontextmanager
async def run_shoppers(
    harness: Harness, store: JSON, shoppers: int, session: type[ShoppingSession] = ShoppingSession
) -> AsyncIterator[ShoppingSession]:
    """Runs `shoppers` concurrent shoppers that buy repeatedly; at the end of the block they finish their orders."""
    made = session(harness, store)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(made.keep_buying()) for _ in range(shoppers)]
        yield made
        made.ended = True
        async with hang_limit():
            await asyncio.wait(tasks)


async def database_of(harness: Harness, node: RealNode, namespace: str) -> psutil.Process:
    """The process of the store's database server."""
    pod = (await pods(harness, namespace))["database"]
    [process] = await asyncio.to_thread(processes_of_pods, node, "mariadbd", {pod["metadata"]["uid"]})
    return process


async def rows(harness: Harness, node: RealNode, namespace: str, query: str) -> list[list[str]]:
    """The rows of a query in the store's database, as its user."""
    process = await database_of(harness, node, namespace)
    _, secret = await harness.kubernetes_request("GET", f"/api/v1/namespaces/{namespace}/secrets/database")
    password = base64.b64decode(secret["data"]["password"]).decode()
    client = ["mariadb", "--host=127.0.0.1", "--user=wordpress", "-NB", "wordpress", "-e", query]
    argv = ["nsenter", "-t", str(process.pid), "-m", "-n", "--", *client]
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MYSQL_PWD": password}
    done = await asyncio.to_thread(subprocess.run, argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


async def orders(harness: Harness, node: RealNode, namespace: str) -> set[str]:
    """The keys of the orders in status `processing`."""
    query = (
        "SELECT order_key FROM wp_wc_orders JOIN wp_wc_order_operational_data ON order_id = wp_wc_orders.id"
        " WHERE status = 'wc-processing'"
    )
    return {key for [key] in await rows(harness, node, namespace, query)}


async def credentials(harness: Harness, store: JSON) -> tuple[str, str]:
    """The owner's user name and password."""
    revealed = await harness.client().execute(REVEAL, {"id": store["id"]})
    given = revealed["revealAdminCredentials"]["credentials"]
    return given["username"], given["password"]


async def sign_in(harness: Harness, store: JSON, username: str, password: str) -> str | None:
    """Signs in. Returns the session's cookies, or None if the shop refuses."""
    form = {"log": username, "pwd": password, "testcookie": "1"}
    status, headers, _ = await send_request(harness, store, "POST", "/wp-login.php", data=form, headers=COOKIE)
    cookies = [cookie.partition(";")[0] for cookie in headers.getall("Set-Cookie", [])]
    return "; ".join(cookies) if status == 302 else None
