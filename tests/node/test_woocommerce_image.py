"""The WooCommerce image in a container, with or without the plugin: probes, files, Apache, titles, languages."""

import html
import json
import signal
import time
from pathlib import Path

import pytest

from tests.node.containers import Container, Containers, Image
from tests.node.databases import start_database
from tests.node.plugin import PLUGIN
from tests.node.shops import HOST, INSTALL, MU_PLUGINS, UPLOADS, WEB, WORDPRESS, Mounts, Shop, Shops, wait_for_response
from workers.engines.objects import EXIT_NON_RETRYABLE

INSTALL_COMMAND = INSTALL if PLUGIN else WORDPRESS
MISSING = (
    "WooCommerce is missing from this image: build it with WOOCOMMERCE_VERSION or WOOCOMMERCE_ZIP, "
    "or put the plugin back into wp-content/plugins."
)
TITLES = (
    "🫒🛒 Olives 👩🏽‍🌾",
    "\"Fig\" & 'Olive' <b>&amp;</b>",
    "متجر التين والزيتون",
    "無花果とオリーブ 무화과",
    "é" * 80,
    "$(HOME) %s \\n ${x} `id` ' OR 1=1 -- ",
)


def healthy(web: Container, status: int, why: str) -> None:
    """Waits for this response of /readyz; /healthz is always 200. Both ignore Host and scheme."""
    assert wait_for_response(web, "/readyz", status) == f"{why}\n"
    for headers in ({}, {"Host": "10.244.0.7:8080"}, {"Host": HOST, "X_Forwarded_Proto": "https"}):
        assert web.request("/readyz", **headers)[::2] == (status, f"{why}\n")
        found, response_headers, text = web.request("/healthz", **headers)
        assert (found, text, response_headers["Cache-Control"]) == (200, "ok\n", "no-store")


def test_health_says_what_is(new_shop: Shops, containers: Containers, mariadb_image: Image, disk: Path) -> None:
    shop = new_shop()
    web = shop.start(WEB)
    healthy(web, 503, "the shop is not set up yet")
    shop.install(INSTALL_COMMAND)
    healthy(web, 200, "ready")
    shop.database.container.stop(signal.SIGKILL)
    healthy(web, 503, "the database does not answer")
    start_database(containers, mariadb_image, disk, network=web.network).wait()
    healthy(web, 200, "ready")
    assert web.stop(signal.SIGWINCH) == 0


def test_without_the_plugin_an_installation_fails_plainly(new_shop: Shops) -> None:
    shop = new_shop()
    empty = shop.uploads.with_name("no-plugins")
    empty.mkdir()
    mounts = {"/var/www/html/wp-content/plugins": empty}
    for argv in (INSTALL, ("/opt/storefleet/run", "prove")):
        env = {"STORE_SERVICE": "http://web", "STORE_PROOF_TOKEN": "x" * 32}
        assert shop.run(argv, env, mounts) == (EXIT_NON_RETRYABLE, MISSING)
        assert shop.termination_log.read_text() == MISSING
    assert shop.sql("SHOW TABLES") == []


def test_a_titles_letters_are_kept(new_shop: Shops) -> None:
    for title in TITLES:
        shop = new_shop().install(INSTALL_COMMAND, {"STORE_TITLE": title})
        [[stored]] = shop.sql("SELECT HEX(option_value) FROM wp_options WHERE option_name = 'blogname'")
        assert html.unescape(bytes.fromhex(stored).decode()) == title.strip()
        web = shop.start(WEB)
        site = json.loads(wait_for_response(web, "/?rest_route=/", 200))
        assert html.unescape(site["name"]) == title.strip()
        page = wait_for_response(web, "/", 200)
        assert "<b>" not in page.partition("<title>")[2].partition("</title>")[0]
        if title.replace(" ", "").isalpha():  # WordPress converts quotes and dashes of other titles
            assert title in page
        web.stop(signal.SIGKILL)


def test_a_shop_speaks_its_language(new_shop: Shops, languages: Mounts) -> None:
    for locale, signs in (("ar", ('lang="ar"', 'dir="rtl"')), ("de_DE", ('lang="de-DE"', "Passwort vergessen"))):
        shop = new_shop().install(INSTALL_COMMAND, {"STORE_LOCALE": locale}, languages)
        web = shop.start(WEB)
        page = wait_for_response(web, "/wp-login.php", 200)
        assert [sign for sign in signs if sign not in page] == []
        web.stop(signal.SIGKILL)


def test_an_image_refuses_a_language_that_it_lacks(new_shop: Shops) -> None:
    shop = new_shop()
    refused = {
        "tlh": 'This image has no language files of WordPress for tlh: build it with LANGUAGES="tlh"',
        "../../etc": "STORE_LOCALE must be a language of WordPress's",
    }
    if PLUGIN:
        refused["ar"] = 'This image has no language files of WooCommerce for ar: build it with LANGUAGES="ar"'
    for locale, why in refused.items():
        code, last = shop.run(INSTALL_COMMAND, {"STORE_LOCALE": locale})
        assert (code, last.startswith(why)) == (EXIT_NON_RETRYABLE, True), last
    assert shop.sql("SHOW TABLES") == []


