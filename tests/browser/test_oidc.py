"""Signing in with an OpenID provider: node-oidc-provider, which the OpenID Foundation has certified."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect
from pydantic import SecretStr

from sandbox.ports import free_port
from tests.support.browser import NewPage
from tests.support.harness import ROOT, Harness, run_harness
from tests.support.npm import install_packages
from tests.support.waiting import hang_limit

FOLDER = ROOT / "tests" / "oidc"


@pytest_asyncio.fixture
async def harness(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Harness]:
    """With the provider, which knows everybody of corp.example."""
    if problem := install_packages(FOLDER):
        pytest.skip(problem)
    port, provider_port, secret = free_port(), free_port(), token_hex(16)
    url = f"http://127.0.0.1:{port}"
    provider = await asyncio.create_subprocess_exec(
        *("node", "provider.js", str(provider_port), "storefleet", secret, f"{url}/auth/oidc/callback"),
        cwd=FOLDER,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # warnings that it is for development
    )
    assert provider.stdout is not None
    async with hang_limit():
        issuer = (await provider.stdout.readline()).decode().strip()
    settings: dict[str, Any] = {
        "public_url": url,
        "oidc_issuer": issuer,
        "oidc_client_id": "storefleet",
        "oidc_client_secret": SecretStr(secret),
        "oidc_domains": ("corp.example",),
        "oidc_name": "Corp",
    }
    try:
        async with run_harness(database_url, redis_url, tmp_path, port=port, worker=False, **settings) as running:
            yield running
    finally:
        provider.kill()
        await provider.wait()


async def agree(page: Page, name: str) -> None:
    """Sign in on the provider's pages, and agree there."""
    await page.get_by_placeholder("Enter any login").fill(name)
    await page.get_by_placeholder("and password").fill("any")
    await page.get_by_role("button", name="Sign-in").click()
    await page.get_by_role("button", name="Continue").click()


async def test_a_person_comes_back_signed_in_to_where_the_link_led(harness: Harness, new_page: NewPage) -> None:
    observed = await new_page()
    page = observed.page
    await page.add_init_script("localStorage.setItem('sf-tour', 'seen')")
    await page.goto(f"{harness.url}/account")
    await page.get_by_role("link", name="Continue with Corp").click()
    await agree(page, "mira")
    await expect(page).to_have_url(f"{harness.url}/account")
    await expect(page.get_by_text("mira@corp.example").first).to_be_visible()
    await harness.sql("UPDATE sessions SET revoked_at = now()")
    again = page.get_by_role("dialog", name="Sign in again")
    await again.get_by_role("link", name="Continue with Corp").click()  # the provider remembers the person
    await expect(again).to_be_hidden()
    await expect(page).to_have_url(f"{harness.url}/account")
    assert observed.console_errors == []
    assert [request for request in observed.failed_requests if harness.url in request] == []  # the provider wants fonts
    assert len(await harness.sql("SELECT 1 FROM identities")) == 1


async def test_a_person_who_cancels_or_is_refused_reads_why(harness: Harness, new_page: NewPage) -> None:
    page = (await new_page()).page
    await page.goto(f"{harness.url}/sign-in?next=%2Faccount")
    await page.get_by_role("link", name="Continue with Corp").click()
    await page.get_by_text("Cancel").click()
    await expect(page.get_by_role("alert")).to_contain_text("You cancelled")
    await page.get_by_role("link", name="Continue with Corp").click()
    await agree(page, "unverified")
    await expect(page.get_by_role("alert")).to_contain_text("not verified")
    await page.get_by_role("link", name="Continue with Corp").click()
    await agree(page, "mira")  # asked again who to be
    await expect(page).to_have_url(f"{harness.url}/account")
    await page.go_back()
    await page.goto(f"{harness.url}/auth/oidc/callback?code=old&state=old")
    await expect(page.get_by_text("Open your first shop")).to_be_visible()
    await page.context.clear_cookies()
    await page.goto(f"{harness.url}/auth/oidc/callback?code=old&state=old")
    await expect(page.get_by_role("alert")).to_contain_text("Continue again")
    assert await harness.sql("SELECT 1 FROM users WHERE email ~ 'unverified'") == []
