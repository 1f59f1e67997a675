"""The must-use plugin and Apache's configuration, with WooCommerce or without.

Outbound requests, updates, file permissions, sign-in throttling, client addresses, HTTPS.
"""

import json
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from tests.node.containers import Container
from tests.node.plugin import NEEDS_PLUGIN, PLUGIN
from tests.node.resolver import resolver
from tests.node.shops import HOST, INSTALL, WORDPRESS, Mounts, Shop, Shops
from tests.node.wordpress import CUSTOM_PLUGINS, admin, buy, call_rest, php

INSTALL_COMMAND = INSTALL if PLUGIN else WORDPRESS
FORM = {
    "Host": HOST,
    "Content_Type": "application/x-www-form-urlencoded",
    "Cookie": "wordpress_test_cookie=WP%20Cookie%20check",
}
POST = {"REQUEST_METHOD": "POST"}
NEWS = ("api.wordpress.org", "downloads.wordpress.org", "API.WordPress.org", "wordpress.org", "woocommerce.com")
NEWS_WIDGET = "widget=dashboard_primary&pagenow=dashboard"
WOOCOMMERCE_PAGES = [
    *(f"admin.php?page=wc-{name}" for name in ("status", "orders", "reports", "settings", "settings&tab=checkout")),
    *(f"admin.php?page=wc-admin{path}" for path in ("", "&path=/analytics/overview")),
    "edit.php?post_type=shop_coupon",
] * bool(PLUGIN)
WOOCOMMERCE_DATA = [
    *(("GET", f"/wc-admin/onboarding/{name}") for name in ("tasks", "free-extensions", "profile")),
    *(
        ("GET", f"/{path}")
        for path in ("wc/v3/system_status", "wc-analytics/admin/notes", "wc-admin/plugins/installed")
    ),
    ("POST", "/wc-admin/settings/payments/providers"),
] * bool(PLUGIN)
"""What scripts of these pages ask for."""
OTHER = "shipping.example"
"""A host that a plugin of the owner may call."""
OFFERS = """
function offer(string $kind, array $offer): void {
    set_site_transient("update_{$kind}", (object) ['last_checked' => time(), 'version_checked' => '6', 'checked' => [],
        'response' => [], 'translations' => [['type' => 'core', 'language' => 'de_DE']], 'updates' => [], ...$offer]);
}
require_once ABSPATH . 'wp-admin/includes/admin.php';
wp_set_current_user(1);
$newer = ['new_version' => '99.0', 'package' => 'https://downloads.wordpress.org/x.zip'];
offer('core', ['updates' => [(object) ['response' => 'upgrade', 'current' => '99.0', 'locale' => 'en_US']]]);
offer('plugins', ['response' => ['woocommerce/woocommerce.php' => (object) $newer]]);
offer('themes', ['response' => [get_stylesheet() => $newer]]);
"""


def request_errors(server: Container, *hosts: str, before: str = "", **env: str) -> dict[str, str]:
    """Host -> the error code of a request to it."""
    call = "fn ($host) => wp_remote_get(\"https://{$host}/x\", ['timeout' => 5])->get_error_code()"
    found = php(server, f"array_map({call}, {json.dumps(hosts)})", "", before, **env)
    return dict(zip(hosts, found, strict=True))


def test_who_may_be_called(new_shop: Shops, name_server: Mounts, tmp_path: Path) -> None:
    server = new_shop().install(INSTALL_COMMAND).serve(None, name_server)
    refused, tried = "storefleet_call", "http_request_failed"
    with resolver(server, tmp_path) as asked:
        for method in ("GET", "HEAD"):
            everybody = request_errors(server, OTHER, *NEWS, REQUEST_METHOD=method)
            assert everybody == dict.fromkeys((OTHER, *NEWS), refused)
        program = request_errors(server, OTHER, *NEWS, before="define('STOREFLEET_PROGRAM', 'prove');", **POST)
        assert set(program.values()) == {refused}
        assert asked.names == set()
        for before, env in (("", POST), ("define('DOING_CRON', true);", {})):
            assert request_errors(server, OTHER, *NEWS, before=before, **env) == {
                OTHER: tried,
                **dict.fromkeys(NEWS, refused),
            }
        assert asked.names == {OTHER}
        assert request_errors(server, OTHER, *NEWS, **CUSTOM_PLUGINS) == {OTHER: tried, **dict.fromkeys(NEWS, refused)}
        dashboard = request_errors(server, NEWS[0], before="define('WP_ADMIN', true);", **CUSTOM_PLUGINS)
        assert dashboard == {NEWS[0]: tried}  # where plugins come from
        assert asked.names == {OTHER, NEWS[0]}


