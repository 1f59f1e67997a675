"""A MedusaJS store in real containers: it gets READY, a browser buys, and the owner sells and changes the password."""

import asyncio
import json
import os
import re
import signal
from functools import partial

from playwright.async_api import Page

from tests.node.medusa import (
    ADDRESS,
    ORDERS,
    StorefrontSession,
    create_medusa_store,
    process_of,
    rows,
    sign_in,
)
from tests.node.real_node import RealNode
from tests.node.shoppers import credentials, run_shoppers, send_request, wait_until_open
from tests.node.stores import is_replaced, pods
from tests.support.browser import NewPage, shows
from tests.support.harness import DELETE, Harness
from tests.support.log_subscription import LogSubscriber, follow_logs
from tests.support.stores import MERGE, PASSWORD_CHANGED, change_plan, has_notice, is_gone, rotate_password
from tests.support.suspension import resume_store, suspend_store
from tests.support.waiting import wait_until

PROOF_STEPS = ["database", "shop", "product", "cart", "checkout", "order", "cancel", "clean"]
NAME = "🫒 Fig & Olive „日本“ Öl ελιά زيتون"
SHOPPERS = 3
ORDERS_BETWEEN = 34
"""Acknowledged orders before, between and after the kills: a hundred together."""
NEW_PRODUCT = """
fetch("/admin/products", {
  method: "POST",
  headers: {"Content-Type": "application/json"},
  body: JSON.stringify(%s),
}).then(response => response.status)
"""

UPLOAD = """
(() => {
  const form = new FormData();
  form.append("files", new Blob(["pixels"], {type: "image/png"}), "olive.png");
  return fetch("/admin/uploads", {method: "POST", body: form}).then(response => response.json());
})()
"""


async def buy(page: Page, url: str) -> None:
    """From the front page to the order."""
    await page.goto(url)
    assert await page.inner_text(".brand") == NAME
    await page.click("text=Beispielprodukt")
    await page.click("button")
    await page.wait_for_url("**/cart")
    await shows(page, "Beispielprodukt", "Klein", "19,00 €", "24,00 €")
    await page.click("a[href='/checkout']")
    for name in ("email", "first_name", "last_name", "address_1", "postal_code", "city"):
        await page.fill(f"[name={name}]", ADDRESS[name])
    await shows(page, "Standardversand", "Zahlung bei Lieferung", "Deutschland")
    await page.click("form[action='/checkout'] button")
    await page.wait_for_url("**/orders/**")
    await shows(page, "Danke für Ihre Bestellung", "Bestellung 1", "Ada Byron", "10117 Berlin", "24,00 €")
    assert re.search(r"^\d{1,2}\. \w+ 20\d\d$", await page.inner_text("main"), re.MULTILINE)


def has_line(log: LogSubscriber, words: str) -> bool:
    return any(words in line for line in log.lines)


async def test_a_browser_buys_and_the_owner_sells(harness: Harness, node: RealNode, new_page: NewPage) -> None:
    store, namespace = await create_medusa_store(harness, name=NAME, language="de-DE")
    assert store["receipt"]["simulated"] is False
    assert [step["name"] for step in store["receipt"]["steps"]] == PROOF_STEPS
    assert await rows(harness, node, namespace, ORDERS) == []

    shopper = await new_page(java_script_enabled=False)
    await buy(shopper.page, store["url"])
    assert shopper.failed_requests == []
    [order] = await rows(harness, node, namespace, ORDERS)
    for component, words in (("web", f"Order {order} was placed."), ("database", "ready to accept connections")):
        async with follow_logs(harness, store["id"], component) as log:
            await log.wait_for(partial(has_line, log, words))
    assert (await send_request(harness, store, "GET", f"/orders/{order}"))[0] == 404  # without its key

    owner = (await new_page()).page
    email, password = await credentials(harness, store)
    await owner.goto(f"{store['url']}/app")
    await owner.fill("[name=email]", email)
    await owner.fill("[name=password]", password)
    await owner.click("button[type=submit]")
    await owner.wait_for_url("**/app/orders**")
    await shows(owner, "#1", ADDRESS["email"])

    [channel] = await rows(harness, node, namespace, "SELECT id FROM sales_channel")
    product = {
        "title": "Olive oil «extra» 橄欖油",
        "status": "published",
        "options": [{"title": "Size", "values": ["1 l"]}],
        "variants": [
            {
                "title": "1 l",
                "options": {"Size": "1 l"},
                "prices": [{"currency_code": "eur", "amount": 7.5}],
                "manage_inventory": False,
            }
        ],
        "sales_channels": [{"id": channel}],
    }
    assert await owner.evaluate(NEW_PRODUCT % json.dumps(product)) == 200
    await shopper.page.goto(store["url"])
    await shows(shopper.page, "Olive oil «extra» 橄欖油", "7,50 €")

    [picture] = (await owner.evaluate(UPLOAD))["files"]
    assert picture["url"].startswith(f"{store['url']}/static/")
    before = (await pods(harness, namespace))["web"]["metadata"]
    await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{namespace}/pods/{before['name']}")
    await wait_until(is_replaced(harness, namespace, "web", before["uid"]))
    await wait_until_open(harness, store)
    status, headers, body = await send_request(harness, store, "GET", picture["url"].removeprefix(store["url"]))
    assert (status, headers["Content-Type"], body) == (200, "image/png", "pixels")


