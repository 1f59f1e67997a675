"""A headless Chromium for tests, driven by Playwright. A conftest imports the fixtures `browser` and `new_page`."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Error, Page, Request, Response, async_playwright, expect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The path of the system's browser: Playwright's own would be a download."""
LAUNCH_ARGUMENTS = (
    "--no-sandbox",  # tests may run as root, and visit only pages of this project
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
)
TIMEOUT_MS = 30_000.0
"""The timeout of each action and navigation."""
AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
ANIMATIONS_END = """async () => void await Promise.allSettled(
  document.getAnimations()
    .filter(animation => animation.effect.getComputedTiming().endTime !== Infinity)
    .map(animation => animation.finished)
)"""
AXE_RUN = """async ([part, exclude]) => {
  const {violations} = await axe.run({include: [part], exclude})
  return violations.map(({id, nodes}) => [id, ...nodes.map(node => node.html)])
}"""


@dataclass
class ObservedPage:
    """A page in a browser context of its own, so without others' cookies, and its errors so far."""

    page: Page
    console_errors: list[str] = field(default_factory=list)
    """Messages of console.error, and uncaught exceptions. Without the browser's messages about failed requests."""
    failed_requests: list[str] = field(default_factory=list)
    """Requests without a response, or with a status of 400 or more. Requests that a navigation aborts don't count."""

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource: "):
            self.console_errors.append(message.text)

    def on_exception(self, error: Error) -> None:
        self.console_errors.append(str(error))

    def on_request_failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":
            self.failed_requests.append(f"{request.method} {request.url}: {request.failure}")

    def on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.failed_requests.append(f"{response.request.method} {response.url}: {response.status}")


NewPage = Callable[..., Awaitable[ObservedPage]]


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """Skips the test without Chromium."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=LAUNCH_ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
def new_page(browser: Browser) -> NewPage:
    """Opens an empty page for another user. Keyword arguments are options of Playwright's `new_context`."""

    async def new(**options: Any) -> ObservedPage:
        context = await browser.new_context(**{"viewport": {"width": 1280, "height": 1000}} | options)
        context.set_default_timeout(TIMEOUT_MS)
        observed = ObservedPage(await context.new_page())
        observed.page.on("console", observed.on_console)
        observed.page.on("pageerror", observed.on_exception)
        observed.page.on("requestfailed", observed.on_request_failed)
        observed.page.on("response", observed.on_response)
        return observed

    return new


async def shows(page: Page, *texts: str) -> None:
    """Waits until the page's visible text has all of these."""
    for text in texts:
        await expect(page.locator("body")).to_contain_text(text, use_inner_text=True, timeout=TIMEOUT_MS)


async def find_violations(page: Page, exclude: Sequence[str] = (), part: str = "html") -> list[list[str]]:
    """What axe finds in the page, or this part of it: rule, and elements. `exclude`: selectors of what isn't ours."""
    assert AXE.exists(), "npm --prefix frontend ci installs axe-core"
    await page.evaluate(ANIMATIONS_END)  # what fades in has less contrast
    await page.evaluate(AXE.read_text())
    found: list[list[str]] = await page.evaluate(AXE_RUN, [part, list(exclude)])
    return found
