"""prove.php: it passes with any settings of the owner, visitors can't use its product, and it deletes all its data."""

import json
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.node.containers import Container
from tests.node.databases import VARIABLES
from tests.node.plugin import NEEDS_PLUGIN
from tests.node.shoppers import API, ORDER
from tests.node.shops import HOST, INSTALL, Env, Mounts, Shop, Shops, wait_for_response

pytestmark = NEEDS_PLUGIN
PROVE = ("/opt/storefleet/run", "prove")
TOKEN = "the proof's own " + "x" * 24
PROOF_ENV = {"STORE_PROOF_TOKEN": TOKEN, "STORE_SERVICE": "http://127.0.0.1:8080"}
STEPS = ("boot", "shop", "cache", "product", "cart", "checkout", "order", "cancel", "clean")
NOT_CACHED = tuple("not cached" if step == "cache" else step for step in STEPS)
PROOF_PATTERN = re.compile(r"storefleet.proof|proof@storefleet", re.IGNORECASE)
"""Matches all data that the proof creates."""
HIDDEN = 'The shop hides behind "coming soon": set it live in WooCommerce, Settings, Site visibility, then retry.'
ACTIONS = (
    "SELECT hook, args, status FROM wp_actionscheduler_actions"
    " WHERE hook NOT IN ('wc_schedule_pending_batch_processes', 'woocommerce_delete_legacy_report_transients')"
)
"""Scheduled actions, without WooCommerce's cleanup actions, which any order schedules."""
KILL_BEFORE = {"PHP_INI_SCAN_DIR": ":/opt/storefleet/server:/test-php"}
IN_THE_CHECKOUT = ("1 wp_posts", "1 wp_woocommerce_order_items", "1 wp_comments")
"""The order, its items, and the note of its payment, after the stock is reserved."""
FRANCE = 'a:1:{i:0;s:2:"FR";}'
OPTION_CHANGES: tuple[Mapping[str, str], ...] = (
    {"woocommerce_cod_settings": 'a:1:{s:7:"enabled";s:2:"no";}'},
    {"woocommerce_enable_guest_checkout": "no", "woocommerce_enable_signup_and_login_from_checkout": "no"},
    {
        "woocommerce_default_country": "FR",
        "woocommerce_allowed_countries": "specific",
        "woocommerce_specific_allowed_countries": FRANCE,
        "woocommerce_ship_to_countries": "specific",
        "woocommerce_specific_ship_to_countries": FRANCE,
    },
    {"woocommerce_enable_coupons": "no", "woocommerce_manage_stock": "no"},
    {"woocommerce_manage_stock": "yes", "woocommerce_notify_no_stock_amount": "20"},
    {"woocommerce_calc_taxes": "yes", "woocommerce_prices_include_tax": "yes"},
    {"woocommerce_price_num_decimals": "0", "woocommerce_price_decimal_sep": ",", "woocommerce_price_thousand_sep": ""},
    {f"woocommerce_checkout_{field}_field": "required" for field in ("phone", "company", "address_2")},
    {f"woocommerce_checkout_{field}_field": "hidden" for field in ("phone", "company", "address_2")},
    {"show_on_front": "posts", "page_on_front": "0"},
    {"permalink_structure": "", "rewrite_rules": ""},
    {"woocommerce_custom_orders_table_enabled": "no"},
)
"""Changed options; each adds to those before. The test adds a tax rate for France."""


def start_web(shop: Shop, env: Env | None = None) -> Container:
    """Starts the web server and requests a page: the first page view creates data."""
    web = shop.serve({**PROOF_ENV, **(env or {})})
    wait_for_response(web, "/", 200)
    return web


def assert_proves(shop: Shop, env: Env | None = None) -> bool:
    """Returns whether the shop page and the stored one were compared."""
    code, last = shop.run(PROVE, {**PROOF_ENV, **(env or {})})
    assert code == 0, last
    receipt = json.loads(last)
    names = [step["name"] for step in receipt["steps"]]
    assert (receipt["simulated"], names) in ((False, list(STEPS)), (False, list(NOT_CACHED)))
    assert shop.termination_log.read_text() == last
    return names == list(STEPS)


def kill_after_step(shop: Shop, step: str, seconds: float = 0) -> None:
    """Starts a proof and kills it so many seconds after that step has finished."""
    program, deadline = shop.start(PROVE, PROOF_ENV), time.monotonic() + 30
    while not re.search(f'"step":"(not )?{step}', program.log):
        assert program.process.poll() is None, program.log
        assert time.monotonic() < deadline, program.log
        time.sleep(0.001)
    time.sleep(seconds)
    program.stop(signal.SIGKILL)


