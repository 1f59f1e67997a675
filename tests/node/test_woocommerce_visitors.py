"""What visitors of a shop see and don't see: names for sign-in, other hosts, errors of the database, large uploads."""

import html
import io
import json
import re
import signal
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.node.containers import Container
from tests.node.page_visits import Answer, enter_network, send
from tests.node.plugin import NEEDS_PLUGIN
from tests.node.shoppers import API
from tests.node.shops import ENV, HOST, INSTALL, Shop, Shops, wait_for_response
from tests.node.wordpress import admin, php
from tests.support.waiting import eventually

pytestmark = NEEDS_PLUGIN
RESOURCES = re.compile(
    r"""<(?:script|img|iframe|source|link)\b[^>]*?\b(?:src|srcset|href)=["'](?:https?:)?//([\w.:-]+)"""
)
"""Hosts of what a browser loads by itself."""
PROFILE = "gmpg.org"
"""The name of a format in a link that no browser follows."""
NOT_SAVED = "save anything at the moment. Please try again later."


@pytest.fixture
def server(new_shop: Shops) -> Container:
    return new_shop().install(INSTALL).serve()


def options(server: Container, *names: str) -> dict[str, str]:
    found: dict[str, str] = php(
        server, f"array_combine({json.dumps(names)}, array_map('get_option', {json.dumps(names)}))"
    )
    return found


@pytest.mark.parametrize(
    ("country", "currency", "price", "units", "zone"),
    [
        ("JP", "JPY", "¥1,235", ["kg", "cm"], "Asia/Tokyo"),
        ("DE", "EUR", "1.234,50 €", ["kg", "cm"], "Europe/Berlin"),
        ("US", "USD", "$1,234.50", ["lbs", "in"], "America/New_York"),
        ("DE", "JPY", "1.235 ¥", ["kg", "cm"], "Europe/Berlin"),
    ],
)
def test_a_shop_has_the_formats_of_its_country(
    new_shop: Shops, country: str, currency: str, price: str, units: list[str], zone: str
) -> None:
    env = {"STORE_COUNTRY": country, "STORE_CURRENCY": currency}
    server = new_shop().install(INSTALL, env).serve()
    shown = php(server, "html_entity_decode(wp_strip_all_tags(wc_price(1234.5)))")
    assert shown.replace("\u00a0", " ") == price
    found = options(server, "woocommerce_weight_unit", "woocommerce_dimension_unit", "timezone_string")
    assert list(found.values()) == [*units, zone]
    assert php(server, "wp_timezone()->getName()") == zone


def test_visitors_learn_no_name_for_sign_in_and_call_no_other_host(server: Container) -> None:
    for path in ("/wp/v2/users", "/wp/v2/users/1", "/wp/v2/users?search=admin"):
        status, _, text = server.request(f"/?rest_route={path.replace('?', '&')}", Host=HOST)
        assert (status, "admin" in text) == (404, False), path
    assert "<urlset" not in server.request("/wp-sitemap-users-1.xml", Host=HOST)[2]
    assert "<urlset" in server.request("/wp-sitemap-posts-page-1.xml", Host=HOST)[2]
    status, headers, _ = server.request("/?author=1", Host=HOST)
    assert "admin" not in headers.get("Location", "")
    author = php(server, "[get_userdata(1)->display_name, get_userdata(1)->user_nicename]")
    assert [html.unescape(name) for name in author] == ["Fig & Olive", "shop"]
    owner = admin(server)
    assert (
        php(
            server,
            "rest_do_request(new WP_REST_Request('GET', '/wp/v2/users'))->get_status()",
            "wp_set_current_user(1);",
        )
        == 200
    )
    assert server.request("/wp-admin/users.php", **owner)[0] == 200
    for path in (
        "/",
        "/product/storefleet-sample/",
        "/cart/",
        "/checkout/",
        "/my-account/",
        "/feed/",
        "/nothing-here/",
    ):
        status, _, text = server.request(path, Host=HOST)
        assert status in (200, 301, 302, 404), path
        assert "s.w.org" not in text, path
        assert "gravatar.com" not in text, path
        assert set(RESOURCES.findall(text)) <= {HOST, PROFILE}, path


def test_without_mail_nobody_is_told_that_mail_was_sent(server: Container) -> None:
    page = server.request("/my-account/lost-password/", Host=HOST)[2]
    [nonce] = re.findall(r'name="woocommerce-lost-password-nonce" value="(\w+)"', page)
    body = f"user_login=admin&wc_reset_password=true&woocommerce-lost-password-nonce={nonce}"
    form = {"Content_Type": "application/x-www-form-urlencoded", "Host": HOST}
    status, headers, text = server.request("/my-account/lost-password/", "POST", body, **form)
    assert "reset-link-sent" not in headers.get("Location", "")
    assert (status, bool(re.search(r"This shop can\S{1,8}t send mail", text))) == (200, True)


