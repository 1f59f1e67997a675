"""People with a browser: a shopper buys in a new store, and its owner signs in and sells something of their own."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.flow.fleet import Fleet
from tests.node.browser import PROGRAM, Page, chromium
from tests.node.conftest import NEEDS_PLUGIN
from tests.node.shoppers import ADDRESS, API, opened
from tests.node.test_woocommerce import credentials

pytestmark = [
    NEEDS_PLUGIN,
    pytest.mark.skipif(PROGRAM is None, reason="needs Chromium: apt-get install chromium"),
]
CART = f"fetch('{API}/cart').then(answer => answer.json())"
"""In the page: what the shop knows of its shopper."""


async def buy(page: Page, url: str) -> None:
    """From the store's address to the order, on foot."""
    await page.open(url)
    await page.sees("Fig & Olive", "Sample product")
    await page.click(".add_to_cart_button")
    await page.until(f"{CART}.then(cart => cart.items_count === 1)")
    await page.open(f"{url}/checkout/")
    await page.sees("Sample product", "Cash on delivery")
    await page.type("#email", ADDRESS["email"])
    for name in ("first_name", "last_name", "address_1", "postcode", "city"):
        await page.type(f"#billing-{name}", ADDRESS[name])
    # WooCommerce's page tells the shop a moment later, and takes an order without an address from whoever is quicker
    await page.until(f"{CART}.then(cart => cart.billing_address.city === {json.dumps(ADDRESS['city'])})")
    await page.click(".wc-block-components-checkout-place-order-button:not([aria-disabled=true])")
    await page.until("location.pathname.includes('order-received')")
    await page.sees("Order received", "Sample product", "Cash on delivery", "Ada Byron", "10117 Berlin")


async def sign_in(page: Page, url: str, username: str, password: str) -> None:
    await page.open(f"{url}/wp-admin/")
    await page.type("#user_login", username)
    await page.type("#user_pass", password)
    await page.click("#wp-submit")
    await page.until("location.pathname === '/wp-admin/' && document.querySelector('#wpadminbar') !== null")


async def add_product(page: Page, url: str, name: str) -> None:
    await page.open(f"{url}/wp-admin/post-new.php?post_type=product")
    await page.type("#title", name)
    await page.type("#_regular_price", "7.50")
    await page.click("#publish")
    await page.sees("Product published")


async def test_a_shopper_buys_and_the_owner_sells(fleet: Fleet, tmp_path: Path) -> None:
    store, _ = await opened(fleet, country="DE", currency="EUR")
    async with asyncio.timeout(120), chromium(fleet.http, tmp_path / "profile", people=2) as (shopper, owner):
        await buy(shopper, store["url"])
        await sign_in(owner, store["url"], *await credentials(fleet, store))
        await add_product(owner, store["url"], "Olive oil «extra» 橄欖油")
        await owner.open(f"{store['url']}/wp-admin/admin.php?page=wc-orders")
        await owner.sees("Ada Byron", "Processing")
        await shopper.open(store["url"])
        await shopper.sees("Olive oil «extra» 橄欖油", "7.50")
