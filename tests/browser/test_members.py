"""Members in the browser: an invitation, a role, a removal, and the choice of the account."""

from playwright.async_api import expect

from tests.browser.conftest import SignedInPage
from tests.support.browser import NewPage
from tests.support.harness import PASSWORD, Harness


async def test_a_new_person_is_invited_promoted_and_removed(
    harness: Harness, open_dashboard: SignedInPage, new_page: NewPage
) -> None:
    page = await open_dashboard("/account")
    await page.get_by_role("link", name="Open the members").click()
    await page.get_by_role("button", name="Invite a member").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("E-mail").fill("ada@example.com")
    await dialog.get_by_label("Role").select_option("Viewer")
    await dialog.get_by_role("button", name="Make the link").click()
    link = await dialog.locator("code").inner_text()
    await dialog.get_by_role("button", name="I have sent it").click()
    await expect(page.get_by_role("button", name="Revoke the invitation of ada@example.com")).to_be_visible()

    guest = (await new_page()).page
    await guest.add_init_script("localStorage.setItem('sf-tour', 'seen')")
    await guest.goto(harness.url + "/" + link.split("/", 3)[3])
    await expect(guest.get_by_text("owner@example.com invites you to owner's stores. Role: Viewer.")).to_be_visible()
    assert "token" not in guest.url
    await guest.get_by_label("Password", exact=True).fill(PASSWORD)
    await guest.get_by_role("button", name="Sign up and join").click()
    await expect(guest.get_by_role("heading", name="No stores yet")).to_be_visible()
    await guest.goto(f"{harness.url}/account/members")
    await expect(guest.get_by_text("Owner", exact=True)).to_be_visible()
    await expect(guest.get_by_role("button", name="Invite a member")).to_have_count(0)

    await page.reload()
    await page.get_by_role("combobox", name="Role of ada@example.com").click()
    await page.get_by_role("option", name="Admin").click()
    await expect(page.get_by_role("combobox", name="Role of ada@example.com")).to_contain_text("Admin")
    await guest.reload()
    await expect(guest.get_by_role("button", name="Invite a member")).to_be_visible()
    await page.get_by_role("button", name="Remove ada@example.com").click()
    await dialog.get_by_role("button", name="Remove", exact=True).click()
    await expect(page.get_by_text("ada@example.com")).to_have_count(0)
    await guest.reload()
    await expect(guest.get_by_text("no account")).to_be_visible()


async def test_a_user_of_another_account_joins_and_chooses(harness: Harness, open_dashboard: SignedInPage) -> None:
    await harness.sign_up("ada@example.com")
    invite = """mutation { inviteMember(input: {email: "ada@example.com", role: ADMIN}) { link } }"""
    made = await harness.ask(await harness.sign_in(), invite)
    page = await open_dashboard("/" + made["data"]["inviteMember"]["link"].split("/", 3)[3], email="ada@example.com")
    await page.get_by_role("button", name="Join", exact=True).click()
    await page.get_by_role("heading", name="Open your first shop").wait_for()
    await page.goto(f"{harness.url}/account")
    await expect(page.get_by_role("heading", name="owner's stores")).to_be_visible()
    await page.goto(harness.url + "/invitation")
    await expect(page.get_by_text("unknown, used or ended")).to_be_visible()
