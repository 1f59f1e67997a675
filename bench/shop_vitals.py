"""`python -m bench.shop_vitals URL`: what a browser measures in a shop's pages, on a desktop and on a slow phone.

Prints JSON: rows of page, device and figures. `--pictures FOLDER`: also takes a picture of each page.
"""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from tests.support.browser import CHROMIUM, LAUNCH_ARGUMENTS

PAGES = {"home": "/", "product": "/product/storefleet-sample/", "cart": "/cart/", "checkout": "/checkout/"}
LATE_TEXTS = {"cart": ("Sample product",), "checkout": ("Cash on delivery", "10,00")}
"""Texts that scripts add to the page."""
DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1200, "height": 820}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 1.5,
        "is_mobile": True,
        "has_touch": True,
    },
}
SLOW_PHONE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
"""A slow 4G network, as Lighthouse has it; in bytes a second and milliseconds."""
CPU_SLOWDOWN = 4
FIGURES = """() => new Promise(resolve => {
  const found = {shift: 0, longest: 0, blocking: 0}
  const observe = (type, add) => new PerformanceObserver(list => list.getEntries().forEach(add))
    .observe({type, buffered: true})
  observe('largest-contentful-paint', entry => { found.largest_paint = entry.startTime })
  observe('layout-shift', entry => { if (!entry.hadRecentInput) found.shift += entry.value })
  observe('longtask', entry => { found.blocking += Math.max(0, entry.duration - 50) })
  setTimeout(() => {
    const loaded = [performance.getEntriesByType('navigation')[0], ...performance.getEntriesByType('resource')]
    found.first_byte = loaded[0].responseStart - loaded[0].requestStart
    found.first_paint = performance.getEntriesByName('first-contentful-paint')[0]?.startTime
    found.requests = loaded.length
    found.kilobytes = loaded.reduce((sum, entry) => sum + entry.transferSize, 0) / 1000
    resolve(found)
  }, 1000)
})"""


async def measure(browser: Browser, url: str, device: str, pictures: Path | None) -> list[dict[str, Any]]:
    """A first visit of each page, without anything in the browser's cache; then pictures with something in the cart."""
    rows = []
    for name in ("home", "product"):
        context = await browser.new_context(**DEVICES[device])
        page = await context.new_page()
        if device == "phone":
            session = await context.new_cdp_session(page)
            await session.send("Network.enable")
            await session.send("Network.emulateNetworkConditions", SLOW_PHONE)
            await session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWDOWN})
        await page.goto(url + PAGES[name], wait_until="load")
        rows.append({"page": name, "device": device, **await page.evaluate(FIGURES)})
        await context.close()
    if pictures:
        await take_pictures(await (await browser.new_context(**DEVICES[device])).new_page(), url, device, pictures)
    return rows


async def take_pictures(page: Page, url: str, device: str, folder: Path) -> None:
    """Of the home page, and with something in the cart of the other pages."""
    for name, path in PAGES.items():
        await page.goto(url + path, wait_until="networkidle")
        for text in LATE_TEXTS.get(name, ()):
            await page.locator("main").get_by_text(text).filter(visible=True).first.wait_for()
        await page.screenshot(path=folder / f"shop-{name}-{device}.png")
        if name == "home":  # without a notice on the next page
            await page.locator(".add_to_cart_button").first.click()
            await page.locator(".wc-block-mini-cart__badge").filter(has_text="1").wait_for()


async def run(url: str, pictures: Path | None) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=LAUNCH_ARGUMENTS)
        rows = [row for device in DEVICES for row in await measure(browser, url, device, pictures)]
        await browser.close()
    print(json.dumps(rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.shop_vitals", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--pictures", type=Path, help="a folder")
    options = parser.parse_args()
    asyncio.run(run(options.url.rstrip("/"), options.pictures))