def png(width: int, height: int) -> bytes:
    """A picture of that size that is small as a file."""
    rows = zlib.compress(bytes(height * (1 + (width + 7) // 8)), 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = io.BytesIO(b"")
    chunks.write(b"\x89PNG\r\n\x1a\n")
    for kind, data in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")):
        chunks.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
    return chunks.getvalue()


def test_a_picture_with_too_many_pixels_is_refused_and_leaves_nothing(new_shop: Shops) -> None:
    shop = new_shop().install(INSTALL)
    server = shop.serve()
    before = files_of(shop)
    for name, picture, status in (("large.png", png(8000, 6000), 500), ("small.png", png(1200, 800), 201)):
        (shop.uploads / name).write_bytes(picture)
        upload = (
            f"$file = ['name' => '{name}', 'tmp_name' => '/tmp/{name}', 'type' => 'image/png', 'size' => 1,"
            " 'error' => 0];"
            f"copy('{UPLOADED}/{name}', '/tmp/{name}'); wp_set_current_user(1);"
            "require_once ABSPATH . 'wp-admin/includes/admin.php'; $id = media_handle_sideload($file);"
        )
        answer = php(server, "is_wp_error($id) ? $id->get_error_message() : 'kept'", upload)
        (shop.uploads / name).unlink()
        refused = (
            "This picture has 48 megapixels, and this shop takes at most 24. Make it smaller, then upload it again."
        )
        assert answer == (refused if status == 500 else "kept")
        if status == 500:
            assert files_of(shop) == before


def test_a_large_file_is_kept_one_above_the_limit_leaves_nothing_and_a_picture_is_resized(new_shop: Shops) -> None:
    shop = new_shop().install(INSTALL)
    server = shop.serve()
    owner = {name.replace("_", "-"): value for name, value in admin(server).items()}
    with ThreadPoolExecutor(1, initializer=enter_network, initargs=(server.network,)) as pool:
        form = pool.submit(partial(send, "/wp-admin/media-new.php", **owner)).result().text
        assert "Maximum upload file size: 64 MB." in form  # and the page's script refuses a larger file
        [nonce] = re.findall(r'name="_wpnonce" value="(\w+)"', form)
        before = files_of(shop)
        for megabytes, expected in ((65, 413), (40, 200)):
            body = FORM.format(nonce=nonce).encode() + b"%PDF-1.4\n" + bytes(megabytes * 2**20) + b"\r\n--form--\r\n"
            more = {"Content-Type": "multipart/form-data; boundary=form", **owner}
            upload = partial(send, "/wp-admin/async-upload.php", "POST", body=body, **more)
            answer = pool.submit(upload).result()
            assert answer.status == expected, answer
            assert (files_of(shop) == before) == (megabytes == 65)
        assert json.loads(answer.text)["success"] is True
        picture = FORM.replace("catalogue.pdf", "picture.png").replace("application/pdf", "image/png")
        body = picture.format(nonce=nonce).encode() + png(1200, 800) + b"\r\n--form--\r\n"
        answer = pool.submit(partial(send, "/wp-admin/async-upload.php", "POST", body=body, **more)).result()
        sizes = json.loads(answer.text)["data"]["sizes"]
        assert {"medium", "large", "full"} <= sizes.keys()  # made at once
        assert {path.name for path in files_of(shop)} >= {f"picture-{size}.png" for size in ("300x200", "1024x683")}


FORM = """--form\r
Content-Disposition: form-data; name="action"\r
\r
upload-attachment\r
--form\r
Content-Disposition: form-data; name="_wpnonce"\r
\r
{nonce}\r
--form\r
Content-Disposition: form-data; name="async-upload"; filename="catalogue.pdf"\r
Content-Type: application/pdf\r
\r
"""
UPLOADED = "/var/www/html/wp-content/uploads"


def files_of(shop: Shop) -> set[Path]:
    return {path for path in shop.uploads.rglob("*") if path.is_file()}


def test_a_shopper_with_a_cart_and_a_signed_in_user_get_pages_of_their_own(server: Container) -> None:
    with ThreadPoolExecutor(1, initializer=enter_network, initargs=(server.network,)) as pool:

        def visit(path: str, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
            return pool.submit(partial(send, path, method, body=body, **headers)).result()

        def is_stored(path: str) -> bool:
            return visit(path).cached

        [product] = json.loads(visit(f"{API}/products").text)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        login = urlencode({"log": "admin", "pwd": ENV["STORE_ADMIN_PASSWORD"], "testcookie": "1"})
        cart = visit(f"{API}/cart")
        item = json.dumps({"id": product["id"], "quantity": 1})
        nonce = {"Nonce": cart.headers["Nonce"], "Content-Type": "application/json", "Cookie": cart.cookies}
        beginnings: list[tuple[str, str, str | None, dict[str, str]]] = [
            (f"/?add-to-cart={product['id']}", "GET", None, {}),
            ("/shop/", "POST", urlencode({"add-to-cart": product["id"]}), form),
            (f"{API}/cart/add-item", "POST", item, nonce),
            ("/wp-login.php", "POST", login, form | {"Cookie": "wordpress_test_cookie=WP%20Cookie%20check"}),
        ]
        for url, method, body, headers in beginnings:
            began = visit(url, method, body, **headers)
            assert began.cookies, began
            for path in ("/", "/shop/", "/product/storefleet-sample/"):
                assert eventually(partial(is_stored, path))
                mine = visit(path, Cookie=began.cookies)
                assert (mine.status, mine.cached) == (200, False), (path, began.cookies)
            own = json.loads(visit(f"{API}/cart", Cookie=began.cookies).text)["items_count"]
            assert (own == 1) or "wpadminbar" in mine.text


def test_what_no_page_shows_leaves_pages_stored(server: Container) -> None:
    """Statements that an open editor, a signed-in shopper, and the first view of a product send."""
    with ThreadPoolExecutor(1, initializer=enter_network, initargs=(server.network,)) as pool:

        def is_stored() -> bool:
            return pool.submit(send, "/").result().cached

        product = "wc_get_product_id_by_sku('storefleet-sample')"
        cart = "['cart' => ['x' => ['name' => 'Ada\\'s \"jar\"', 'n' => random_int(1, 9999)]]]"
        for write, private in (
            (f"update_post_meta({product}, '_edit_lock', time() . ':' . random_int(1, 9999))", True),
            (f"update_user_meta(1, '_woocommerce_persistent_cart_1', {cart})", True),
            ("set_transient('wc_related_1', [random_int(1, 9999)], 60)", True),
            ("delete_transient('wc_related_1')", True),
            (f"update_post_meta({product}, '_edit_last', random_int(1, 9999))", False),
            ("update_user_meta(1, 'nickname', '_edit_lock' . random_int(1, 9999))", False),
            ("set_transient('wc_other_1', [random_int(1, 9999)], 60)", False),
        ):
            for _ in range(1 if "delete" in write else 2):  # a new row, then a changed one
                assert eventually(is_stored)
                assert php(server, write)
                assert is_stored() == private, write


def test_a_cart_that_is_not_saved_is_told(new_shop: Shops) -> None:
    shop = new_shop().install(INSTALL)
    server = shop.serve()
    [product] = json.loads(server.request(f"{API}/products", Host=HOST)[2])
    token = server.request(f"{API}/cart", Host=HOST)[1]["Cart-Token"]
    more = {"Host": HOST, "Content_Type": "application/json", "Cart_Token": token}
    shop.sql("ALTER TABLE wp_woocommerce_sessions RENAME TO hidden")
    body = json.dumps({"id": product["id"], "quantity": 1})
    status, _, text = server.request(f"{API}/cart/add-item", "POST", body, **more)
    assert (status, json.loads(text)["code"]) == (503, "storefleet_not_saved")
    for path in (f"/?add-to-cart={product['id']}", f"/cart/?add-to-cart={product['id']}"):
        status, _, text = server.request(path, Host=HOST)
        assert (status, NOT_SAVED in text) == (503, True), text
    shop.sql("ALTER TABLE hidden RENAME TO wp_woocommerce_sessions")
    assert server.request(f"{API}/cart/add-item", "POST", body, **more)[0] == 201
    assert len(json.loads(server.request(f"{API}/cart", **more)[2])["items"]) == 1


def test_without_its_database_a_shop_says_when_it_is_back(new_shop: Shops) -> None:
    shop = new_shop().install(INSTALL)
    server = shop.serve()
    shop.database.container.stop(signal.SIGKILL)
    wait_for_response(server, "/", 503)
    status, headers, page = server.request("/", Host=HOST)
    assert (status, headers["Retry-After"], headers["Cache-Control"]) == (503, "5", "no-store")
    assert "<h1>Back in a moment</h1>" in page
    assert 'http-equiv="refresh"' in page
    posted = server.request("/checkout/", "POST", "x=1", Host=HOST, Content_Type="application/x-www-form-urlencoded")
    assert (posted[0], 'http-equiv="refresh"' in posted[2]) == (503, False)
    status, _, text = server.request(f"{API}/cart", Host=HOST)
    assert (status, json.loads(text)["code"]) == (503, "storefleet_unavailable")
    assert server.request("/healthz", Host=HOST)[0] == 200


def test_an_owner_finds_the_wizard_first_or_no_notice_of_it(new_shop: Shops) -> None:
    server = new_shop().install(INSTALL).serve()
    owner = admin(server)
    status, _, page = server.request("/wp-admin/", **owner)
    assert (status, "wc_admin_dashboard_setup" in page) == (200, False)
    server.stop(signal.SIGKILL)
    server = new_shop().install(INSTALL, {"STORE_SETUP": "wizard"}).serve()
    owner = admin(server)
    status, headers, _ = server.request("/wp-admin/", **owner)
    assert (status, "page=wc-admin" in headers.get("Location", "")) == (302, True)
    status, headers, _ = server.request("/wp-admin/admin.php?page=wc-admin", **owner)
    assert (status, "setup-wizard" in headers.get("Location", "")) == (302, True)
    assert server.request("/wp-admin/", **owner)[0] == 200  # once
