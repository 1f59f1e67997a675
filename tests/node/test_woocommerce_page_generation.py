"""Who ends the generation of a shop's page cache, and when the next one begins. With WooCommerce or without."""

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.node.containers import Container
from tests.node.disks import file_system, fill_disk
from tests.node.page_visits import GENERATION, MOUNTS, MU_PLUGINS, PAGE, UNCACHED, Field, Visit, age, generation, warm
from tests.node.plugin import PLUGIN
from tests.node.shops import HOST, Shop, Shops
from tests.node.wordpress import INSTALL_COMMAND, TOKEN, php

CRON = ("/opt/storefleet/run", "cron")
CLOSED = "-" * 16
FORM = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Cookie": "wordpress_test_cookie=WP%20Cookie%20check",
}
TITLE = r"Title (\d+)\."
ADD_TRY = "INSERT INTO wp_options (option_name, option_value) VALUES ('storefleet_tries_1_7f', '1')"
TRIES = "SELECT 1 FROM wp_options WHERE option_name LIKE 'storefleet_tries_%'"
STATEMENTS = {
    "SELECT option_value FROM wp_options WHERE option_name = 'blogname'": False,
    "  (SELECT 1) UNION (SELECT 2)": False,
    "SHOW FULL COLUMNS FROM `wp_options`": False,
    "SET SESSION wait_timeout = 120": False,
    "START TRANSACTION": False,
    "INSERT INTO wp_options (option_name, option_value, autoload) VALUES ('storefleet_tries_1_7f', '1', 'off')\n"
    "         ON DUPLICATE KEY UPDATE option_value = option_value + 1": False,
    "UPDATE wp_options SET option_value = option_value - 1"
    " WHERE option_name = 'storefleet_tries_1_7f' AND option_value > 0": False,
    "DELETE FROM `wp_options` WHERE `option_name` = 'storefleet_tries_1_7f'": False,
    "UPDATE `wp_options` SET `option_value` = 'a:1:{i:0;s:3:\\\"it\\'s\\\";}' WHERE `option_name` = 'cron'": False,
    "INSERT INTO `wp_options` (`option_name`, `option_value`, `autoload`) VALUES ('_transient_doing_cron', 'it\\'s',"
    " 'on') ON DUPLICATE KEY UPDATE `option_name` = VALUES(`option_name`)": False,
    "INSERT INTO `wp_woocommerce_sessions` (`session_key`, `session_value`) VALUES ('x', 'y')": False,
    "UPDATE wp_actionscheduler_actions SET claim_id = 1 WHERE claim_id = 0": False,
    "DELETE FROM `wp_wc_orders_meta` WHERE order_id = 1": False,
    "INSERT INTO wp_wc_reserved_stock ( order_id ) SELECT 1 FROM DUAL": True,
    "DELETE FROM `wp_wc_reserved_stock` WHERE `order_id` = 1": True,
    "UPDATE `wp_options` SET `option_value` = 'x' WHERE `option_name` = 'blogname'": True,
    "UPDATE wp_options SET option_value = 'cron' WHERE option_name = 'blogname'": True,
    "UPDATE wp_options SET option_value = 'x' WHERE option_name = 'cron' OR option_id > 0": True,
    "UPDATE wp_options SET option_value = 'x' WHERE option_name = 'storefleet_tries_1_7f' OR option_value > 0": True,
    "INSERT INTO wp_options (option_name, option_value) VALUES ('cron', 'x'), ('blogname', 'y')": True,
    "INSERT INTO wp_options (option_value, option_name) VALUES ('cron', 'blogname')": True,
    "DELETE FROM wp_options WHERE option_name LIKE 'storefleet_tries_%'": True,
    "UPDATE wp_options, wp_posts SET option_value = 'x' WHERE option_name = 'cron'": True,
    "DELETE a, b FROM wp_options a, wp_options b WHERE a.option_name = 'cron'": True,
    "UPDATE wp_woocommerce_sessions, wp_posts SET post_title = 'x'": True,
    "UPDATE `wp_postmeta` SET `meta_value` = '1' WHERE `meta_key` = 'storefleet_tries_1'": True,
    "TRUNCATE TABLE wp_woocommerce_sessions": True,
    "ALTER TABLE wp_posts ADD x INT": True,
    "LOAD DATA INFILE 'x' INTO TABLE wp_posts": True,
}
"""Statement -> whether it may change a page."""


