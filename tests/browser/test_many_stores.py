"""An account with 1,000 stores."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from runtime.changefeed import CHANNEL
from schema.ids import decode_id
from tests.browser.conftest import SignedInPage
from tests.support.harness import Harness, run_harness

STORES = """
INSERT INTO stores (id, account_id, name, slug, engine, release, plan, admin_email, country, currency, cluster, status,
                    cause, failed_in, created_at)
SELECT gen_random_uuid(), $1::uuid, 'Shop ' || to_char(number, 'FM0000'), 'shop-' || number, 'woocommerce', '2026.11',
       'small', 'owner@example.com', 'DE', 'EUR', 'elsewhere',
       CASE WHEN number % 100 = 0 THEN 'FAILED' ELSE 'SUSPENDED' END,
       CASE WHEN number % 100 = 0 THEN 'The image can''t be pulled.' END,
       CASE WHEN number % 100 = 0 THEN 'PROVISIONING' END,
       now() - interval '1 minute' * number
FROM generate_series(1, 1000) number
"""
"""Of a cluster without workers: nothing changes their status."""

MARK = """
WITH marked AS (UPDATE stores SET cause = 'Marked.' WHERE slug = $1 RETURNING id, account_id, status)
INSERT INTO events (account_id, store_id, type, status, message) SELECT account_id, id, 'NOTICE', status, '' FROM marked
"""
REFETCH_MS = 300
"""useStorePages.ts waits so long for more events before it reads the list again."""


@pytest_asyncio.fixture
async def harness(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Harness]:
    async with run_harness(database_url, redis_url, tmp_path, worker=False, store_quota=1001) as running:
        account = decode_id("Account", running.account)
        await running.sql("INSERT INTO account_streams (account_id) VALUES ($1)", account)
        await running.sql(STORES, account)
        yield running


@pytest.fixture
def row_names() -> str:
    """JavaScript that returns the names in the list, from top to bottom."""
    return "[...document.querySelectorAll('[data-store] a')].map((link) => link.innerText)"


async def test_the_list_pages_filters_and_scrolls(
    harness: Harness, open_dashboard: SignedInPage, row_names: str
) -> None:
    page = await open_dashboard()
    rows = page.locator("[data-store]")
    await expect(page.get_by_text(re.compile("1,000 of 1,001"))).to_be_visible()
    await expect(rows).to_have_count(100)
    more = page.get_by_role("button", name="Show more")
    for count in range(200, 1001, 100):
        await more.click()
        await expect(rows).to_have_count(count)
    await expect(more).to_have_count(0)
    await page.get_by_role("link", name="Shop 0999").scroll_into_view_if_needed()
    await expect(page.get_by_role("link", name="Shop 0999")).to_be_in_viewport()

    await page.get_by_label("Filter the stores").fill("shop 07")
    await expect(rows).to_have_count(100)
    await page.get_by_label("Filter the stores").fill("shop 0777")
    await expect(rows).to_have_count(1)
    await page.get_by_label("Filter the stores").fill("no such shop")
    await expect(page.get_by_text("No store fits")).to_be_visible()
    await page.get_by_role("button", name="Show all").click()
    await expect(rows.nth(99)).to_be_visible()


async def test_a_group_is_whole_and_in_order(harness: Harness, open_dashboard: SignedInPage, row_names: str) -> None:
    page, chosen = await open_dashboard(), asyncio.Event()

    async def hold_stores(route: Route) -> None:
        """The list by name comes after the group was chosen."""
        if (route.request.post_data_json or {}).get("operationName") == "Stores":
            await chosen.wait()
        await route.continue_()

    await expect(page.locator("[data-store]")).to_have_count(100)
    await page.route("**/graphql", hold_stores)
    await page.get_by_label("Order").select_option("By name")
    await page.get_by_role("button", name=re.compile("^Needs you")).click()
    await expect(page.locator("[data-store]")).to_have_count(1)
    chosen.set()
    await expect(page.locator("[data-store]")).to_have_count(10)
    await page.wait_for_function(f"{row_names}[0] === 'Shop 0100'")
    assert await page.evaluate(row_names) == [f"Shop {number:04}" for number in range(100, 1001, 100)]
    await page.get_by_role("button", name=re.compile("^Closed")).click()
    await expect(page.locator("[data-store]")).to_have_count(990)


async def test_an_event_of_a_store_on_a_later_page_reads_nothing_again(
    harness: Harness, open_dashboard: SignedInPage
) -> None:
    page = await open_dashboard()
    await expect(page.locator("[data-store]")).to_have_count(100)
    await page.wait_for_load_state("networkidle")
    operations: list[str] = []
    page.on("request", lambda request: operations.append((request.post_data_json or {}).get("operationName", "")))
    for slug in ("shop-900", "shop-1"):
        await harness.sql(MARK, slug)
        await harness.sql("SELECT pg_notify($1, $2)", CHANNEL, str(decode_id("Account", harness.account)))
    await expect(page.locator("[data-store=shop-1]")).to_contain_text("Marked.")
    await page.wait_for_timeout(2 * REFETCH_MS)
    assert "Stores" not in operations
    await harness.create_store(name="Brand New")
    await expect(page.get_by_role("link", name="Brand New")).to_be_visible()
    assert "Stores" in operations