def database_rows(shop: Shop) -> list[str]:
    """All rows of the database, as INSERT statements."""
    argv = ["mariadb-dump", "--user=root", "--single-transaction", "--skip-extended-insert", shop.name]
    done = shop.database.container.exec(*argv, MYSQL_PWD=VARIABLES["MYSQL_ROOT_PASSWORD"])
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("INSERT INTO ")]


def shop_snapshot(shop: Shop) -> dict[str, Counter[tuple[str, ...]]]:
    """The data that a proof must not change: the shop's snapshot and the number of rows of each table."""
    tables = (line.split("`")[1] for line in database_rows(shop))
    # options are compared by name: of what is temporary there is more or less each minute
    rows: Counter[tuple[str, ...]] = Counter(
        (name,) for name in tables if not re.match("wp_(options|actionscheduler_.*)$", name)
    )
    return {**shop.snapshot(sells=True), "rows": rows, "actions": Counter(shop.sql(ACTIONS))}


def proof_data(shop: Shop) -> list[str]:
    """Rows and files that match PROOF_PATTERN."""
    files = [path for path in shop.uploads.rglob("*") if path.is_file()]
    found = [line for line in database_rows(shop) if PROOF_PATTERN.search(line)]
    return found + [str(path) for path in files if PROOF_PATTERN.search(path.read_text(errors="replace"))]


def assert_unchanged(shop: Shop, before: Mapping[str, Counter[tuple[str, ...]]]) -> None:
    after = shop_snapshot(shop)
    assert {
        what: (after[what] - before[what], before[what] - after[what]) for what in after if after[what] != before[what]
    } == {}
    assert proof_data(shop) == []


@pytest.fixture
def shop(new_shop: Shops) -> Shop:
    return new_shop().install(INSTALL)


@pytest.fixture
def web(shop: Shop) -> Container:
    return start_web(shop)


@pytest.mark.usefixtures("web")
def test_a_proof_leaves_no_trace(shop: Shop) -> None:
    before = shop_snapshot(shop)
    assert_proves(shop)
    assert_unchanged(shop, before)
    two = [shop.start(PROVE, PROOF_ENV) for _ in range(2)]
    assert [program.wait() for program in two] == [0, 0]
    assert_unchanged(shop, before)


def test_the_stored_page_of_a_new_shop_is_compared(shop: Shop, tmp_path: Path) -> None:
    web = shop.serve(PROOF_ENV)
    assert assert_proves(shop)
    web.stop(signal.SIGKILL)
    # another page than the stored one
    (differs := tmp_path / "differs.php").write_text(
        "<?php add_action('wp_footer', fn () => print($_COOKIE === [] ? 'nobody' : 'somebody'));"
    )
    shop.serve(PROOF_ENV, {"/var/www/html/wp-content/mu-plugins/differs.php": differs})
    code, why = shop.run(PROVE, PROOF_ENV)
    assert (code, why) == (1, "The page cache has another shop page than the shop: report this to the operator.")


def test_pages_that_change_at_each_visit_are_not_compared(shop: Shop, tmp_path: Path) -> None:
    (changes := tmp_path / "changes.php").write_text(
        "<?php add_action('wp_footer', fn () => print(bin2hex(random_bytes(8))));"
    )
    shop.serve(PROOF_ENV, {"/var/www/html/wp-content/mu-plugins/changes.php": changes})
    assert not assert_proves(shop)


@pytest.mark.usefixtures("web")
def test_it_passes_whatever_the_owner_decided(shop: Shop) -> None:
    shop.sql(
        "INSERT INTO wp_woocommerce_tax_rates (tax_rate_country, tax_rate, tax_rate_name, tax_rate_priority)"
        " VALUES ('FR', '20', 'TVA', 1)"
    )
    for options in OPTION_CHANGES:
        shop.set_options(options)
        assert_proves(shop)
    shop.sql(
        "UPDATE wp_posts SET post_status = 'trash' WHERE post_name = 'storefleet-sample'"
        " OR ID = (SELECT option_value FROM wp_options WHERE option_name = 'woocommerce_shop_page_id')"
    )
    assert_proves(shop)
    assert proof_data(shop) == []


@pytest.mark.usefixtures("web")
def test_a_shop_that_is_coming_soon_fails_it_plainly(shop: Shop) -> None:
    before = shop_snapshot(shop)
    for pages in ("no", "yes"):
        shop.set_options({"woocommerce_coming_soon": "yes", "woocommerce_store_pages_only": pages})
        assert shop.run(PROVE, PROOF_ENV) == (1, HIDDEN)
        assert shop.termination_log.read_text() == HIDDEN
    assert_unchanged(shop, before)
    shop.set_options({"woocommerce_coming_soon": "no"})
    assert_proves(shop)


