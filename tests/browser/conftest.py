"""Fixtures of the browser tests: the built dashboard, served by a whole Storefleet, in Chromium."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from playwright.async_api import Page, expect

from accounts import passwords
from sandbox.dashboard import build
from tests.support.browser import CHROMIUM, TIMEOUT_MS, NewPage, browser, new_page
from tests.support.harness import PASSWORD, Harness, run_harness

__all__ = ["browser", "new_page"]
OWNER = "owner@example.com"
expect.set_options(timeout=TIMEOUT_MS)

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


async def sign_in(page: Page, url: str, email: str = OWNER, password: str = PASSWORD) -> None:
    """Give the page's browser context a session, without a sign-in page."""
    answer = await page.request.post(f"{url}/auth/sign-in", data={"email": email, "password": password})
    assert answer.ok, await answer.text()


@pytest_asyncio.fixture
async def open_dashboard(new_page: NewPage, harness: Harness) -> AsyncIterator[SignedInPage]:
    """Opens a path for a user, by default the first one. Keyword arguments are options of the browser context.

    At the end of the test no such page may have had an error, or a failed request.
    """
    pages = []

    async def open_path(path: str = "/", email: str = OWNER, **options: Any) -> Page:
        observed = await new_page(**options)
        pages.append(observed)
        page = observed.page
        await page.add_init_script("localStorage.setItem('sf-tour', 'seen')")
        await sign_in(page, harness.url, email)
        await page.goto(harness.url + path)
        return page

    yield open_path
    for observed in pages:
        assert observed.console_errors == []
        assert observed.failed_requests == []