@pytest.fixture
def web(new_shop: Shops) -> tuple[Shop, Container]:
    """A ready shop and its web server."""
    shop = new_shop().install(INSTALL_COMMAND)
    web = shop.start(WEB)
    wait_for_response(web, "/readyz", 200)
    return shop, web


def put(shop: Shop, path: str, text: str) -> None:
    """Writes a file into the uploads."""
    file = shop.uploads / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o644)


def test_uploads_are_shown_and_never_run_and_what_is_private_is_not(web: tuple[Shop, Container]) -> None:
    shop, server = web
    place, program = UPLOADS.removeprefix("/var/www/html"), "<?php echo 6 * 7;"
    put(shop, "2026/11/fig.txt", "a fig")
    put(shop, "2026/11/fig.svg", "<svg><script>alert(1)</script></svg>")
    assert server.request(f"{place}/2026/11/fig.txt")[::2] == (200, "a fig")
    assert "sandbox" in server.request(f"{place}/2026/11/fig.svg")[1]["Content-Security-Policy"]
    for name in ("x.php", "x.PHP7", "x.phtml", "x.phar", "x.php.jpg", ".htaccess", "x.cgi"):
        put(shop, f"2026/11/{name}", program)
        assert server.request(f"{place}/2026/11/{name}")[0] == 403, name
    for folder in ("woocommerce_uploads", "wc-logs", "woocommerce_transient_files", "lost+found"):
        put(shop, f"{folder}/order.txt", "private")
        assert server.request(f"{place}/{folder}/order.txt")[0] == 403, folder
        assert server.request(f"{place}/{folder}/")[0] == 403, folder
    assert server.request(f"{place}/2026/11/")[0] in (403, 404)  # no list of what there is


def test_nothing_but_uploads_and_scratch_can_be_written(web: tuple[Shop, Container]) -> None:
    _, server = web
    for folder in (
        "/",
        "/var/www/html",
        "/var/www/html/wp-content/plugins",
        "/opt/storefleet/mu-plugin",
        "/etc",
        "/var",
    ):
        done = server.exec("touch", f"{folder}/x")
        assert "Read-only file system" in done.stderr, folder
    for folder in (UPLOADS, "/tmp"):
        assert server.exec("touch", f"{folder}/x").returncode == 0
    assert server.exec("id", "-u").stdout == "10001\n"


def test_the_image_has_its_php_compiled_for_the_web_server_and_for_programs(woocommerce_image: Image) -> None:
    compiled = woocommerce_image.root / "opt/storefleet/opcache"
    for file in (
        "var/www/html/wp-settings.php",
        "var/www/html/wp-includes/class-wp-query.php",
        "var/www/html/wp-admin/includes/dashboard.php",
        "opt/storefleet/mu-plugin/page-cache.php",
        "opt/storefleet/install.php",
        *(["var/www/html/wp-content/plugins/woocommerce/includes/class-wc-cart.php"] if PLUGIN else []),
    ):
        assert len(list(compiled.glob(f"*/{file}.bin"))) == 2, file


def test_the_platforms_own_rules_hold(web: tuple[Shop, Container]) -> None:
    shop, server = web
    for path in ("xmlrpc.php", "wp-cron.php", "wp-admin/install.php", "wp-config.php", "readme.html", ".git/config"):
        assert server.request(f"/{path}", Host=HOST)[0] == 403, path
    status, headers, page = server.request("/", Host=HOST)
    assert (status, "X-Pingback" in headers, 'name="generator"' in page) == (200, False, False)
    assert server.request("/opt/storefleet/install.php", Host=HOST)[0] == 404

    if (left := 900 - time.time() % 900) < 120:  # tries are counted by the quarter of an hour
        time.sleep(left)
    answered = []
    for _ in range(11):
        form = "log=admin&pwd=wrong&testcookie=1"
        kind = {
            "Content_Type": "application/x-www-form-urlencoded",
            "Cookie": "wordpress_test_cookie=WP%20Cookie%20check",
        }
        status, headers, _ = server.request("/wp-login.php", "POST", form, Host=HOST, **kind)
        answered.append(status)
    assert answered == [200] * 10 + [429]
    assert 0 < int(headers["Retry-After"]) <= 900
    [[tries]] = shop.sql("SELECT option_value FROM wp_options WHERE option_name LIKE 'storefleet\\_tries\\_%'")
    assert int(tries) == 11
    result = server.exec("php", "-r", f"require 'wp-load.php'; echo json_encode({MU_PLUGINS});")
    assert result.stdout.splitlines()[-1:] == ['["storefleet.php"]'], result.stdout + result.stderr
