"""A WooCommerce store as its shoppers see it: how long they wait for the first byte, and what a crowd gets."""

import asyncio
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

SKU = "storefleet-sample"
PRODUCT = "/product/storefleet-sample/"


@dataclass
class Shopper:
    """By the store's address, through the ingress, with cookies of their own."""

    session: aiohttp.ClientSession
    url: str
    """The store's."""
    cookies: dict[str, str] = field(default_factory=dict)

    async def visit(self, path: str) -> tuple[int, float]:
        """The status, and milliseconds until the answer began."""
        address = urlsplit(self.url)
        headers = {
            "Host": address.netloc,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        began = time.perf_counter()
        url = f"http://127.0.0.1:{address.port}{path}"
        async with self.session.get(url, headers=headers, allow_redirects=False) as answer:
            took = (time.perf_counter() - began) * 1000
            self.cookies |= {name: morsel.value for name, morsel in answer.cookies.items()}
            await answer.read()
            return answer.status, took

    async def fill_cart(self) -> None:
        address = urlsplit(self.url)
        path = f"/wp-json/wc/store/v1/products?sku={SKU}"
        url = f"http://127.0.0.1:{address.port}{path}"
        async with self.session.get(url, headers={"Host": address.netloc}) as answer:
            [product] = await answer.json()
        status, _ = await self.visit(f"/?add-to-cart={product['id']}")
        assert status in (200, 302), status

    async def first_bytes(self, path: str, times: int) -> list[float]:
        """Milliseconds, of that many visits one after the other, after one that isn't counted."""
        took = []
        for number in range(times + 1):
            status, milliseconds = await self.visit(path)
            assert status == 200, f"{path} answered {status}"
            if number:
                took.append(milliseconds)
        return took


async def crowd(session: aiohttp.ClientSession, url: str, shoppers: int, seconds: float) -> float:
    """Pages a second while so many look at home, product and checkout without a pause."""
    end, pages = time.monotonic() + seconds, 0

    async def shop() -> None:
        nonlocal pages
        shopper = Shopper(session, url)
        await shopper.fill_cart()
        while time.monotonic() < end:
            for path in ("/", PRODUCT, "/checkout/"):
                status, _ = await shopper.visit(path)
                assert status == 200, f"{path} answered {status}"
                pages += 1

    began = time.monotonic()
    await asyncio.gather(*(shop() for _ in range(shoppers)))
    return pages / (time.monotonic() - began)
