"""Ways around the dashboard: the command palette, keyboard shortcuts, toasts, the tab's title and icon, the tour."""

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import OWNER, SignedInPage, sign_in
from tests.support.browser import NewPage
from tests.support.harness import Harness
from tests.support.stores import create_ready_store


async def test_the_palette_navigates_by_keyboard(harness: Harness, open_dashboard: SignedInPage) -> None:
    store, _ = await create_ready_store(harness)
    await harness.create_store(name="Candle Corner")
    page = await open_dashboard()
    await expect(page.get_by_role("link", name="Candle Corner", exact=True)).to_be_visible()
    palette = page.get_by_role("dialog", name="Search or jump to")
    search = palette.get_by_role("combobox")

    async def choose(words: str, option: str) -> None:
        await page.keyboard.press("Control+k")
        await expect(search).to_be_focused()
        await page.keyboard.type(words)
        await expect(palette.get_by_role("option", selected=True)).to_contain_text(option)
        await page.keyboard.press("Enter")
        await expect(palette).to_be_hidden()

    await choose("fig", "Fig & Olive")
    await expect(page).to_have_url(f"{harness.url}/stores/{store['slug']}")
    await choose("follow", "Follow its logs")
    await expect(page.get_by_role("log")).to_be_visible()
    await choose("account", "Account")
    await expect(page).to_have_url(f"{harness.url}/account")
    await choose("api token", "Create an API token")
    await expect(page.get_by_role("dialog", name="Create an API token")).to_be_visible()
    await page.keyboard.press("Escape")

    await page.keyboard.press("Control+k")
    first = await palette.get_by_role("option", selected=True).text_content()
    assert first is not None
    await page.keyboard.press("ArrowDown")
    await expect(palette.get_by_role("option", selected=True)).not_to_have_text(first)
    await page.keyboard.press("ArrowUp")
    await expect(palette.get_by_role("option", selected=True)).to_have_text(first)
    await page.keyboard.type("xyzzy")
    await expect(palette).to_contain_text("Nothing here is called “xyzzy”.")
    await page.keyboard.press("Escape")
    await expect(palette).to_be_hidden()


async def scheme(page: Page) -> str | None:
    return await page.locator("html").get_attribute("data-scheme")


async def test_shortcuts(harness: Harness, open_dashboard: SignedInPage) -> None:
    store, _ = await create_ready_store(harness)
    page = await open_dashboard()
    await expect(page.get_by_role("link", name="Fig & Olive").first).to_be_visible()
    await page.keyboard.press("?")
    shortcuts = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(shortcuts).to_contain_text("Next, previous store")
    await page.keyboard.press("Escape")
    await expect(shortcuts).to_be_hidden()

    await page.keyboard.press("/")
    await expect(page.get_by_label("Filter the stores")).to_be_focused()
    await page.keyboard.type("c?")  # text, no shortcuts
    await expect(page.get_by_text("No store fits")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_label("Filter the stores")).to_have_value("")

    await expect(page.locator("[data-store]")).to_have_count(1)
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    path = f"{harness.url}/stores/{store['slug']}"
    await expect(page).to_have_url(path)
    await expect(page.get_by_role("tab", name="Overview")).to_be_visible()
    for key, tab in (("2", "/activity"), ("3", "/logs"), ("4", "/settings"), ("1", "")):
        await page.keyboard.press(key)
        await expect(page).to_have_url(re.compile(f"^{re.escape(path + tab)}$"))
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(f"{harness.url}/")
    await page.keyboard.type("ga")
    await expect(page).to_have_url(f"{harness.url}/account")
    await page.keyboard.type("gs")
    await expect(page).to_have_url(f"{harness.url}/")
    schemes = []
    for _ in range(3):
        await page.keyboard.press("t")
        schemes.append(await scheme(page))
    assert set(schemes) == {"light", "dark"}
    await page.keyboard.press("c")
    await expect(page.get_by_role("dialog", name="Create a store")).to_be_visible()


async def test_toasts_report_events_of_other_stores(harness: Harness, open_dashboard: SignedInPage) -> None:
    page = await open_dashboard("/account")
    icon = page.locator('link[rel="icon"]')
    await expect(icon).to_have_attribute("href", "/icons/idle.svg")
    await harness.create_store(name="Far Away")
    toast = page.locator("[data-toast]")
    await expect(toast).to_contain_text("Far Away is ready.")
    await toast.get_by_role("button", name="See it").click()
    await expect(page.get_by_role("heading", name="Far Away", exact=True)).to_be_visible()
    await expect(toast).to_be_hidden()
    await page.goto(harness.url)
    await harness.set_faults({"fault": "image", "component": "web"})
    await harness.create_store(name="Unlucky")
    await expect(toast).to_contain_text("Unlucky could not be set up.")
    await expect(page).to_have_title(re.compile(r"^\(1\) Stores"))
    await expect(icon).to_have_attribute("href", "/icons/attention.svg")


async def test_the_tour_has_three_steps_and_comes_once(harness: Harness, new_page: NewPage) -> None:
    page = (await new_page()).page
    await sign_in(page, harness.url)
    await page.goto(harness.url)
    tour = page.locator("[data-tour]")
    await expect(tour).to_contain_text("1 of 3")
    await tour.get_by_role("button", name="Next").click()
    await tour.get_by_role("button", name="Next").click()
    await tour.get_by_role("button", name="Got it").click()
    await expect(tour).to_be_hidden()
    await page.reload()
    await expect(page.get_by_role("button", name=f"{OWNER}, menu")).to_be_visible()
    await expect(tour).to_be_hidden()
