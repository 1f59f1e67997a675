"""The page of a store: overview, activity, logs and settings, each live."""

import re

from playwright.async_api import expect

from runtime.changefeed import CHANNEL
from schema.ids import decode_id
from tests.browser.conftest import SignedInPage
from tests.support.harness import JSON, Harness
from tests.support.log_subscription import follow_logs, print_lines
from tests.support.stores import create_ready_store
from tests.support.waiting import wait_until

REVEAL = """
mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { password } } }
"""
NOTICES = """
INSERT INTO events (account_id, store_id, type, status, message)
SELECT account_id, id, 'NOTICE', 'READY', $2 || number FROM stores, generate_series(1, $3) number WHERE id = $1::uuid
"""
MINUTE_MS = 60_000


async def add_notices(harness: Harness, store: JSON, words: str, count: int = 1) -> None:
    """Notices in the store's history, as a worker writes them: `words` and a number from 1 on."""
    await harness.sql(NOTICES, decode_id("Store", store["id"]), words, count)
    await harness.sql("SELECT pg_notify($1, $2)", CHANNEL, str(decode_id("Account", store["accountId"])))


async def admin_password(harness: Harness, store: JSON) -> str:
    data = await harness.client().execute(REVEAL, {"id": store["id"]})
    password: str = data["revealAdminCredentials"]["credentials"]["password"]
    return password