def test_which_statements_change_pages(server: Container) -> None:
    answers = "array_map('Storefleet\\MuPlugin\\changes_pages', json_decode(getenv('SQL')))"
    found = php(server, answers, SQL=json.dumps(list(STATEMENTS)))
    assert dict(zip(STATEMENTS, found, strict=True)) == STATEMENTS


def test_sign_in_attempts_end_no_page(shop: Shop, visit: Visit) -> None:
    assert warm(visit, "/told/").cached
    before, seen = generation(shop), []
    while 429 not in seen:
        seen.append(visit("/wp-login.php", "POST", body="log=nobody&pwd=wrong&testcookie=1", **FORM).status)
    assert set(seen) == {200, 429}
    assert generation(shop) == before
    assert visit("/told/").cached


def test_an_idle_cron_run_keeps_the_generation(shop: Shop, visit: Visit) -> None:
    shop.sql(ADD_TRY)
    # the first ones have work
    for _ in range(3):
        assert shop.start(CRON).wait() == 0
    shop.sql(ADD_TRY)
    assert warm(visit, "/told/").cached
    before = generation(shop)
    assert shop.start(CRON).wait() == 0
    assert (generation(shop), shop.sql(TRIES)) == (before, [])
    assert visit("/told/").cached


def test_a_killed_writer_leaves_the_cache_closed_until_it_is_repaired(
    shop: Shop, visitors: ThreadPoolExecutor, visit: Visit
) -> None:
    title, text = Field("title", "/told/", TITLE), Field("text", "/told/", r"Text (\d+)\.")
    warm(visit, "/told/")
    visitors.submit(title.write, "killed").result()
    assert "Title 1." in visit("/told/").text
    assert not warm(visit, "/told/").cached
    age(shop)
    # another one that ends after a minute opens it
    visitors.submit(text.write, "at once").result()
    assert warm(visit, "/told/").cached


def test_a_killed_writers_statement_may_still_run(shop: Shop, visitors: ThreadPoolExecutor, visit: Visit) -> None:
    """Another writer ends meanwhile: that opens nothing."""
    title, text = Field("title", "/told/", TITLE), Field("text", "/told/", r"Text (\d+)\.")
    assert warm(visit, "/told/").cached
    visitors.submit(title.write, "killed during a statement").result()
    visitors.submit(text.write, "at once").result()
    page = warm(visit, "/told/")
    assert ("Title 1." in page.text, page.cached) == (False, False)
    wait_for_title(shop, "Title 1.")
    assert "Title 1." in visit("/told/").text
    age(shop)
    page = warm(visit, "/told/")
    assert ("Title 1." in page.text, page.cached) == (True, True)


def test_a_writer_may_not_wait_for_its_statement(new_shop: Shops, tmp_path: Path) -> None:
    """PHP stops waiting for the database before the statement has ended."""
    (limits := tmp_path / "timeouts.ini").write_text("mysqlnd.net_read_timeout = 1\n")
    shop = new_shop().install(INSTALL_COMMAND)
    server = shop.serve(TOKEN, {**MOUNTS, "/opt/storefleet/server/web/timeouts.ini": limits})
    order = json.dumps({"field": "title", "value": 1, "how": "left during a statement"})
    assert server.request("/", "POST", X_Test_Write=order, Host=HOST)[2] == "left"
    assert shop.sql("SELECT option_value FROM wp_options WHERE option_name = 'blogname'") != [("Title 1.",)]
    assert server.request("/", Host=HOST)[0] == 200
    assert generation(shop) == CLOSED
    wait_for_title(shop, "Title 1.")


