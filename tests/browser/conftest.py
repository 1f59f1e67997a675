"""Fixtures of the browser tests: the built dashboard, served by a whole Storefleet, in Chromium."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from playwright.async_api import Page

from accounts import passwords
from sandbox.dashboard import build
from tests.support.browser import CHROMIUM, NewPage, browser, new_page
from tests.support.harness import PASSWORD, Harness, run_harness

__all__ = ["browser", "new_page"]
OWNER = "owner@example.com"

SignedInPage = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session", autouse=True)
def _dashboard() -> None:
    """The bundle that users get."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    if shutil.which("npm") is None:
        pytest.skip("needs Node.js with npm: make dashboard installs one")
    build(print)


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest_asyncio.fixture
async def harness(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Harness]:
    async with run_harness(database_url, redis_url, tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def open_dashboard(new_page: NewPage, harness: Harness) -> AsyncIterator[SignedInPage]:
    """Signs a user in, by default the first one, and opens a path. No page may have an error at the end."""
    pages = []

    async def open_path(path: str = "/", email: str = OWNER) -> Page:
        observed = await new_page()
        pages.append(observed)
        page = observed.page
        await page.add_init_script("localStorage.setItem('sf-tour', 'seen')")
        await page.goto(f"{harness.url}/sign-in")
        await page.get_by_label("E-mail").fill(email)
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("heading", name="Stores").or_(page.get_by_text("Open your first shop")).first.wait_for()
        if path != "/":
            await page.goto(harness.url + path)
        return page

    yield open_path
    for observed in pages:
        assert observed.console_errors == []
        assert observed.failed_requests == []