async def test_overview_shows_the_receipt_and_the_password_for_a_minute(
    harness: Harness, open_dashboard: SignedInPage
) -> None:
    store, _ = await create_ready_store(harness)
    password = await admin_password(harness, store)
    page = await open_dashboard(permissions=["clipboard-read", "clipboard-write"])
    await page.clock.install()
    await page.goto(f"{harness.url}/stores/{store['slug']}")
    await expect(page.get_by_text("TOTAL")).to_be_visible()
    await expect(page.get_by_text("SIMULATED").first).to_be_visible()
    assert password not in await page.content()
    await page.get_by_role("button", name="Reveal").click()
    await expect(page.get_by_text(password, exact=True)).to_be_visible()
    await page.get_by_role("button", name="Copy the password").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == password
    for _ in range(MINUTE_MS // 1000 + 1):
        await page.clock.run_for(1000)
    await expect(page.get_by_role("button", name="Reveal")).to_be_visible()
    assert password not in await page.content()


async def test_overview_says_since_when_and_why_shoppers_cannot_buy(
    harness: Harness, open_dashboard: SignedInPage
) -> None:
    store, _ = await create_ready_store(harness)
    page = await open_dashboard(f"/stores/{store['slug']}")
    await expect(page.get_by_text("Healthy").first).to_be_visible()
    await harness.set_faults({"fault": "crash", "component": "web"})
    banner = page.get_by_role("region", name="Health")
    await expect(banner).to_contain_text(re.compile("Shoppers can.t buy"))
    down = await harness.wait_for_store(store["id"], health="DOWN")
    await expect(banner).to_contain_text(down["health"]["cause"])
    await expect(banner.locator("time")).to_have_attribute("datetime", down["health"]["since"])
    await harness.set_faults()
    await expect(banner).to_be_hidden()


async def test_activity_is_paged_filtered_and_live(harness: Harness, open_dashboard: SignedInPage) -> None:
    store, _ = await create_ready_store(harness)
    await add_notices(harness, store, "Earlier ", 60)
    page = await open_dashboard(f"/stores/{store['slug']}/activity")
    events = page.locator("[data-event]")
    await expect(events).to_have_count(50)
    await expect(events.first).to_contain_text("Earlier 60")
    await page.get_by_role("button", name="Show more").click()
    await expect(page.get_by_text("Earlier 1", exact=True)).to_be_visible()
    [row] = await harness.sql("SELECT count(*) FROM events")
    await expect(events).to_have_count(row["count"])
    await page.get_by_role("button", name="States").click()
    await expect(page.locator('[data-event="NOTICE"]')).to_have_count(0)
    await page.get_by_role("button", name="Notices").click()
    await add_notices(harness, store, "Just now ")
    await expect(events.first).to_contain_text("Just now 1")
    await expect(events).to_have_count(61)


async def test_logs_are_followed_paused_searched_wrapped_and_copied(
    harness: Harness, open_dashboard: SignedInPage
) -> None:
    store, _ = await create_ready_store(harness)
    page = await open_dashboard(
        f"/stores/{store['slug']}/logs?component=web", permissions=["clipboard-read", "clipboard-write"]
    )
    log = page.get_by_role("log")
    await expect(log).to_contain_text("SIMULATED")
    await print_lines(harness, store["id"], "a haystack", "a needle in it")
    await expect(log).to_contain_text("a needle in it")
    await page.get_by_label("Filter the lines").fill("NEEDLE")
    await expect(log).not_to_contain_text("a haystack")
    await expect(log.locator("mark")).to_have_text("needle")
    await page.get_by_role("button", name="Copy the lines").click()
    assert await page.evaluate("navigator.clipboard.readText()") == "a needle in it"
    await page.get_by_label("Filter the lines").fill("")

    await page.get_by_role("button", name="Pause", exact=True).click()
    async with follow_logs(harness, store["id"]) as others:
        await print_lines(harness, store["id"], "while it paused")
        await others.wait_for_lines("while it paused")
    await expect(log).not_to_contain_text("while it paused")
    await page.get_by_role("button", name="Follow", exact=True).click()
    await expect(log).to_contain_text("while it paused")

    wrap = page.get_by_role("button", name="Wrap long lines")
    await wrap.click()
    await expect(wrap).to_have_attribute("aria-pressed", "true")
    await page.get_by_label("Component of the store").select_option("database")
    await expect(log).to_contain_text("ready for connections")
    await expect(page).to_have_url(re.compile(r"\?component=database$"))


async def test_settings_suspend_and_resume(harness: Harness, open_dashboard: SignedInPage) -> None:
    store, _ = await create_ready_store(harness)
    page = await open_dashboard(f"/stores/{store['slug']}/settings")
    await page.get_by_role("button", name="Suspend…").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Its data and its address are kept")
    await dialog.get_by_role("button", name="Suspend it").click()
    await expect(dialog).to_be_hidden()
    reopen = page.get_by_role("button", name="Open again…")
    await expect(reopen).to_be_enabled()
    await expect(page.get_by_text("Suspended").first).to_be_visible()
    assert (await harness.get_store(store["id"]))["status"] == "SUSPENDED"
    await reopen.click()
    await page.get_by_role("dialog").get_by_role("button", name="Open it").click()
    await expect(page.get_by_role("link", name="Open the shop")).to_be_visible()
    assert (await harness.get_store(store["id"]))["status"] == "READY"


async def test_settings_change_the_shops_password(harness: Harness, open_dashboard: SignedInPage) -> None:
    store, _ = await create_ready_store(harness)
    before = await admin_password(harness, store)
    page = await open_dashboard(f"/stores/{store['slug']}/settings", permissions=["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Change it…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Copy as code").click()
    await page.get_by_role("menuitem", name="Copy as curl").click()
    await wait_until(lambda: page.evaluate("navigator.clipboard.readText()"))
    command = await page.evaluate("navigator.clipboard.readText()")
    assert command.startswith(f"curl -s '{harness.url}/graphql'")
    assert store["id"] in command
    await dialog.get_by_role("button", name="Change it").click()
    await expect(page.get_by_text("The password is being changed")).to_be_visible()
    await page.get_by_role("tab", name="Activity").click()
    await expect(page.get_by_text("The owner's password was changed.")).to_be_visible()
    after = await admin_password(harness, store)
    assert after != before
    await page.get_by_role("tab", name="Overview").click()
    await page.get_by_role("button", name="Reveal").click()
    await expect(page.get_by_text(after, exact=True)).to_be_visible()


async def test_settings_change_the_plan_to_one_with_larger_disks(
    harness: Harness, open_dashboard: SignedInPage
) -> None:
    store = await harness.create_store(plan="MEDIUM")
    await harness.wait_for_status(store["id"], "READY")
    page = await open_dashboard(f"/stores/{store['slug']}/settings")
    plans = page.get_by_role("dialog").get_by_role("radio")
    await page.get_by_role("button", name="Change the plan…").click()
    await expect(plans.nth(0)).to_be_disabled()
    await expect(plans.nth(1)).to_be_checked()
    change = page.get_by_role("dialog").get_by_role("button", name="Change it")
    await expect(change).to_be_disabled()
    await plans.nth(2).check(force=True)  # the input itself is hidden; its card is what people see
    await change.click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_text(re.compile("^Large: "))).to_be_visible()
    assert (await harness.wait_for_store(store["id"], status="READY"))["plan"] == "LARGE"
    await expect(page.locator("h1 + div").get_by_text("Ready", exact=True)).to_be_visible()
