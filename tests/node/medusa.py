"""MedusaJS stores on the node: shoppers, the database, and the owner's session."""

import asyncio
import re
import subprocess
from dataclasses import dataclass
from typing import Any

import psutil

from tests.node.process_inspection import processes_of_pods
from tests.node.real_node import RealNode
from tests.node.shoppers import BILLING_ADDRESS, ShoppingSession, create_open_store, send_request
from tests.node.stores import pods
from tests.support.harness import JSON, Harness

ADDRESS = {
    **{name: BILLING_ADDRESS[name] for name in ("email", "first_name", "last_name", "address_1", "city")},
    "postal_code": BILLING_ADDRESS["postcode"],
    "country_code": "de",
    "payment": "pp_system_default",
}
ORDERS = 'SELECT id FROM "order" WHERE status <> $$canceled$$'


async def create_medusa_store(harness: Harness, **given: Any) -> tuple[JSON, str]:
    """Creates a store in Germany and waits until it is READY and open. Returns it with its namespace."""
    return await create_open_store(harness, engine="MEDUSA", country="DE", currency="EUR", **given)


@dataclass
class StorefrontSession(ShoppingSession):
    """Guests who buy the sample product by the storefront's forms. The keys are the orders' ids."""

    async def buy(self) -> None:
        _, page = await self.retry_until(200, "GET", "/products/sample-product")
        variant = re.findall(r'name="variant" value="(\w+)"', page)[0]
        form = {"action": "add", "variant": variant, "quantity": "1", "handle": "sample-product"}
        headers, _ = await self.retry_until(303, "POST", "/cart", data=form)
        assert "Set-Cookie" in headers, (headers["Location"], len(self.keys), self.refusals[-3:])
        cart = {"Cookie": headers["Set-Cookie"].partition(";")[0]}
        headers, page = await self.retry_until(200, "GET", "/checkout", headers=cart)
        total = re.findall(r'name="total" value="([^"]+)"', page)[0]
        headers, _ = await self.retry_until(303, "POST", "/checkout", data={**ADDRESS, "total": total}, headers=cart)
        # also if an order was placed but not acknowledged
        assert headers["Location"].startswith("/orders/"), headers["Location"]
        self.keys.append(headers["Location"].partition("?")[0].removeprefix("/orders/"))


async def process_of(harness: Harness, node: RealNode, namespace: str, component: str, program: str) -> psutil.Process:
    """The oldest process of that program in the component's pod."""
    pod = (await pods(harness, namespace))[component]
    found = await asyncio.to_thread(processes_of_pods, node, program, {pod["metadata"]["uid"]})
    return min(found, key=lambda process: process.create_time())


async def rows(harness: Harness, node: RealNode, namespace: str, query: str) -> list[str]:
    """The rows of a query in the store's database, as its superuser."""
    server = await process_of(harness, node, namespace, "database", "postgres")
    client = ["psql", "--host=/tmp", "--username=postgres", "--no-align", "--tuples-only", "medusa", "-c", query]
    argv = ["nsenter", "-t", str(server.pid), "-m", "-n", "--", *client]
    env = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    done = await asyncio.to_thread(subprocess.run, argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


async def sign_in(harness: Harness, store: JSON, email: str, password: str) -> str | None:
    """Signs the owner in. Returns the session's cookie, or None if the shop refuses."""
    credentials = {"email": email, "password": password}
    status, _, answer = await send_request(harness, store, "POST", "/auth/user/emailpass", json=credentials)
    if status != 200:
        return None
    bearer = {"Authorization": f"Bearer {answer['token']}"}
    status, headers, _ = await send_request(harness, store, "POST", "/auth/session", headers=bearer)
    assert status == 200
    cookie: str = headers["Set-Cookie"].partition(";")[0]
    return cookie
