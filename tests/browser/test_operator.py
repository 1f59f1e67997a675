"""The operator's pages in the browser: found by keyboard, readable for everybody, in both schemes and on a phone."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import SignedInPage
from tests.browser.test_accessibility import AXE, TOO_WIDE, VIOLATIONS, tab_to
from tests.support.harness import Harness
from tests.support.operators import become_operator
from tests.support.stores import create_ready_store, namespace_of
from tests.support.waiting import wait_until


async def problems(page: Page) -> list[str]:
    """What axe finds, and what makes the page scroll sideways."""
    await page.evaluate(AXE.read_text())
    return [*await page.evaluate(VIOLATIONS), *await page.evaluate(TOO_WIDE)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_an_operator_looks_suspends_and_signs_in_as_a_user(
    harness: Harness, open_dashboard: SignedInPage, scheme: str
) -> None:
    ready, _ = await create_ready_store(harness)
    failing = await harness.create_store(name="Unlucky")
    await harness.set_faults({"fault": "image", "namespace": namespace_of(failing["id"])})
    await harness.wait_for_status(failing["id"], "FAILED")
    await wait_until(lambda: harness.sql("SELECT 1 FROM cluster_capacity"))
    await harness.sign_up("operator@example.com")
    await become_operator(harness)

    page = await open_dashboard(email="operator@example.com", color_scheme=scheme)
    await tab_to(page, "operator@example.com, menu")
    await page.keyboard.press("Enter")
    await page.get_by_role("menuitem", name="Operator").press("Enter")
    await expect(page.get_by_role("heading", name="Stores by status")).to_be_visible()
    await expect(page.get_by_role("meter", name="CPU, cores, main")).to_be_visible()
    await expect(page.get_by_text("WooCommerce").first).to_be_visible()
    assert await problems(page) == []
    await page.set_viewport_size({"width": 360, "height": 740})
    assert await problems(page) == []
    await page.set_viewport_size({"width": 1280, "height": 720})

    await page.get_by_role("region", name="Why stores fail").get_by_role("link").click()
    await expect(page.get_by_role("link", name="Unlucky")).to_be_visible()
    await expect(page.get_by_role("link", name=ready["name"])).to_have_count(0)
    await page.get_by_role("button", name="Show all").click()
    await expect(page.get_by_role("link", name=ready["name"])).to_be_visible()
    await page.get_by_role("button", name="Failed").click()
    await expect(page.get_by_role("link", name=ready["name"])).to_have_count(0)
    assert await problems(page) == []

    await page.get_by_role("tab", name="Accounts").click()
    await expect(page.get_by_text("operator's stores")).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("owner@")
    await expect(page.get_by_text("operator's stores")).to_have_count(0)
    await page.get_by_role("button", name="Limits of owner's stores").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Stores").fill("7")
    await dialog.get_by_label("Creations in an hour").fill("8")
    assert await problems(page) == []
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("2 of 7")).to_be_visible()
    await page.get_by_role("button", name="Suspend owner's stores").click()
    await dialog.get_by_role("button", name="Suspend", exact=True).click()
    await expect(dialog.get_by_text("Give a reason of 1 to 300")).to_be_visible()
    await dialog.get_by_label("Reason").fill("Unpaid bill.")
    await dialog.get_by_role("button", name="Suspend", exact=True).click()
    await expect(page.get_by_text("Suspended: Unpaid bill.")).to_be_visible()
    assert await problems(page) == []

    await page.get_by_role("button", name="Sign in as owner@example.com").click()
    await dialog.get_by_label("Reason").fill("Ticket 42")
    await dialog.get_by_role("button", name="Sign in as", exact=True).click()
    banner = page.get_by_role("region", name="Signed in as somebody else")
    await expect(banner).to_contain_text("operator@example.com is signed in as owner@example.com")
    await expect(banner).to_contain_text("Ticket 42")
    await expect(page.get_by_role("region", name="The account is suspended")).to_contain_text("Unpaid bill.")
    await expect(page.get_by_text("Unlucky").first).to_be_visible()
    assert await problems(page) == []
    await banner.get_by_role("button", name="Return").click()
    await page.get_by_role("button", name="Resume owner's stores").click()
    await dialog.get_by_role("button", name="Resume", exact=True).click()
    await expect(page.get_by_text("Suspended: Unpaid bill.")).to_have_count(0)
    await harness.wait_for_store(ready["id"], status="READY")

    owner = await open_dashboard("/account/audit")
    await expect(owner.get_by_text("An operator signed in as")).to_be_visible()
    await expect(owner.get_by_text("Account suspended")).to_be_visible()
    await owner.goto(harness.url + "/operator")
    await expect(owner.get_by_role("alert")).to_contain_text("operators of this installation")
