"""The account page: API tokens, sessions and the password."""

import re

import aiohttp
from playwright.async_api import Page, expect

from tests.browser.conftest import OWNER, SignedInPage, sign_in
from tests.support.browser import NewPage
from tests.support.harness import PASSWORD, Harness

STORES = "{ stores(first: 1) { nodes { id } } }"


async def status_with(harness: Harness, token: str) -> int:
    """The HTTP status of a request with that API token."""
    headers = {"Authorization": f"Bearer {token}"}
    async with harness.http.post(f"{harness.url}/graphql", json={"query": STORES}, headers=headers) as response:
        return response.status


async def test_a_token_is_shown_once_works_and_is_revoked(harness: Harness, open_dashboard: SignedInPage) -> None:
    page = await open_dashboard("/account", permissions=["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Create a token").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Create token").click()
    await expect(dialog.get_by_text("Give the token a name")).to_be_visible()
    await dialog.get_by_label("Name", exact=True).fill("Warehouse")
    await dialog.get_by_text("Read and write", exact=True).click()
    await dialog.get_by_role("button", name="Create token").click()
    token = await dialog.locator("code").inner_text()
    await dialog.get_by_role("button", name="Copy the token").click()
    assert await page.evaluate("navigator.clipboard.readText()") == token
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_visible()  # not by accident
    await dialog.get_by_role("button", name="I have it").click()
    row = page.get_by_role("listitem").filter(has_text="Warehouse")
    await expect(row).to_contain_text("never used")
    assert token not in await page.content()

    assert await status_with(harness, token) == 200
    await row.get_by_role("button", name="Revoke").click()
    await dialog.get_by_role("button", name="Revoke it").click()
    await expect(row).to_contain_text("revoked")
    assert await status_with(harness, token) == 401
    await page.reload()
    await expect(page.get_by_role("button", name="Revoke test")).to_be_visible()
    await expect(row).to_have_count(0)
    assert token not in await page.content()


async def test_another_session_is_ended(harness: Harness, open_dashboard: SignedInPage, new_page: NewPage) -> None:
    other = (await new_page(user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")).page
    await sign_in(other, harness.url)
    await other.goto(f"{harness.url}/account")
    await expect(other.get_by_text("This one")).to_be_visible()
    page = await open_dashboard("/account")
    sessions = page.get_by_role("listitem").filter(has_text=re.compile("Since"))
    firefox = sessions.filter(has_text="Firefox on Linux")
    await firefox.get_by_role("button", name="End it").click()
    await expect(firefox).to_have_count(0)
    await expect(other.get_by_role("heading", name="Sign in again")).to_be_visible()


async def test_the_audit_log_is_read_and_downloaded(harness: Harness, open_dashboard: SignedInPage) -> None:
    await harness.create_store(name="Figs")
    page = await open_dashboard("/account")
    await page.get_by_role("link", name="Open the audit log").click()
    entries = page.get_by_role("list", name="Audit log").get_by_role("listitem")
    await expect(entries.filter(has_text="Store created")).to_contain_text("Token “test” of owner@example.com")
    await expect(entries.filter(has_text="Signed in")).to_contain_text("127.0.0.1")
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Download as JSON lines").click()
    download = await started.value
    assert download.suggested_filename.endswith(".jsonl")
    assert '"store.created"' in (await download.path()).read_text()


async def change_password(page: Page, current: str, new: str) -> None:
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Current password").fill(current)
    await dialog.get_by_label("New password").fill(new)
    await dialog.get_by_role("button", name="Change password").click()


async def test_the_password_is_changed(harness: Harness, open_dashboard: SignedInPage) -> None:
    page = await open_dashboard("/account")
    await page.get_by_role("button", name="Change password").click()
    await change_password(page, "wrong horse battery", "a new horse battery")
    await expect(page.get_by_label("Current password")).to_have_attribute("aria-invalid", "true")
    await change_password(page, PASSWORD, "short")
    await expect(page.get_by_label("New password")).to_have_attribute("aria-invalid", "true")
    await change_password(page, PASSWORD, "a new horse battery")
    await expect(page.get_by_text("The password is changed.")).to_be_visible()
    assert await sign_in_status(harness.http, harness.url, PASSWORD) == 401
    assert await sign_in_status(harness.http, harness.url, "a new horse battery") == 200


async def sign_in_status(http: aiohttp.ClientSession, url: str, password: str) -> int:
    async with http.post(f"{url}/auth/sign-in", json={"email": OWNER, "password": password}) as response:
        return response.status
