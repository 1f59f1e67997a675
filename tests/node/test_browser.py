"""Stores in a real browser: a shopper buys, and the owner signs in and sells a new product."""

import json

from playwright.async_api import Page

from tests.node.plugin import NEEDS_PLUGIN
from tests.node.shoppers import API, BILLING_ADDRESS, create_open_store, credentials
from tests.node.stores import create_ready_store
from tests.support.browser import NewPage, find_violations, shows
from tests.support.harness import Harness
from tests.support.waiting import wait_until

MINI_CART = '[data-wp-bind--role="state.drawerRole"]'
NOT_OURS = (MINI_CART, '[aria-label^="Loading"]', "#email", ".zoomImg")
"""What is WooCommerce's: the closed mini cart, labels of what isn't loaded yet, the e-mail field, the zoom."""
TOTAL = "10,00\u00a0€"
CART = f"fetch('{API}/cart').then(response => response.json())"
"""A JavaScript expression: the shopper's cart in the Store API."""


async def buy(page: Page, url: str) -> None:
    """From the front page to the order."""
    await page.goto(url)
    await shows(page, "Fig & Olive", "Sample product")
    await page.locator(".add_to_cart_button").first.click()
    await wait_until(lambda: page.evaluate(f"{CART}.then(cart => cart.items_count === 1)"))
    await page.locator(".wc-block-mini-cart__button").click()
    await shows(page, "Your cart", "View my cart")
    assert await find_violations(page, part=MINI_CART) == [], "mini cart"
    for path, texts in (("/cart/", ("Estimated total", "Sample product")), ("/checkout/", ("Cash on delivery", TOTAL))):
        assert await violations(page, f"{url}{path}", *texts) == [], path
    await page.fill("#email", BILLING_ADDRESS["email"])
    for name in ("first_name", "last_name", "address_1", "postcode", "city"):
        await page.fill(f"#billing-{name}", BILLING_ADDRESS[name])
    # the page sends the address with a delay, and accepts an order before that, without the address
    city = json.dumps(BILLING_ADDRESS["city"])
    await wait_until(lambda: page.evaluate(f"{CART}.then(cart => cart.billing_address.city === {city})"))
    await page.click(".wc-block-components-checkout-place-order-button:not([aria-disabled=true])")
    await page.wait_for_url("**/order-received/**")
    await shows(page, "Order received", "Sample product", "Cash on delivery", "Ada Byron", "10117 Berlin")
    assert await find_violations(page, NOT_OURS) == [], "order received"


async def violations(page: Page, url: str, *texts: str) -> list[list[str]]:
    """What axe finds in a page that shows these texts."""
    await page.goto(url)
    await shows(page, *texts)
    return await find_violations(page, NOT_OURS)


async def sign_in(page: Page, url: str, username: str, password: str) -> None:
    await page.goto(f"{url}/wp-admin/")
    await page.fill("#user_login", username)
    await page.fill("#user_pass", password)
    await page.click("#wp-submit")
    await page.wait_for_selector("#wpadminbar")


async def add_product(page: Page, url: str, name: str, price: str) -> None:
    await page.goto(f"{url}/wp-admin/post-new.php?post_type=product")
    await page.fill("#title", name)
    await page.fill("#_regular_price", price)
    await page.click("#publish")
    await shows(page, "Product published")


async def change_price(page: Page, price: str) -> None:
    """On the page of the product that was added."""
    await page.fill("#_regular_price", price)
    await page.click("#publish")
    await shows(page, "Product updated")


async def is_stored(page: Page, url: str) -> bool:
    """Visits the page. Whether it came from the page cache."""
    answer = await page.goto(url)
    assert answer is not None
    assert answer.status == 200
    return "hit" in (await answer.all_headers()).get("cache-status", "")


async def test_a_sample_shop_opens_without_errors(harness: Harness, new_page: NewPage) -> None:
    store, _ = await create_ready_store(harness)
    shopper = await new_page()
    await shopper.page.goto(store["url"])
    await shows(shopper.page, "🫒 Fig & Olive", "A jar of olives, 4.90")
    assert (shopper.console_errors, shopper.failed_requests) == ([], [])
    await shopper.page.goto(f"{store['url']}/missing")
    assert shopper.failed_requests == [f"GET {store['url']}/missing: 404"]


@NEEDS_PLUGIN
async def test_a_shopper_buys_and_the_owner_sells(harness: Harness, new_page: NewPage) -> None:
    store, _ = await create_open_store(harness, country="DE", currency="EUR")
    shopper, owner, visitor, other_visitor = [(await new_page()).page for _ in range(4)]
    phone = (await new_page(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)).page
    for path in ("/", "/shop/", "/product/storefleet-sample/", "/my-account/", "/nothing-here/"):
        for page in (shopper, phone):
            assert await violations(page, f"{store['url']}{path}") == [], path
    await buy(shopper, store["url"])
    await buy(phone, store["url"])
    await visitor.goto(store["url"])  # without a cart or an account
    await shows(visitor, "Sample product")
    await sign_in(owner, store["url"], *await credentials(harness, store))
    await add_product(owner, store["url"], "Olive oil «extra» 橄欖油", "7,50")
    await visitor.goto(store["url"])
    await shows(visitor, "Olive oil «extra» 橄欖油", "7,50 €")
    await wait_until(lambda: is_stored(visitor, store["url"]))
    await change_price(owner, "8,50")
    assert not await is_stored(other_visitor, store["url"])
    await shows(other_visitor, "Olive oil «extra» 橄欖油", "8,50 €")
    await wait_until(lambda: is_stored(visitor, store["url"]))
    await shows(visitor, "8,50 €")
    await owner.goto(f"{store['url']}/wp-admin/admin.php?page=wc-orders")
    await shows(owner, "Ada Byron", "Processing")
