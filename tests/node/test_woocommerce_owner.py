"""What the owner of a WooCommerce store can choose: WooCommerce's setup wizard, and a new password."""

from tests.node.plugin import NEEDS_PLUGIN
from tests.node.shoppers import ShoppingSession, create_open_store, credentials, send_request, sign_in
from tests.support.harness import Harness
from tests.support.stores import PASSWORD_CHANGED, has_notice, rotate_password
from tests.support.waiting import wait_until

pytestmark = NEEDS_PLUGIN


async def test_a_shop_that_begins_with_its_wizard_sells_and_its_owner_gets_another_password(harness: Harness) -> None:
    store, _ = await create_open_store(harness, setup="WIZARD")
    shop = ShoppingSession(harness, store)
    await shop.buy()

    username, first = await credentials(harness, store)
    session = await sign_in(harness, store, username, first)
    assert session is not None
    status, headers, _ = await send_request(harness, store, "GET", "/wp-admin/", headers={"Cookie": session})
    assert status == 302  # WooCommerce's own page takes over, which shows the wizard
    assert headers["Location"].endswith("/wp-admin/admin.php?page=wc-admin")
    status, headers, _ = await send_request(
        harness, store, "GET", "/wp-admin/admin.php?page=wc-admin", headers={"Cookie": session}
    )
    assert (status, "setup-wizard" in headers.get("Location", "")) == (302, True), headers

    await rotate_password(harness, store["id"])
    await wait_until(lambda: has_notice(harness, PASSWORD_CHANGED))
    _, second = await credentials(harness, store)
    assert second != first
    assert await sign_in(harness, store, username, first) is None
    assert await sign_in(harness, store, username, second) is not None
    status, headers, _ = await send_request(harness, store, "GET", "/wp-admin/", headers={"Cookie": session})
    assert status == 302  # the old session has ended
    assert "wp-login.php" in headers["Location"]
    await shop.buy()
    assert (await harness.get_store(store["id"]))["status"] == "READY"
