"""Load on a store: time to first byte, and pages per second with concurrent shoppers."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

SKU = "storefleet-sample"
PAGES = {
    "WOOCOMMERCE": ("/", "/product/storefleet-sample/", "/checkout/"),
    "MEDUSA": ("/", "/products/sample-product", "/checkout"),
}
"""By engine: home, product and checkout."""
PRODUCTS = {"WOOCOMMERCE": "/wp-json/wc/store/v1/products", "MEDUSA": "/store/products"}
"""By engine: the products in the Store API."""
STATIC_FILE = "/wp-includes/css/dashicons.min.css?ver=1"
CART_COOKIE = {"Cookie": "woocommerce_items_in_cart=1"}
"""The page cache serves only visitors without it."""


@dataclass
class Shopper:
    """A shopper with its own cookies, who visits the store through the ingress controller."""

    session: aiohttp.ClientSession
    url: str
    """The store's URL."""
    engine: str
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    """Of each visit, in addition."""

    async def visit(self, path: str) -> tuple[int, float]:
        """GET a path. Returns the status, and the milliseconds to the first byte."""
        address = urlsplit(self.url)
        headers = {
            "Host": address.netloc,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            **self.headers,
        }
        started = time.perf_counter()
        url = f"http://127.0.0.1:{address.port}{path}"
        async with self.session.get(url, headers=headers, allow_redirects=False) as answer:
            took = (time.perf_counter() - started) * 1000
            self.cookies |= {name: morsel.value for name, morsel in answer.cookies.items()}
            await answer.read()
            return answer.status, took

    async def fill_cart(self) -> None:
        """Put the sample product into the cart."""
        if self.engine == "MEDUSA":
            await self._post_to_cart()
        else:
            await self._follow_add_to_cart()

    async def _post_to_cart(self) -> None:
        address = urlsplit(self.url)
        url, headers = f"http://127.0.0.1:{address.port}", {"Host": address.netloc}
        async with self.session.get(url + PAGES[self.engine][1], headers=headers) as answer:
            variant = re.findall(r'name="variant" value="(\w+)"', await answer.text())[0]
        form = {"action": "add", "variant": variant, "quantity": "1"}
        async with self.session.post(f"{url}/cart", data=form, headers=headers, allow_redirects=False) as answer:
            assert answer.status == 303, answer.status
            self.cookies |= {name: morsel.value for name, morsel in answer.cookies.items()}

    async def _follow_add_to_cart(self) -> None:
        address = urlsplit(self.url)
        path = f"/wp-json/wc/store/v1/products?sku={SKU}"
        url = f"http://127.0.0.1:{address.port}{path}"
        async with self.session.get(url, headers={"Host": address.netloc}) as answer:
            [product] = await answer.json()
        status, _ = await self.visit(f"/?add-to-cart={product['id']}")
        assert status in (200, 302), status

    async def time_to_first_byte(self, path: str, times: int) -> list[float]:
        """Visit the path `times` times, after one visit that isn't counted. Returns milliseconds."""
        took = []
        for number in range(times + 1):
            status, milliseconds = await self.visit(path)
            assert status == 200, f"{path} answered {status}"
            if number:
                took.append(milliseconds)
        return took


async def publishable_key(session: aiohttp.ClientSession, url: str, email: str, password: str) -> dict[str, str]:
    """The header without which Medusa's Store API answers nobody; the owner reads the key in the admin."""
    address = urlsplit(url)
    base, headers = f"http://127.0.0.1:{address.port}", {"Host": address.netloc}
    credentials = {"email": email, "password": password}
    async with session.post(f"{base}/auth/user/emailpass", json=credentials, headers=headers) as answer:
        headers["Authorization"] = f"Bearer {(await answer.json())['token']}"
    async with session.get(f"{base}/admin/api-keys?type=publishable", headers=headers) as answer:
        [key] = (await answer.json())["api_keys"]
    return {"x-publishable-api-key": key["token"]}


async def run_shoppers(session: aiohttp.ClientSession, url: str, engine: str, shoppers: int, seconds: float) -> float:
    """Pages per second while that many shoppers visit home, product and checkout without a pause."""
    end, pages = time.monotonic() + seconds, 0

    async def shop() -> None:
        nonlocal pages
        shopper = Shopper(session, url, engine)
        await shopper.fill_cart()
        while time.monotonic() < end:
            for path in PAGES[engine]:
                status, _ = await shopper.visit(path)
                assert status == 200, f"{path} answered {status}"
                pages += 1

    started = time.monotonic()
    await asyncio.gather(*(shop() for _ in range(shoppers)))
    return pages / (time.monotonic() - started)
