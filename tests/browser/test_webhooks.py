"""Webhooks in the browser, with a receiver on this machine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import SignedInPage
from tests.support.harness import Harness, run_harness
from tests.support.stores import create_ready_store
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import Receiver, accept, answer, run_receiver
from tests.support.webhooks import LOCAL, write_events


@pytest_asyncio.fixture
async def harness(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Harness]:
    async with run_harness(database_url, redis_url, tmp_path, **LOCAL) as running:
        yield running


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        yield running


async def take_secret(page: Page) -> str:
    """What the dialog shows once."""
    dialog = page.get_by_role("dialog")
    secret = await dialog.locator("code").inner_text()
    await dialog.get_by_role("button", name="Copy the secret").click()
    assert await page.evaluate("navigator.clipboard.readText()") == secret
    await dialog.get_by_role("button", name="I have it").click()
    assert secret not in await page.content()
    return secret


async def test_a_webhook_from_its_creation_to_its_deletion(
    harness: Harness, receiver: Receiver, open_dashboard: SignedInPage
) -> None:
    page = await open_dashboard("/account", permissions=["clipboard-read", "clipboard-write"])
    dialog = page.get_by_role("dialog")
    log = page.get_by_role("list", name="Deliveries").get_by_role("listitem")
    await page.get_by_role("link", name="Open the webhooks").click()
    await page.get_by_role("button", name="Add a webhook").click()
    await dialog.get_by_label("URL").fill("ftp://example.com/")
    await dialog.get_by_role("button", name="Add webhook").click()
    await expect(dialog.get_by_label("URL")).to_have_attribute("aria-invalid", "true")
    await dialog.get_by_label("URL").fill(receiver.url)
    for kind in ("States", "Steps", "Health", "Notices"):
        await dialog.get_by_role("checkbox", name=kind).uncheck()
    await dialog.get_by_role("button", name="Add webhook").click()
    await expect(dialog.get_by_role("alert")).to_have_text("Choose at least one type of event.")
    await dialog.get_by_role("checkbox", name="States").check()
    await dialog.get_by_role("checkbox", name="Notices").check()
    await dialog.get_by_role("button", name="Copy as code").click()
    await page.get_by_role("menuitem", name="curl").click()
    assert receiver.url in await page.evaluate("navigator.clipboard.readText()")
    await dialog.get_by_role("button", name="Add webhook").click()
    first = await take_secret(page)

    await page.get_by_role("link", name=receiver.url).click()
    await expect(page.get_by_text("States, Notices")).to_be_visible()
    await expect(log).to_contain_text("Nothing was sent")
    await page.get_by_role("button", name="Send a test").click()
    await expect(log.filter(has_text="webhook.test")).to_contain_text("204")
    assert receiver.received[0].is_signed_by(first)
    await page.get_by_role("button", name="New secret…").click()
    await dialog.get_by_role("button", name="Make it").click()
    second = await take_secret(page)
    await page.get_by_role("button", name="Send a test").click()
    await expect(log.filter(has_text="webhook.test")).to_have_count(2)
    assert receiver.received[1].is_signed_by(first)
    assert receiver.received[1].is_signed_by(second)

    await create_ready_store(harness)
    delivered = log.filter(has_text="store.status").filter(has_text="204")
    await expect(delivered.first).to_be_visible()  # without a reload
    await wait_until(lambda: is_idle(harness))
    before = receiver.seqs()
    await page.get_by_role("button", name="Read again").click()
    await delivered.last.get_by_role("button", name="Send again what followed this event").click()
    await dialog.get_by_role("button", name="Send them again").click()
    await expect(dialog).to_have_count(0)
    await wait_until(lambda: is_idle(harness))
    sent = [seq for seq in before if seq]
    assert [seq for seq in receiver.seqs() if seq] == sent + sent[1:]

    await check_trouble(harness, receiver, page)
    await check_pages(harness, page)
    await page.get_by_role("button", name="Delete this webhook…").click()
    await dialog.get_by_role("button", name="Delete for good").click()
    await expect(page.get_by_role("heading", name="Have your software told what happens")).to_be_visible()


async def is_idle(harness: Harness) -> bool:
    """Whether the webhook has been sent all events that it wants."""
    [row] = await harness.sql(
        "SELECT seq >= (SELECT max(e.seq) FROM events e WHERE e.type = ANY(event_types)) AS idle FROM webhooks"
    )
    return bool(row["idle"])


async def check_trouble(harness: Harness, receiver: Receiver, page: Page) -> None:
    """A receiver that fails, then works again; disabled and enabled."""
    log = page.get_by_role("list", name="Deliveries").get_by_role("listitem")
    receiver.answers["/"] = answer(500)
    await write_events(harness, 1)
    await page.get_by_role("button", name="Send a test").click()
    await expect(page.get_by_text("Messages don")).to_be_visible()
    await expect(log.filter(has_text="500").filter(has_text="next attempt at").first).to_be_visible()
    receiver.answers["/"] = accept
    await page.get_by_role("button", name="Try again now").click()
    await expect(page.get_by_text("Messages don")).to_have_count(0)
    await page.get_by_role("button", name="Disable").click()
    await expect(page.get_by_text("Nothing is sent", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Enable it").click()
    await expect(page.get_by_text("Active", exact=True)).to_be_visible()


async def check_pages(harness: Harness, page: Page) -> None:
    await harness.sql(
        "INSERT INTO webhook_deliveries (webhook_id, message_id, type, attempt, latency_ms, status_code) "
        "SELECT id, 'number ' || n, 'webhook.test', 1, n, 200 FROM webhooks, generate_series(1, 30) n"
    )
    await page.reload()
    log = page.get_by_role("list", name="Deliveries").get_by_role("listitem")
    await expect(log).to_have_count(21)
    await page.get_by_role("button", name="Show more").click()
    await expect(log.nth(21)).to_be_visible()
