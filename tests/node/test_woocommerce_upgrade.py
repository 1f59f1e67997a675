"""install.php in a shop that is ready: it migrates the database, and doesn't change the merchant's data."""

import json
import signal
import time
from collections import Counter

import pytest

from tests.node.plugin import NEEDS_PLUGIN
from tests.node.shops import INSTALL, Env, Shop, Shops, Snapshot

pytestmark = NEEDS_PLUGIN
MERCHANT = """
require 'wp-load.php';
update_option('blogname', 'Olives of mine');
update_option('woocommerce_cod_settings', ['enabled' => 'no'] + get_option('woocommerce_cod_settings'));
update_option('woocommerce_currency', 'CHF');
update_option('woocommerce_coming_soon', 'yes');
update_option('show_on_front', 'posts');
wp_delete_post(wc_get_product_id_by_sku('storefleet-sample'), true);
wp_delete_post(wc_get_page_id('shop'), true);
wp_set_password('one of my own', get_user_by('login', 'admin')->ID);
echo 'done';
"""
NOTHING, UPGRADED = "nothing to install", "upgraded"
THEIRS = {
    "owner": "SELECT user_login, user_pass, user_email FROM wp_users",
    "options": (  # all but what WordPress keeps for itself
        "SELECT option_name, MD5(option_value) FROM wp_options WHERE option_name NOT LIKE '%\\_transient\\_%'"
        " AND option_name NOT IN ('cron', 'rewrite_rules')"
    ),
}
VERSIONS = (
    "SELECT option_name, option_value FROM wp_options"
    " WHERE option_name IN ('db_version', 'woocommerce_version', 'woocommerce_db_version')"
)
PENDING = (
    "SELECT hook FROM wp_actionscheduler_actions WHERE status = 'pending'"
    " AND hook IN ('woocommerce_run_update_callback', 'woocommerce_update_db_to_current_version')"
)
A_MINUTE_LATER = "UPDATE wp_options SET option_value = option_value - 61 WHERE option_name = 'wc_installing'"
"""Makes the lock of WooCommerce's installer a minute older."""
BUSY = "WooCommerce is being brought up to date by another process: run this again in a minute."
OLDER: tuple[dict[str, str], ...] = (
    {"db_version": "57155"},
    {"woocommerce_db_version": "9.2.0"},
    {"woocommerce_db_version": "9.2.0", "woocommerce_version": "9.2.0"},
    {"db_version": "57155", "woocommerce_db_version": "10.1.0", "woocommerce_version": "10.1.0"},
)
"""Version options of databases of older images."""


def merchant_data(shop: Shop) -> Snapshot:
    """The shop's snapshot, with the content of options and users."""
    return {**shop.snapshot(sells=True), **{what: Counter(shop.sql(query)) for what, query in THEIRS.items()}}


def missing_data(shop: Shop, before: Snapshot) -> dict[str, list[tuple[str, ...]]]:
    """Data of `before` that was deleted or changed."""
    after = merchant_data(shop)
    return {what: list((rows - after[what]).elements()) for what, rows in before.items() if rows - after[what]}


def install(shop: Shop, env: Env | None = None) -> str:
    """Runs install.php. Returns what it did."""
    code, last = shop.run(INSTALL, env)
    assert code == 0, last
    done: str = json.loads(last)["done"]
    return done


@pytest.fixture
def shop(new_shop: Shops) -> Shop:
    """A shop whose merchant has changed settings, pages, products and password."""
    shop = new_shop().install(INSTALL)
    assert shop.run(("php", "-r", MERCHANT)) == (0, "done")
    return shop


def test_in_a_shop_that_is_ready_nothing_is_installed(shop: Shop) -> None:
    before = merchant_data(shop)
    for env in (
        {},
        {"STORE_TITLE": "Another", "STORE_ADMIN_PASSWORD": "another one", "STORE_ADMIN_EMAIL": "another@example.com"},
        {"STORE_COUNTRY": "FR", "STORE_CURRENCY": "USD", "STORE_SETUP": "wizard", "STORE_ADMIN_USER": "another"},
        {"STORE_LOCALE": "tlh"},  # the image has no such language
    ):
        assert install(shop, env) == NOTHING
        assert merchant_data(shop) == before


def test_an_older_shop_is_brought_up_to_date(shop: Shop) -> None:
    before, versions = merchant_data(shop), shop.sql(VERSIONS)
    for older in OLDER:
        shop.set_options(older)
        assert shop.sql(VERSIONS) != versions
        assert [install(shop, {"STORE_LOCALE": "tlh"}), install(shop)] == [UPGRADED, NOTHING]
        assert (shop.sql(VERSIONS), shop.sql(PENDING), missing_data(shop, before)) == (versions, [], {})


def test_killed_while_it_upgrades_and_run_again(shop: Shop) -> None:
    before, versions = merchant_data(shop), shop.sql(VERSIONS)
    shop.set_options(OLDER[-1])
    for seconds in (0.3, 0.4, 0.5, 0.6):
        program, deadline = shop.start(INSTALL), time.monotonic() + 30
        while '"step":"lock"' not in program.log:
            assert program.process.poll() is None, program.log
            assert time.monotonic() < deadline, program.log
            time.sleep(0.001)
        time.sleep(seconds)
        program.stop(signal.SIGKILL)
        shop.sql(A_MINUTE_LATER)
    assert install(shop) in (UPGRADED, NOTHING)
    assert install(shop) == NOTHING
    assert (shop.sql(VERSIONS), shop.sql(PENDING), missing_data(shop, before)) == (versions, [], {})


def test_another_that_upgrades_is_let_do_so(shop: Shop) -> None:
    """A web pod with the new image may be migrating. A killed one doesn't block after a minute."""
    versions = shop.sql(VERSIONS)
    shop.set_options(OLDER[-1] | {"wc_installing": str(int(time.time()))})
    assert shop.run(INSTALL) == (1, BUSY)
    shop.sql(A_MINUTE_LATER)
    assert install(shop) == UPGRADED
    assert shop.sql(VERSIONS) == versions
