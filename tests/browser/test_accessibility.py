"""Everybody can use the dashboard: checked by axe, by keyboard, on a phone, with less motion, in other languages."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from runtime.frontend import FRONTEND
from tests.browser.conftest import SignedInPage
from tests.support.harness import Harness
from tests.support.stores import create_ready_store, namespace_of
from tests.support.webhooks import mutate

AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = """
async () => {
  const {violations} = await axe.run(document, {rules: {'target-size': {enabled: true}}})
  return violations.map(({id, nodes}) => `${id}: ${nodes.map(({html, any}) =>
    html.slice(0, 200) + ' ' + any.map(({message}) => message).join()).join(' | ')}`)
}
"""
TOO_WIDE = """
() => {
  const scrollable = ({overflowX, textOverflow}) =>
    ['auto', 'scroll'].includes(overflowX) || textOverflow === 'ellipsis'
  const scrolls = (element) => {
    for (let box = element.parentElement; box; box = box.parentElement)
      if (box.ariaHidden || scrollable(getComputedStyle(box))) return true
    return false
  }
  const wide = [...document.querySelectorAll('body *')].filter((element) => {
    const {left, right, width} = element.getBoundingClientRect()
    return width > 1 && (right > innerWidth + 1 || left < -1) && !scrolls(element)
  })
  const page = document.documentElement.scrollWidth > innerWidth ? ['the page itself'] : []
  return [...page, ...wide.map((element) => element.outerHTML.slice(0, 200))]
}
"""
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}

Check = Callable[[Page, str], Awaitable[None]]


async def visit_everything(harness: Harness, page: Page, check: Check) -> None:
    """Calls `check` with the page and a name: on each page, in each dialog, with stores in several states."""
    webhook = (await mutate(harness, "createWebhook", url="https://example.com/hooks"))["webhook"]["id"]
    await mutate(harness, "updateWebhook", id=webhook, enabled=False)
    ready, _ = await create_ready_store(harness)
    failing = await harness.create_store(name="Unlucky")
    await harness.set_faults({"fault": "image", "namespace": namespace_of(failing["id"])})
    await harness.wait_for_status(failing["id"], "FAILED")
    account = ("/account", "/account/members", "/account/audit", "/account/webhooks", f"/account/webhooks/{webhook}")
    for path in ("/", *account):
        await page.goto(harness.url + path)
        await expect(page.get_by_role("main").get_by_role("heading").first).to_be_visible()
        await page.wait_for_load_state("networkidle")
        await check(page, path)
    # Not by loading the page: a page that isn't there is a failed request.
    await page.evaluate("history.pushState(null, '', '/no-such-page'); dispatchEvent(new PopStateEvent('popstate'))")
    await expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    await check(page, "no such page")
    for store, tabs in ((ready, ("", "/activity", "/logs?component=web", "/settings")), (failing, ("",))):
        for tab in tabs:
            await page.goto(f"{harness.url}/stores/{store['slug']}{tab}")
            await expect(page.get_by_role("tabpanel").locator("li, dl, [role=log]").first).to_be_visible()
            await check(page, f"{store['name']}{tab}")
    for path in ("/new", "/account?token=new"):
        await page.goto(harness.url + path)
        await expect(page.get_by_role("dialog").get_by_label("Name", exact=True)).to_be_visible()
        await check(page, path)
    await page.goto(f"{harness.url}/account/webhooks")
    await page.get_by_role("button", name="Add a webhook").click()
    await expect(page.get_by_role("dialog").get_by_label("URL")).to_be_visible()
    await check(page, "webhook dialog")
    for key, name in (("Control+k", "palette"), ("?", "shortcuts")):
        await page.goto(harness.url)
        await expect(page.locator("[data-store]").first).to_be_visible()
        await page.keyboard.press(key)
        await expect(page.get_by_role("dialog")).to_be_visible()
        await check(page, name)
    await page.goto(f"{harness.url}/stores/{ready['slug']}/settings")
    await page.get_by_role("button", name="Delete this store").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await check(page, "deletion")
    await page.context.clear_cookies()
    for path in ("/sign-in", "/sign-up"):
        await page.goto(harness.url + path)
        await expect(page.get_by_label("E-mail")).to_be_visible()
        await check(page, path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(harness: Harness, open_dashboard: SignedInPage, scheme: str) -> None:
    assert AXE.exists(), "npm --prefix frontend ci installs axe-core"
    page = await open_dashboard(color_scheme=scheme, reduced_motion="reduce")
    found: dict[str, list[str]] = {}

    async def check(page: Page, name: str) -> None:
        assert await page.locator("html").get_attribute("data-scheme") == scheme
        await page.evaluate(AXE.read_text())
        found[name] = await page.evaluate(VIOLATIONS)

    await visit_everything(harness, page, check)
    assert len(found) == 20
    assert [f"{name}: {one}" for name, violations in found.items() for one in violations] == []


async def test_360_pixels_are_enough(harness: Harness, open_dashboard: SignedInPage) -> None:
    page = await open_dashboard(**PHONE)
    found: dict[str, list[str]] = {}

    async def check(page: Page, name: str) -> None:
        found[name] = await page.evaluate(TOO_WIDE)

    await visit_everything(harness, page, check)
    assert [f"{name}: {one}" for name, wide in found.items() for one in wide] == []


async def test_a_phone_reaches_everything_by_touch(harness: Harness, open_dashboard: SignedInPage) -> None:
    page = await open_dashboard(**PHONE)
    await page.get_by_role("navigation").get_by_role("link", name="Create store").tap()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name", exact=True).fill("Pocket Shop")
    await dialog.get_by_role("button", name="Create store").tap()
    await expect(page.get_by_role("heading", name="Pocket Shop", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name=re.compile("Open the shop")).first).to_be_visible()
    for tab in ("Activity", "Logs", "Settings", "Overview"):
        await page.get_by_role("tab", name=tab).tap()
        await expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
    await page.get_by_role("navigation", name="Main").get_by_role("link", name="Account").tap()
    await page.get_by_role("button", name="Create a token").tap()
    await dialog.get_by_label("Name", exact=True).fill("Phone")
    await dialog.get_by_role("button", name="Create token").tap()
    await dialog.get_by_role("button", name="I have it").tap()
    await page.get_by_role("navigation", name="Main").get_by_role("link", name="Stores").tap()
    await page.get_by_role("link", name="Pocket Shop", exact=True).tap()
    await page.get_by_role("button", name="More for Pocket Shop").tap()
    await page.get_by_role("menuitem", name="Delete…").tap()
    await dialog.get_by_role("textbox").fill("Pocket Shop")
    await dialog.get_by_role("button", name="Delete for good").tap()
    await expect(page.get_by_text("It was deleted")).to_be_visible()


async def tab_to(page: Page, name: str) -> None:
    """Press the Tab key until the focused element has that label or text."""
    focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText ?? ''"
    seen = []
    for _ in range(60):
        seen.append(str(await page.evaluate(focused)))
        if seen[-1].startswith(name):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key never reaches {name}: {seen}")


async def test_a_store_is_created_and_deleted_without_a_mouse(harness: Harness, open_dashboard: SignedInPage) -> None:
    page = await open_dashboard()
    await expect(page.get_by_text("Open your first shop")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await page.keyboard.press("Enter")
    await tab_to(page, "Create a store")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    await page.keyboard.type("Keys Only")
    await tab_to(page, "Create store")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Healthy").first).to_be_visible()
    await tab_to(page, "Overview")
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("tab", name="Settings")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Delete this store")).to_be_visible()
    await tab_to(page, "Delete this store")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Delete this store")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.type("Keys Only")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("It was deleted")).to_be_visible()


async def test_less_motion_when_the_system_asks_for_it(harness: Harness, open_dashboard: SignedInPage) -> None:
    store, _ = await create_ready_store(harness)
    page = await open_dashboard(f"/stores/{store['slug']}", reduced_motion="reduce")
    await expect(page.get_by_text("TOTAL")).to_be_visible()
    slow: Any = await page.evaluate(
        """() => [...document.querySelectorAll('*')].flatMap((element) => {
          const {animationName, animationDuration, transitionDuration} = getComputedStyle(element)
          const seconds = (list) => Math.max(...list.split(',').map(parseFloat))
          const moves = (animationName !== 'none' && seconds(animationDuration) > 0.01)
          return moves || seconds(transitionDuration) > 0.01 ? [element.outerHTML.slice(0, 200)] : []
        })"""
    )
    assert slow == []


async def test_german(harness: Harness, open_dashboard: SignedInPage) -> None:
    store, _ = await create_ready_store(harness)
    page = await open_dashboard(locale="de-AT")
    await expect(page.get_by_role("heading", name="Shops", exact=True)).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "de")
    for path in ("/", f"/stores/{store['slug']}", f"/stores/{store['slug']}/settings", "/account", "/new"):
        await page.goto(harness.url + path)
        await expect(page.get_by_role("heading").first).to_be_visible()
        texts = await page.locator("h1, h2, h3, button, label").all_inner_texts()
        assert not {"Stores", "Settings", "Account", "Cancel", "Close", "Name and address"} & set(texts), path


async def test_right_to_left(harness: Harness, open_dashboard: SignedInPage) -> None:
    store, _ = await create_ready_store(harness)
    page = await open_dashboard()
    await page.evaluate("localStorage.setItem('sf-locale', 'ar-XB')")
    for path in ("/", f"/stores/{store['slug']}", "/account"):
        await page.goto(harness.url + path)
        heading = page.get_by_role("main").get_by_role("heading").first
        await expect(heading).to_be_visible()
        await expect(page.locator("html")).to_have_attribute("dir", "rtl")
        left, right = await heading.evaluate(
            """(heading) => {
              const range = document.createRange()
              range.selectNodeContents(heading)
              const {left, right} = range.getBoundingClientRect()
              return [left, innerWidth - right]
            }"""
        )
        assert left > right, path
        assert await page.evaluate(TOO_WIDE) == [], path
    await page.goto(f"{harness.url}/stores/{store['slug']}/logs?component=web")
    await expect(page.get_by_role("log")).to_have_attribute("dir", "ltr")