def test_no_page_calls_out(new_shop: Shops, name_server: Mounts, tmp_path: Path) -> None:
    shop = new_shop().install(INSTALL_COMMAND)
    server = shop.serve(None, name_server)
    owner = admin(server)
    pages = [f"{page}.php" for page in "plugins themes site-health import credits options-general users".split()]
    with resolver(server, tmp_path) as asked:
        for path in ("/", "/wp-login.php", "/?s=fig", "/?rest_route=/", "/feed/"):
            assert server.request(path, Host=HOST)[0] == 200, path
        for path in (f"/wp-admin/{page}" for page in pages + WOOCOMMERCE_PAGES):
            status, _, page = server.request(path, **owner)
            assert (status, "wp-admin-bar-my-account" in page) == (200, True), path
        for method, path in WOOCOMMERCE_DATA:
            call_rest(server, owner, path, method)
        for path in ("", "update-core.php", f"admin-ajax.php?action=dashboard-widgets&{NEWS_WIDGET}"):
            assert server.request(f"/wp-admin/{path}", **owner)[0] < 500, path
        assert server.request("/wp-login.php", "POST", "log=nobody&pwd=wrong&testcookie=1", **FORM)[0] == 200
        assert asked.names == set()
        assert server.exec("php", "-r", "gethostbyname('somebody.example');").returncode == 0
        assert asked.names == {"somebody.example"}
    # and WordPress did not prepare a request
    assert (
        shop.sql("SELECT option_name FROM wp_options WHERE option_name LIKE '\\_site\\_transient\\_update\\_%'") == []
    )
    # and WordPress' scheduled events have no callback
    scheduled = php(server, "array_map('has_action', ['wp_version_check', 'wp_update_plugins', 'wp_update_themes'])")
    assert scheduled == [False, False, False]


def test_the_owner_changes_no_files(new_shop: Shops) -> None:
    server = new_shop().install(INSTALL_COMMAND).serve()
    never = ["edit_files", "edit_plugins", "edit_themes"]
    install = [
        f"{what}_{kind}" for kind in ("plugins", "themes") for what in ("install", "update", "upload", "delete")
    ] + ["update_core", "install_languages", "update_languages"]
    allowed = ["manage_options", "activate_plugins", "switch_themes", "edit_theme_options", "edit_others_posts"]

    def may(**env: str) -> list[str]:
        asked = f"array_filter({json.dumps(never + install + allowed)}, 'current_user_can')"
        return sorted(php(server, f"array_values({asked})", "wp_set_current_user(1);", **env))

    assert may() == sorted(allowed)
    assert not set(may(**CUSTOM_PLUGINS)) & set(never)
    assert {"install_plugins", "update_plugins", "install_themes", *allowed} <= set(may(**CUSTOM_PLUGINS))

    owner = admin(server)
    for page in ("theme-editor", "plugin-editor", "plugin-install", "theme-install", "update-core"):
        status, _, text = server.request(f"/wp-admin/{page}.php", **owner)
        assert status in (403, 500), page  # as WordPress has it
        assert "Sorry, you are not allowed to" in text, page


def test_no_updates_are_offered(new_shop: Shops) -> None:
    server = new_shop().install(INSTALL_COMMAND).serve()
    offered = (
        "[count(get_core_updates()), count(get_site_transient('update_plugins')->response),"
        " count(get_theme_updates()), count(wp_get_translation_updates())]"
    )
    assert php(server, offered, OFFERS) == [0, 0, 0, 0]


def test_site_health_raises_no_false_alarm(new_shop: Shops) -> None:
    server = new_shop().install(INSTALL_COMMAND).serve()
    status, _, page = server.request("/wp-admin/site-health.php", **admin(server))
    assert status == 200
    [found] = re.findall(r"^var SiteHealth = (.*);$", page, re.MULTILINE)
    direct, later = (json.loads(found)["site_status"][kind] for kind in ("direct", "async"))
    assert "php_version" in {test["test"] for test in direct}
    assert [test for test in direct if test["status"] == "critical" or not test["label"]] == []
    asked = {test["test"].rpartition("/")[2] for test in later}
    assert "https-status" in asked
    assert not {"dotorg-communication", "background-updates", "loopback-requests", "page-cache"} & asked


