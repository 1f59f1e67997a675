"""What the owner of a WooCommerce store can ask for: to begin with the wizard, and another password."""

from tests.flow.fleet import JSON, Fleet
from tests.flow.test_rotation import CHANGED, rotate, told
from tests.node.conftest import NEEDS_PLUGIN
from tests.node.shoppers import Shopping, ask, opened
from tests.node.test_woocommerce import credentials

pytestmark = NEEDS_PLUGIN
COOKIE = {"Cookie": "wordpress_test_cookie=WP%20Cookie%20check"}


async def sign_in(fleet: Fleet, store: JSON, username: str, password: str) -> str | None:
    """What the shop says of a session, or None when it lets nobody in."""
    form = {"log": username, "pwd": password, "testcookie": "1"}
    status, headers, _ = await ask(fleet, store, "POST", "/wp-login.php", data=form, headers=COOKIE)
    cookies = [cookie.partition(";")[0] for cookie in headers.getall("Set-Cookie", [])]
    return "; ".join(cookies) if status == 302 else None


async def test_a_shop_that_begins_with_its_wizard_sells_and_its_owner_gets_another_password(fleet: Fleet) -> None:
    store, _ = await opened(fleet, setup="WIZARD")
    shop = Shopping(fleet, store)
    await shop.buy()

    username, first = await credentials(fleet, store)
    session = await sign_in(fleet, store, username, first)
    assert session is not None
    status, headers, _ = await ask(fleet, store, "GET", "/wp-admin/", headers={"Cookie": session})
    assert status == 302  # WooCommerce's own page takes over, which shows the wizard
    assert headers["Location"].endswith("/wp-admin/admin.php?page=wc-admin")
    status, headers, _ = await ask(
        fleet, store, "GET", "/wp-admin/admin.php?page=wc-admin", headers={"Cookie": session}
    )
    assert (status, "setup-wizard" in headers.get("Location", "")) == (302, True), headers

    await rotate(fleet, store["id"])
    await fleet.poll(lambda: told(fleet, CHANGED), 60)
    _, second = await credentials(fleet, store)
    assert second != first
    assert await sign_in(fleet, store, username, first) is None
    assert await sign_in(fleet, store, username, second) is not None
    status, headers, _ = await ask(fleet, store, "GET", "/wp-admin/", headers={"Cookie": session})
    assert status == 302  # whoever was signed in with the old one is out
    assert "wp-login.php" in headers["Location"]
    await shop.buy()
    assert (await fleet.store(store["id"]))["status"] == "READY"
