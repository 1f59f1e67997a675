"""`make screenshots`: eight pages in both themes and on a phone, as PNG files in build/screenshots."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import expect

from schema.ids import decode_id
from tests.browser.conftest import SignedInPage
from tests.support.harness import JSON, ROOT, Harness, run_harness
from tests.support.stores import namespace_of
from tests.support.suspension import suspend_store

FOLDER = ROOT / "build" / "screenshots"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
DEVICES: dict[str, dict[str, Any]] = {
    "light": DESKTOP | {"color_scheme": "light"},
    "dark": DESKTOP | {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True},
}
OPEN_STORES = ("Nordlys Candles", "Bottega Rossi", "Café Élan", "Papier & Zwirn", "Fig & Olive")
"""The last one is the newest."""
EARLIER = """
UPDATE stores SET created_at = created_at - $2 * interval '7 hours', ready_at = ready_at - $2 * interval '7 hours',
                  health_since = health_since - $2 * interval '7 hours'
WHERE id = $1::uuid
"""


@pytest_asyncio.fixture
async def harness(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Harness]:
    """At the speed of a real cluster: the durations of steps are on the pictures."""
    async with run_harness(
        database_url, redis_url, tmp_path, speed=1, store_quota=15, creations_per_hour=20, failure_patience=4.0
    ) as running:
        yield running


async def create_stores(harness: Harness) -> dict[str, JSON]:
    """Stores by name: READY, except for one that is SUSPENDED, one that is FAILED, and one that is on its way."""
    stores = {name: await harness.create_store(name=name) for name in OPEN_STORES}
    await asyncio.gather(*(harness.wait_for_status(store["id"], "READY") for store in stores.values()))
    await suspend_store(harness, stores["Bottega Rossi"]["id"])
    stores["Second Spring"] = failed = await harness.create_store(name="Second Spring")
    image = {"fault": "image", "component": "web", "namespace": namespace_of(failed["id"])}
    await harness.set_faults(image)
    await harness.wait_for_status(failed["id"], "FAILED")
    await harness.wait_for_store(stores["Bottega Rossi"]["id"], status="SUSPENDED")
    stores["Halcyon Tea"] = moving = await harness.create_store(name="Halcyon Tea")
    unready = {"fault": "unready", "component": "database", "namespace": namespace_of(moving["id"])}
    await harness.set_faults(image, unready)
    for age, name in enumerate(reversed(OPEN_STORES)):
        await harness.sql(EARLIER, decode_id("Store", stores[name]["id"]), age)
    await harness.sql("UPDATE api_tokens SET name = 'Warehouse sync'")
    return stores


async def test_screenshots(harness: Harness, open_dashboard: SignedInPage) -> None:
    stores = await create_stores(harness)
    ready, failed, moving = (
        f"/stores/{stores[name]['slug']}" for name in ("Fig & Olive", "Second Spring", "Halcyon Tea")
    )
    pages = {
        "provisioning": (moving, "[role=tabpanel] li"),
        "stores": ("/", "[data-store]"),
        "create": ("/new", "[role=dialog]"),
        "ready": (ready, "[role=tabpanel] li"),
        "failed": (failed, "[role=tabpanel] li"),
        "logs": (f"{ready}/logs?component=web", "[role=log] > :nth-child(4)"),
        "account": ("/account", "main li"),
        "sign-in": ("/sign-in", "form"),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    for device, options in DEVICES.items():
        page = await open_dashboard(reduced_motion="reduce", **options)
        for name, (path, marker) in pages.items():
            await page.goto(harness.url + path)
            await expect(page.locator(marker).first).to_be_visible()
            if name == "create":
                await page.get_by_role("dialog").get_by_label("Name", exact=True).fill("Olive & Thyme")
                await expect(page.get_by_role("dialog").get_by_text("olive-thyme").first).to_be_visible()
            await page.wait_for_load_state("networkidle")
            await page.evaluate("document.fonts.ready")
            whole = device != "phone" and name in ("ready", "account")
            await page.screenshot(path=FOLDER / f"{name}-{device}.png", full_page=whole)
