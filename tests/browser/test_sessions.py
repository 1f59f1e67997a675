"""Signing in and out: by password, by link, after a session has ended, and in two tabs."""

import asyncio
import re
import sys

from playwright.async_api import Page, expect

from tests.browser.conftest import OWNER, SignedInPage, sign_in
from tests.support.browser import NewPage
from tests.support.harness import PASSWORD, ROOT, Harness, process_environment

END_SESSIONS = "UPDATE sessions SET revoked_at = now()"


async def new_tab(page: Page, url: str) -> Page:
    """Another tab of the same browser context."""
    tab = await page.context.new_page()
    await tab.add_init_script("localStorage.setItem('sf-tour', 'seen')")
    await tab.goto(url)
    return tab


async def test_a_deep_link_leads_there_after_signing_in(harness: Harness, new_page: NewPage) -> None:
    store = await harness.create_store(name="Far Away")
    observed = await new_page()
    page = observed.page
    await page.goto(f"{harness.url}/stores/{store['slug']}/settings")
    await page.get_by_label("E-mail").fill(OWNER)
    await page.get_by_label("Password", exact=True).fill("wrong horse battery")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Far Away", exact=True)).to_be_visible()
    await expect(page).to_have_url(f"{harness.url}/stores/{store['slug']}/settings")
    assert observed.console_errors == []
    assert observed.failed_requests == [f"POST {harness.url}/auth/sign-in: 401"]


async def test_an_ended_session_keeps_typed_text(harness: Harness, new_page: NewPage) -> None:
    page = (await new_page()).page
    await sign_in(page, harness.url)
    await page.goto(f"{harness.url}/new")
    name = page.get_by_label("Name", exact=True)
    await name.fill("Half typed")
    await expect(page.get_by_text("half-typed").first).to_be_visible()
    await harness.sql(END_SESSIONS)
    again = page.get_by_role("dialog", name="Sign in again")
    await expect(again).to_be_visible()
    await again.get_by_label("Password", exact=True).fill("wrong horse battery")
    await again.get_by_role("button", name="Sign in").click()
    await expect(again.get_by_role("alert")).to_be_visible()
    await again.get_by_label("Password", exact=True).fill(PASSWORD)
    await again.get_by_role("button", name="Sign in").click()
    await expect(again).to_be_hidden()
    await expect(name).to_have_value("Half typed")
    await page.get_by_role("button", name="Create store").last.click()
    await expect(page.get_by_role("heading", name="Half typed", exact=True)).to_be_visible()
    await expect(page.get_by_text("Healthy").first).to_be_visible()  # live again


async def test_two_tabs_show_the_same(harness: Harness, open_dashboard: SignedInPage) -> None:
    first = await open_dashboard()
    await expect(first.get_by_text("Open your first shop")).to_be_visible()
    second = await new_tab(first, f"{harness.url}/new")
    await second.get_by_label("Name", exact=True).fill("Twice Seen")
    await second.get_by_role("button", name="Create store").last.click()
    await expect(second.get_by_text("Healthy").first).to_be_visible()
    await expect(first.get_by_role("row").filter(has_text="Twice Seen")).to_contain_text("Healthy")


async def test_signing_out_in_one_tab_reaches_the_other(harness: Harness, open_dashboard: SignedInPage) -> None:
    first = await open_dashboard()
    await expect(first.get_by_text("Open your first shop")).to_be_visible()
    second = await new_tab(first, f"{harness.url}/account")
    await second.get_by_role("button", name=f"{OWNER}, menu").click()
    await second.get_by_role("menuitem", name="Sign out").click()
    await expect(second.get_by_label("E-mail")).to_be_visible()
    await expect(first.get_by_role("heading", name="Sign in again")).to_be_visible()
    await second.go_back()
    await expect(second.get_by_label("E-mail")).to_be_visible()


async def test_a_sign_in_link_works_once(harness: Harness, new_page: NewPage) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "users", "link", OWNER),
        cwd=ROOT,
        env=process_environment(harness.api_settings),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    token = output.decode().strip().partition("#token=")[2]
    page = (await new_page()).page
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    await page.goto(f"{harness.url}/sign-in#token={token}")
    await expect(page.get_by_text("Open your first shop")).to_be_visible()
    assert token not in page.url
    assert not any(token in url for url in sent if "#" not in url)

    again = (await new_page()).page
    await again.goto(f"{harness.url}/sign-in#token={token}")
    await expect(again.get_by_role("alert")).to_be_visible()
    await expect(again).to_have_url(f"{harness.url}/sign-in")
    await again.get_by_role("button", name="Sign in by password").click()
    await expect(again.get_by_label(re.compile("E-mail"))).to_be_visible()