async def test_killed_server_and_database_have_every_order_that_was_acknowledged(
    harness: Harness, node: RealNode
) -> None:
    store, namespace = await create_medusa_store(harness)
    async with run_shoppers(harness, store, SHOPPERS, StorefrontSession) as shop:
        # Node.js names its process by the thread
        for component, program in (("database", "postgres"), ("web", "MainThread")):
            await shop.sell(ORDERS_BETWEEN)
            killed = await process_of(harness, node, namespace, component, program)
            os.kill(killed.pid, signal.SIGKILL)
            await asyncio.to_thread(killed.wait, 10)
        await shop.sell(ORDERS_BETWEEN)
    assert shop.refusals or shop.interrupted, "they bought on while there was no shop"
    assert len(set(shop.keys)) == len(shop.keys) >= 100
    assert set(shop.keys) <= set(await rows(harness, node, namespace, ORDERS))
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")


async def test_a_store_grows_into_a_server_and_a_worker(harness: Harness, node: RealNode) -> None:
    """No acknowledged order is lost on the way, and the worker handles those that the server takes."""
    store, namespace = await create_medusa_store(harness)
    # no volume grows on this node, but its claims may
    classes = "/apis/storage.k8s.io/v1/storageclasses"
    _, found = await harness.kubernetes_request("GET", classes)
    [storage_class] = [item["metadata"]["name"] for item in found["items"]]
    patch = {"allowVolumeExpansion": True}
    await harness.kubernetes_request("PATCH", f"{classes}/{storage_class}", patch, **{"Content-Type": MERGE})

    async with run_shoppers(harness, store, SHOPPERS, StorefrontSession) as shop:
        await shop.sell(2)
        assert (await change_plan(harness, store["id"], "LARGE"))["userErrors"] == []
        await harness.wait_for_store(store["id"], status="READY", health="HEALTHY", plan="LARGE")
        await shop.sell(2)
    assert set(shop.keys) <= set(await rows(harness, node, namespace, ORDERS))
    await wait_until(lambda: was_handled(harness, namespace, "worker", shop.keys[-1]))
    assert not await was_handled(harness, namespace, "web", shop.keys[-1])

    await suspend_store(harness, store["id"])
    await harness.wait_for_store(store["id"], status="SUSPENDED")
    await resume_store(harness, store["id"])
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    await wait_until_open(harness, store)
    await shop.buy()
    await wait_until(lambda: was_handled(harness, namespace, "worker", shop.keys[-1]))


async def was_handled(harness: Harness, namespace: str, component: str, order: str) -> bool:
    """Whether the log of the component's pod says that the event of that order was handled there."""
    pod = (await pods(harness, namespace)).get(component)
    if pod is None:
        return False
    path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}/log"
    _, text = await harness.kubernetes_request("GET", path)
    return f"Order {order} was placed." in str(text)


async def test_a_new_password_a_pause_and_the_end(harness: Harness, node: RealNode) -> None:
    store, namespace = await create_medusa_store(harness)
    shop = StorefrontSession(harness, store)
    await shop.buy()
    email, first = await credentials(harness, store)
    session = await sign_in(harness, store, email, first)
    assert session is not None
    cookie = {"Cookie": session}
    assert (await send_request(harness, store, "GET", "/admin/orders", headers=cookie))[0] == 200
    await rotate_password(harness, store["id"])
    await wait_until(lambda: has_notice(harness, PASSWORD_CHANGED))
    _, second = await credentials(harness, store)
    assert await sign_in(harness, store, email, first) is None
    assert await sign_in(harness, store, email, second) is not None
    assert (await send_request(harness, store, "GET", "/admin/orders", headers=cookie))[0] == 401

    await suspend_store(harness, store["id"])
    await harness.wait_for_store(store["id"], status="SUSPENDED")
    await resume_store(harness, store["id"])
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    await wait_until_open(harness, store)
    assert await rows(harness, node, namespace, ORDERS) == shop.keys

    await harness.client().execute(DELETE, {"id": store["id"]})
    await harness.wait_for_status(store["id"], "DELETED")
    assert (await harness.get_store(store["id"]))["deletion"]["leftovers"] == []
    assert await is_gone(harness, f"/api/v1/namespaces/{namespace}")
