"""What people do with the dashboard, in a real browser, with the bundle that users get."""

import re

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from schema.context import Context
from tests.browser.conftest import SignedInPage
from tests.support.harness import Harness
from tests.support.waiting import wait_until

PULL_FAILS = {"fault": "image", "component": "web"}


@pytest.fixture
def only_trusted_documents(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dashboard needs no documents but those that its build has written. Tests themselves use a token."""

    def of_browsers(context: Context) -> object:
        of_a_token = context.actor is not None and context.actor.kind == "token"
        return None if of_a_token else context.platform.trusted

    monkeypatch.setattr(Context, "only_trusted", property(of_browsers))


async def create(page: Page, name: str) -> None:
    """Create a store by the dialog, which opens the store's page; everything but the name is filled in."""
    await page.get_by_role("link", name=re.compile("^Create (a )?store")).first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name", exact=True).fill(name)
    await dialog.get_by_role("button", name="Create store").click()
    await expect(dialog).to_be_hidden()


@pytest.mark.usefixtures("only_trusted_documents")
async def test_a_store_is_created_watched_and_opened(harness: Harness, open_dashboard: SignedInPage) -> None:
    page = await open_dashboard()
    await create(page, "Fig & Olive 🫒")
    await expect(page.get_by_role("heading", name="Fig & Olive 🫒", exact=True)).to_be_visible()
    shop = page.get_by_role("link", name=re.compile("Open the shop"))
    await expect(shop).to_have_attribute("href", re.compile(r"^http://fig-olive\."))  # READY, without a reload
    await expect(page.get_by_text("SIMULATED").first).to_be_visible()
    await expect(page.get_by_text("Healthy").first).to_be_visible()
    await page.get_by_role("button", name="Reveal").click()
    await expect(page.get_by_text("admin", exact=True)).to_be_visible()


@pytest.mark.usefixtures("only_trusted_documents")
async def test_a_failure_says_why_and_a_retry_goes_on(harness: Harness, open_dashboard: SignedInPage) -> None:
    await harness.set_faults(PULL_FAILS)
    page = await open_dashboard()
    await create(page, "Unlucky")
    await expect(page.get_by_text("can't be pulled").first).to_be_visible()
    await harness.set_faults()
    await page.get_by_role("button", name=re.compile("^Retry")).first.click()
    await expect(page.get_by_text("Healthy").first).to_be_visible()


@pytest.mark.usefixtures("only_trusted_documents")
async def test_a_store_is_deleted_by_typing_its_name(harness: Harness, open_dashboard: SignedInPage) -> None:
    store = await harness.create_store(name="Short Story")
    await harness.wait_for_status(store["id"], "READY")
    page = await open_dashboard(f"/stores/{store['slug']}/settings")
    await page.get_by_role("button", name="Delete this store").click()
    dialog = page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name="Delete for good")
    await expect(confirm).to_be_disabled()
    await dialog.get_by_role("textbox").fill("Short Stories")
    await expect(confirm).to_be_disabled()
    await dialog.get_by_role("textbox").fill("Short Story")
    await confirm.click()
    await expect(page.get_by_text("It was deleted")).to_be_visible()
    assert (await harness.get_store(store["id"]))["status"] == "DELETED"


@pytest.mark.usefixtures("only_trusted_documents")
async def test_a_cut_connection_comes_back_without_a_gap(harness: Harness, open_dashboard: SignedInPage) -> None:
    page = await open_dashboard()
    sockets: list[WebSocketRoute] = []

    def proxy(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    await page.route_web_socket(re.compile("/graphql$"), proxy)
    await page.reload()

    async def connected() -> bool:
        return bool(sockets)

    await wait_until(connected)
    for number in range(3):
        await sockets[-1].close(code=1012, reason="restart")
        store = await harness.create_store(name=f"Meanwhile {number}")
        await harness.wait_for_status(store["id"], "READY")
        row = page.get_by_role("row").filter(has_text=f"Meanwhile {number}")
        await expect(row).to_contain_text("Healthy")  # events from before it was connected again
    assert len(sockets) >= 4


@pytest.mark.usefixtures("only_trusted_documents")
async def test_a_double_click_creates_one_store(harness: Harness, open_dashboard: SignedInPage) -> None:
    page = await open_dashboard()
    await page.get_by_role("link", name=re.compile("^Create (a )?store")).first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name", exact=True).fill("Once")
    await dialog.get_by_role("button", name="Create store").dblclick()
    await expect(page.get_by_role("heading", name="Once", exact=True)).to_be_visible()
    [row] = await harness.sql("SELECT count(*) FROM stores")
    assert row["count"] == 1


async def test_a_second_account_sees_nothing_of_the_first(harness: Harness, open_dashboard: SignedInPage) -> None:
    store = await harness.create_store(name="Mine alone")
    await harness.sign_up("other@example.com")
    page = await open_dashboard("/", "other@example.com")
    await expect(page.get_by_text("Open your first shop")).to_be_visible()
    await page.goto(f"{harness.url}/stores/{store['slug']}")
    await expect(page.get_by_text("There is no such store")).to_be_visible()
    assert "Mine alone" not in await page.content()
