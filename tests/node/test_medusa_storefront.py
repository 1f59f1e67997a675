"""The storefront of a MedusaJS store in a browser: small pages without scripts that everybody can use.

On a phone and on a desktop, in both themes. Leaves pictures in build/screenshots.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from playwright.async_api import Page

from tests.node.medusa import ADDRESS, create_medusa_store, sign_in
from tests.node.shoppers import credentials, send_request
from tests.support.browser import NewPage, find_violations, shows
from tests.support.harness import JSON, ROOT, Harness

PICTURES = ROOT / "build" / "screenshots"
PAGE_BYTES = 60_000
"""Of a page and its stylesheet, uncompressed."""
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1200, "height": 820}},
    "phone": {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "is_mobile": True},
}
TITLES = (
    *("Donaudampfschifffahrtsgesellschaftskapitänsmütze", "橄欖油 「特級」", "زيت زيتون", "Ελαιόλαδο από την Κρήτη"),
    *("Olivenöl «extra nativ»", "Grüne Oliven", "Schwarze Oliven", "Olivenseife", "Schale aus Olivenholz", "Tapenade"),
    *("Feigen, getrocknet", "Feigensenf", "Feigenmarmelade", "Feigenessig", "Feigenbaum im Topf", "Brotzeitbrett"),
    *("Salzmandeln", "Kapern in Meersalz", "Getrocknete Tomaten", "Zitronenöl", "Rosmarinsalz", "Fladenbrot"),
    "Geschenkkorb «Fig & Olive»",
)
PRODUCTS = len(TITLES) + 1
"""On the first page of home, with the sample product."""
PICTURE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 90 90'%3E%3Cpath fill='hsl({0},32%,88%)'"
    " d='M0 0h90v90H0z'/%3E%3Cg transform='rotate(25 45 45)'%3E%3Cellipse cx='45' cy='48' rx='18' ry='24'"
    " fill='hsl({0},35%,38%)'/%3E%3Cellipse cx='38' cy='40' rx='4' ry='7' fill='hsl({0},40%,62%)'/%3E%3C/g%3E%3C/svg%3E"
)
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def add_products(harness: Harness, store: JSON) -> None:
    """As the owner does in the admin, until there are PRODUCTS."""
    cookie = await sign_in(harness, store, *await credentials(harness, store))
    assert cookie is not None
    owner = {"headers": {"Cookie": cookie}}
    _, _, found = await send_request(harness, store, "GET", "/admin/sales-channels", **owner)
    [channel] = found["sales_channels"]
    products = [
        {
            "title": title,
            "handle": f"olives-{number}",
            "status": "published",
            "thumbnail": PICTURE.format(number * 47 % 140 + 20),
            "options": [{"title": "Size", "values": ["One"]}],
            "variants": [
                {
                    "title": "One",
                    "options": {"Size": "One"},
                    "prices": [{"currency_code": "eur", "amount": 4.9 + number * 1.5}],
                    "manage_inventory": False,
                }
            ],
            "sales_channels": [{"id": channel["id"]}],
        }
        for number, title in enumerate(TITLES)
    ]
    status, _, answer = await send_request(
        harness, store, "POST", "/admin/products/batch", json={"create": products}, **owner
    )
    assert status == 200, answer


@dataclass
class Visitor:
    """Visits pages and checks them: small, without scripts, without a violation, as wide as the screen."""

    harness: Harness
    store: JSON
    page: Page
    device: str
    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes by page, with the stylesheet."""

    async def visit(self, path: str) -> str:
        """Returns the page's HTML."""
        response = await self.page.goto(f"{self.store['url']}{path}")
        assert response is not None
        assert response.status == 200
        return await response.text()

    async def check(self, name: str, path: str) -> None:
        text = await self.visit(path)
        assert "<script" not in text
        [style] = re.findall(r'<link rel="stylesheet" href="([^"]+)">', text)
        _, _, css = await send_request(self.harness, self.store, "GET", style)
        self.sizes[name] = len(text.encode()) + len(css.encode())
        assert self.sizes[name] <= PAGE_BYTES, name
        for scheme in SCHEMES:
            await self.page.emulate_media(color_scheme=scheme)
            assert await find_violations(self.page) == [], (name, scheme)
            assert await self.page.evaluate(OVERFLOW) == 0, (name, scheme)
            await self.page.screenshot(path=PICTURES / f"medusa-{name}-{self.device}-{scheme}.png")

    async def add_to_cart(self, handle: str) -> None:
        await self.visit(f"/products/{handle}")
        await self.page.click("main button")
        await self.page.wait_for_url("**/cart")


async def test_pages_are_small_and_everybody_can_use_them(harness: Harness, new_page: NewPage) -> None:
    store, _ = await create_medusa_store(harness, name="Fig & Olive", language="de-DE")
    await add_products(harness, store)
    PICTURES.mkdir(parents=True, exist_ok=True)
    for device, options in DEVICES.items():
        shopper = await new_page(**options)
        page, visitor = shopper.page, Visitor(harness, store, shopper.page, device)
        await visitor.check("home", "/")
        assert await page.locator("main li").count() == PRODUCTS == 24
        await shows(page, *TITLES)
        await visitor.check("product", "/products/sample-product")
        await visitor.add_to_cart("sample-product")
        await visitor.add_to_cart("olives-0")
        await visitor.check("cart", "/cart")
        await visitor.check("checkout", "/checkout")
        for name in ("email", "first_name", "last_name", "address_1", "postal_code", "city"):
            await page.fill(f"[name={name}]", ADDRESS[name])
        await page.click("form[action='/checkout'] button")
        await page.wait_for_url("**/orders/**")
        await visitor.check("order", page.url.removeprefix(store["url"]))
        assert (shopper.console_errors, shopper.failed_requests) == ([], [])
        print(f"bytes on a {device}:", visitor.sizes)