def attempts(shop: Shop) -> Counter[str]:
    """Client address or network, in hex -> its counted sign-in attempts."""
    found: Counter[str] = Counter()
    for name, count in shop.sql(
        "SELECT option_name, option_value FROM wp_options WHERE option_name LIKE 'storefleet\\_tries\\_%'"
    ):
        found[name.rpartition("_")[2]] += int(count)
    return found


def test_a_visitor_is_known_by_their_own_address(new_shop: Shops) -> None:
    shop = new_shop().install(INSTALL_COMMAND)
    server = shop.serve()

    def attempt_from(header: str | None, at: str = "127.0.0.1") -> int:
        more = {} if header is None else {"X_Forwarded_For": header}
        return server.request("/wp-login.php", "POST", "log=nobody&pwd=wrong&testcookie=1", at=at, **FORM, **more)[0]

    ada, lie = "203.0.113.7", "198.51.100.1"
    assert {
        attempt_from(header) for header in (ada, f"::ffff:{ada}", f"{lie}, {ada}", f"{lie}, {ada}, 10.244.0.9")
    } == {200}
    assert attempts(shop) == {"cb007107": 4}
    assert {attempt_from(header) for header in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", None)} == {200}
    assert attempts(shop) == {"cb007107": 4, "20010db800010002": 2, "7f000001": 1}

    stranger = "192.0.2.66"  # a client that doesn't come through an ingress
    device = ["nsenter", "-t", str(server.pid), "-n", "ip", "address", "add", f"{stranger}/32", "dev", "lo"]
    subprocess.run(device, check=True)
    assert attempt_from(lie, at=stranger) == 200
    assert attempts(shop)["c0000242"] == 1

    if (left := 900 - time.time() % 900) < 20:  # tries are counted by the quarter of an hour
        time.sleep(left)
    answered = [attempt_from("203.0.113.99") for _ in range(11)]
    assert answered == [200] * 10 + [429]
    assert attempt_from(f"{lie}, 203.0.113.99") == 429
    assert attempt_from("203.0.113.100") == 200
    assert "c6336401" not in attempts(shop)
    assert f'{ada} "POST /wp-login.php" 200' in server.log


@NEEDS_PLUGIN
def test_an_order_has_the_address_that_it_came_from(new_shop: Shops) -> None:
    shop = new_shop().install(INSTALL)
    server = shop.serve()
    lie = "198.51.100.1"
    buy(server, X_Forwarded_For=f"{lie}, 203.0.113.7", X_Real_IP=lie, Client_IP=lie)
    assert shop.sql("SELECT ip_address FROM wp_wc_orders WHERE status = 'wc-processing'") == [("203.0.113.7",)]


def scheme(server: Container, **headers: str) -> str:
    """The scheme of the sign-in form's URL."""
    status, _, page = server.request("/wp-login.php", Host=HOST, **headers)
    [found] = re.findall(rf'<form [^>]*action="(https?)://{HOST}/wp-login\.php"', page)
    assert status == 200
    return str(found)


def test_https_before_the_ingress_is_believed(new_shop: Shops) -> None:
    shop = new_shop().install(INSTALL_COMMAND)
    server = shop.serve()
    for proto in ("https", "https, http", "https,http"):
        assert scheme(server, X_Forwarded_Proto=proto) == "https", proto
    for proto in ("http", "http, https", "", "httpsx"):
        assert scheme(server, X_Forwarded_Proto=proto) == "http", proto
    assert scheme(server) == "http"
    server.stop(signal.SIGKILL)

    # a store with an https URL never redirects to it, independent of the header of the ingress
    server = shop.serve({"STORE_URL": f"https://{HOST}"})
    for headers in ({}, {"X_Forwarded_Proto": "http"}, {"X_Forwarded_Proto": "https"}):
        assert scheme(server, **headers) == "https"
        assert server.request("/", Host=HOST, **headers)[0] == 200