@pytest.mark.usefixtures("web")
def test_it_can_be_killed_at_any_point_and_run_again(shop: Shop) -> None:
    before, rng = shop_snapshot(shop), random.Random(20261124)
    for step in STEPS[:-1]:
        for seconds in (0, rng.uniform(0.005, 0.05)):
            kill_after_step(shop, step, seconds)
    kill_after_step(shop, "product")
    assert proof_data(shop)
    assert_proves(shop)
    assert_unchanged(shop, before)


def test_killed_together_with_the_web_server(shop: Shop, web: Container) -> None:
    before = shop_snapshot(shop)
    for where in IN_THE_CHECKOUT:
        web.stop(signal.SIGKILL)
        web = start_web(shop, {"KILL_BEFORE": where, **KILL_BEFORE})
        program, deadline = shop.start(PROVE, PROOF_ENV), time.monotonic() + 30
        while "KILL_BEFORE" not in web.log:
            assert program.process.poll() is None, f"it never came to {where}: {program.log}"
            assert time.monotonic() < deadline, program.log
            time.sleep(0.01)
        program.stop(signal.SIGKILL)
    web.stop(signal.SIGKILL)
    start_web(shop)
    assert_proves(shop)
    assert_unchanged(shop, before)


def call(web: Container, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, str], str]:
    """A request to the Store API."""
    given = {"Host": HOST, "Content_Type": "application/json", **headers}
    return web.request(
        API + path, "GET" if body is None else "POST", None if body is None else json.dumps(body), **given
    )


def test_strangers_can_buy_neither_its_product_nor_by_its_means(shop: Shop, web: Container) -> None:
    kill_after_step(shop, "product")
    [[hidden]] = shop.sql("SELECT product_id FROM wp_wc_product_meta_lookup WHERE sku = 'storefleet-proof'")
    [[sample]] = shop.sql("SELECT product_id FROM wp_wc_product_meta_lookup WHERE sku = 'storefleet-sample'")
    for token in (None, "", "x" * 40, TOKEN[:-1], f"{TOKEN}x"):
        headers = {} if token is None else {"X_Storefleet_Proof": token}
        for path in ("/", "/?s=storefleet&post_type=product", "/?s=proof", "/feed/?post_type=product"):
            status, _, page = web.request(path, Host=HOST, **headers)
            assert (status, "Storefleet proof" in page) == (200, False), path
        assert web.request("/product/storefleet-proof/", Host=HOST, **headers)[0] == 404
        assert call(web, "/products?sku=storefleet-proof", **headers)[::2] == (200, "[]")
        assert json.loads(call(web, f"/products/{hidden}", **headers)[2])["is_purchasable"] is False
        cart = {"Cart_Token": call(web, "/cart", **headers)[1]["Cart-Token"], **headers}
        status, _, text = call(web, "/cart/add-item", {"id": int(hidden), "quantity": 1}, **cart)
        assert (status, "not_purchasable" in text) == (400, True), text
        status, _, text = call(web, "/cart/add-item", {"id": int(sample), "quantity": 1}, **cart)
        assert (status, "storefleet_proof" in text) == (201, False), text
        status, _, text = call(web, "/checkout", {**ORDER, "payment_method": "storefleet_proof"}, **cart)
        assert (status, "payment_method" in text) == (400, True), text
    assert shop.sql("SELECT status FROM wp_wc_orders WHERE status NOT LIKE '%draft'") == []
    known = {"X_Storefleet_Proof": TOKEN}
    assert web.request("/product/storefleet-proof/", Host=HOST, **known)[0] == 200
    assert json.loads(call(web, f"/products/{hidden}", **known)[2])["is_purchasable"] is True


def test_it_passes_in_other_markets_and_languages(new_shop: Shops, languages: Mounts) -> None:
    for country, currency, locale in (
        ("JP", "JPY", "ar"),
        ("BR", "BRL", "de_DE"),
        ("US", "USD", "en_US"),
        ("KW", "KWD", "ar"),
    ):
        env = {"STORE_COUNTRY": country, "STORE_CURRENCY": currency, "STORE_LOCALE": locale}
        shop = new_shop().install(INSTALL, env, languages)
        web = start_web(shop, env)
        [sample] = json.loads(call(web, "/products")[2])
        assert sample["prices"]["currency_code"] == currency
        before = shop_snapshot(shop)
        assert_proves(shop, env)
        assert_unchanged(shop, before)
        web.stop(signal.SIGKILL)