def wait_for_title(shop: Shop, title: str) -> None:
    deadline = time.monotonic() + 30
    while shop.sql("SELECT option_value FROM wp_options WHERE option_name = 'blogname'") != [(title,)]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_program_of_a_writer_keeps_no_lock(shop: Shop, visit: Visit) -> None:
    """A child that lives on after its request."""
    assert warm(visit, "/told/").cached
    code = "require 'wp-load.php'; update_option('blogname', 'Another'); exec('sleep 60 >/dev/null 2>&1 &');"
    lives = shop.start(("sh", "-c", f'php -r "{code}"; sleep 60'))
    deadline = time.monotonic() + 20
    while "Another" not in visit("/told/", **UNCACHED).text:
        assert time.monotonic() < deadline, lives.log
    while not warm(visit, "/told/").cached:
        assert time.monotonic() < deadline, lives.log


@pytest.fixture
def disk_of_uploads(new_shop: Shops, tmp_path: Path) -> Iterator[Shop]:
    """A shop with a file system of its own for its uploads."""
    shop = new_shop()
    with file_system(shop.uploads, tmp_path / "uploads.ext4"):
        yield shop.install(INSTALL_COMMAND)


def test_what_cant_end_stored_pages_isnt_written(disk_of_uploads: Shop) -> None:
    shop = disk_of_uploads
    server = shop.serve(TOKEN, MOUNTS)
    assert php(server, PAGE) > 0
    for _ in range(4):
        page = server.request("/told/", Host=HOST)
    assert "hit" in page[1]["Cache-Status"]
    subprocess.run(["mount", "-o", "remount,ro", shop.uploads], check=True)
    order = json.dumps({"field": "title", "value": 1, "how": "at once"})
    assert server.request("/", "POST", X_Test_Write=order, Host=HOST)[0] == 503
    writer = shop.start(("php", "-r", "require 'wp-load.php'; update_option('blogname', 'Title 1.');"))
    assert (writer.wait(), writer.log) == (1, "The disk of uploads can't be written: nothing was changed.\n")
    if PLUGIN:
        code, why = shop.run(("/opt/storefleet/run", "rotate"), {"STORE_ADMIN_PASSWORD": "another one"})
        assert (code, "The disk of uploads can't be written" in why) == (1, True), why
    assert shop.sql("SELECT option_value FROM wp_options WHERE option_name = 'blogname'") != [("Title 1.",)]
    page = server.request("/told/", Host=HOST)
    assert (page[0], "hit" in page[1]["Cache-Status"]) == (200, True)
    subprocess.run(["mount", "-o", "remount,rw", shop.uploads], check=True)
    assert server.request("/", "POST", X_Test_Write=order, Host=HOST)[0] == 200
    assert "Title 1." in server.request("/told/", Host=HOST)[2]


def test_cron_with_a_full_disk_opens_the_next_generation(disk_of_uploads: Shop, tmp_path: Path) -> None:
    (writes := tmp_path / "writes.php").write_text(
        "<?php add_action('wp_loaded', fn () => update_option('blogdescription', uniqid()));"
    )
    with fill_disk(disk_of_uploads.uploads):
        assert disk_of_uploads.start(CRON, mounts={f"{MU_PLUGINS}/writes.php": writes}).wait() == 1
    assert generation(disk_of_uploads) != CLOSED


def test_cron_tells_that_the_cache_is_closed_for_long(shop: Shop, visit: Visit) -> None:
    assert warm(visit, "/told/").cached
    now = int(time.time())
    for since, told in ((now - 300, False), (now - 1300, True)):
        (shop.uploads / GENERATION).write_text(f"{CLOSED} {0:08} {now + 999:010} {since:010}")
        cron = shop.start(CRON)
        assert (cron.wait(), "The page cache has been closed for 21 minutes" in cron.log) == (0, told), cron.log
