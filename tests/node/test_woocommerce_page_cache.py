"""The page cache, with WooCommerce or without: who gets a stored page, and that none is stale or somebody else's."""

import os
import random
import re
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from threading import Lock

from tests.node.containers import Container, Containers, Image
from tests.node.databases import start_database
from tests.node.page_visits import PORT, UNCACHED, Field, Sale, Visit, age, send, warm
from tests.node.plugin import PLUGIN
from tests.node.shops import Shop
from tests.node.wordpress import TOKEN, admin, php

HOW = ("at once", "at once", "in a transaction", "killed", "killed before its commit")
PRODUCT = "/product/storefleet-sample/"
TOLD = ("/told/", "second words")
CHANGES_OF_PRODUCTS = (
    ("wc_update_product_stock_status(wc_get_product_id_by_sku('storefleet-sample'), 'outofstock')", PRODUCT, "Out of"),
    ("$coupon = new WC_Coupon(); $coupon->set_code('ten'); $coupon->save()", PRODUCT, "Out of"),
)
COOKIES = (
    "wordpress_logged_in_x",
    "wp_woocommerce_session_x",
    "woocommerce_items_in_cart",
    "wp-postpass_x",
    "comment_author_x",
    "plugin_currency",
)
NEVER_STORED = ("/?s=told", "/feed/", "/nothing-here/", "/wp-login.php", "/wp-json/wp/v2/pages", "/?rest_route=/") + (
    ("/cart/", "/checkout/", "/my-account/", "/wp-json/wc/store/v1/cart", "/shop/?min_price=1") if PLUGIN else ()
)
UNIQUE = re.compile(r"quantity_[0-9a-f]+")
"""Another one each time that WooCommerce makes the page."""
OPERATIONS = 300
MARKS = {"owner": "<!-- mark of the owner -->", "cart": "<!-- mark of the cart -->"}
FALLS = """
$product = new WC_Product_Simple();
$product->set_name('Falls');
$product->set_slug('falls');
$product->set_regular_price('500');
$product->set_status('publish');
"""
TROUBLES = {"nothing": True} | dict.fromkeys(
    ("DONOTCACHEPAGE", "cookie", "header", "device", "place", "large", "a broken query", "no database"), False
)
"""What a page does -> whether it is stored."""


def test_visitors_with_nothing_of_their_own_get_stored_pages(server: Container, visit: Visit) -> None:
    page = warm(visit, "/told/")
    assert (page.cached, page.headers["Cache-Control"]) == (True, "no-cache")
    assert page.text == visit("/told/", **UNCACHED).text
    for path, headers in (
        ("/told/?utm_source=x&gclid=1", {}),
        ("/told/", {"Cookie": "sbjs_first=typ%3Dtypein; _ga=GA1.1"}),
        ("/told/", {"Accept-Encoding": "gzip"}),
    ):
        assert visit(path, **headers).cached, (path, headers)
    head = visit("/told/", "HEAD")
    assert (head.status, head.cached, head.text) == (200, True, "")
    tag = visit("/told/", **{"Accept-Encoding": "gzip"}).headers["ETag"]
    assert visit("/told/", **{"Accept-Encoding": "gzip", "If-None-Match": tag}).status == 304
    for accepted in ("gzip;q=0", "gzip; q=0.0, br", "identity"):
        plain = visit("/told/", **{"Accept-Encoding": accepted})
        assert (plain.cached, plain.headers.get("Content-Encoding")) == (True, None), accepted
    for method, path, more in (
        ("POST", "/told/", {}),
        ("GET", "/told/?x=1", {}),
        ("GET", "/told/?add-to-cart=1", {}),
        ("GET", "/told/", {"Authorization": "Basic eDp5"}),
        ("GET", "/told/", {"X-Storefleet-Proof": TOKEN["STORE_PROOF_TOKEN"]}),
        ("GET", "/told/", {"Range": "bytes=0-9"}),
        ("GET", "/told/", {"Cart-Token": "x"}),
        ("GET", "/told/", {"X-WP-Nonce": "x"}),
        ("GET", "/told/", {"Origin": "http://other.example"}),
        ("GET", "/told/", {"Host": "other.localhost:8080"}),
        ("GET", "/told/", {"Cache-Control": "no-cache"}),
        *(("GET", "/told/", {"Cookie": f"{name}=1"}) for name in COOKIES),
    ):
        assert not visit(path, method, **more).cached, (path, more)
    assert not warm(visit, "/told/", **{"X-Forwarded-Proto": "ftp"}).cached
    for path in NEVER_STORED:
        assert not warm(visit, path).cached, path
    assert php(server, "update_option('blogname', 'Another title')")
    for path in ("//told/", "/other/../told/", "/feed/../told/", "/told/./", "/told"):
        assert not warm(visit, path).cached, path
    assert not visit("/told/").cached
    owner = admin(server)
    mine = visit("/told/", **{name.replace("_", "-"): value for name, value in owner.items()})
    assert (mine.cached, "wpadminbar" in mine.text) == (False, True)
    assert "wpadminbar" not in warm(visit, "/told/").text


def test_which_pages_are_stored(shop: Shop, server: Container, visit: Visit) -> None:
    assert warm(visit, "/told/").cached
    for trouble, stored in TROUBLES.items():
        if trouble == "place" and not PLUGIN:
            continue
        assert php(server, f"update_option('blogname', 'After {trouble}')")
        page = visit("/told/", **{"X-Test-Trouble": trouble})
        assert (page.status, page.text.rstrip().endswith("</html>")) == (200, True), trouble
        later = visit("/told/")
        assert (later.cached, f"After {trouble}" in later.text) == (stored, True), trouble
        # a write of that page, too, may have had no answer
        age(shop)
        assert warm(visit, "/told/").cached, trouble
    if PLUGIN:
        assert php(server, "update_option('woocommerce_default_customer_address', 'geolocation')")
        assert not warm(visit, "/told/").cached


def test_no_page_is_stored_whose_database_was_restarted(
    shop: Shop,
    server: Container,
    visitors: ThreadPoolExecutor,
    visit: Visit,
    containers: Containers,
    mariadb_image: Image,
    disk: Path,
) -> None:
    """While it was made: WordPress connects again, and goes on."""
    assert warm(visit, "/told/").cached
    assert php(server, "update_option('blogname', 'Another title')")
    making = visitors.submit(send, "/told/", **{"X-Test-Trouble": "a restarted database"})
    deadline = time.monotonic() + 20
    while not (shop.uploads / "waits").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    shop.database.container.stop(signal.SIGKILL)
    start_database(containers, mariadb_image, disk, network=server.network).wait()
    (shop.uploads / "goes-on").touch()
    page = making.result()
    assert (page.status, page.text.rstrip().endswith("</html>")) == (200, True)
    later = visit("/told/")
    assert (later.cached, "Another title" in later.text) == (False, True)
    assert warm(visit, "/told/").cached


def test_scripts_are_compressed_by_the_build_and_kept_by_browsers(visit: Visit, woocommerce_image: Image) -> None:
    for name, kind in (("js/jquery/jquery.min.js", "text/javascript"), ("css/dashicons.min.css", "text/css")):
        compressed = woocommerce_image.root / f"var/www/html/wp-includes/{name}.gz"
        answer = visit(f"/wp-includes/{name}?ver=1", "HEAD", **{"Accept-Encoding": "gzip, br"})
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(compressed.stat().st_size))
        sent = {header: answer.headers[header] for header in ("Content-Encoding", "Content-Type", "Vary")}
        assert sent == {"Content-Encoding": "gzip", "Content-Type": kind, "Vary": "Accept-Encoding"}
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        plain = visit(f"/wp-includes/{name}")
        assert (plain.status, plain.headers.get("Content-Encoding")) == (200, None)
        assert plain.headers["Cache-Control"] == "max-age=604800"


def test_a_changed_shop_is_seen_by_the_next_visitor(shop: Shop, server: Container, visit: Visit) -> None:
    for change, path, shown in (
        ("wp_update_post(['ID' => get_page_by_path('told')->ID, 'post_content' => 'second words'])", *TOLD),
        ("update_option('blogname', 'Second title')", "/told/", "Second title"),
        ("wp_insert_comment(['comment_post_ID' => get_page_by_path('told')->ID, 'comment_content' => 'x'])", *TOLD),
        ("wp_set_post_terms(get_page_by_path('told')->ID, ['x'])", *TOLD),
        ("wp_create_nav_menu('x')", *TOLD),
        *(CHANGES_OF_PRODUCTS if PLUGIN else ()),
        ("update_option('WPLANG', 'de_DE')", "/told/", 'lang="de-DE"'),
        ("switch_theme('missing')", *TOLD),
    ):
        assert warm(visit, path).cached, path
        # a program in another container
        code = f"require 'wp-load.php'; {change};"
        assert shop.start(("php", "-r", code)).wait() == 0
        page = visit(path)
        assert (page.cached, shown in page.text) == (False, True), change
    assert warm(visit, "/told/").cached
    protect = "wp_update_post(['ID' => get_page_by_path('told')->ID, 'post_password' => 'x'])"
    assert php(server, protect) > 0
    page = warm(visit, "/told/")
    assert (page.cached, "second words" in page.text) == (False, False)


def test_pages_are_limited_in_number_and_age(server: Container, visit: Visit) -> None:
    """No more than so many pages are stored in a minute, and those of earlier minutes are deleted."""
    assert warm(visit, "/told/").cached
    pages = Path(f"/proc/{server.pid}/root/tmp/pages")
    # this minute's and the next one's turns are taken
    for minute in (time.time(), time.time() + 60):
        (pages / time.strftime("count-%Y%m%d%H%M", time.gmtime(minute))).write_text("." * 61)
    assert php(server, "update_option('blogname', 'Another title')")
    assert not warm(visit, "/told/").cached
    (old := pages / "0" / "202001010000.html.gz").parent.mkdir()
    old.touch()
    os.chown(old.parent, 10001, 10001)
    for count in pages.glob("count-*"):
        count.unlink()
    assert warm(visit, "/told/").cached
    assert not old.parent.exists()


def test_no_page_is_stale_whatever_writers_do(
    shop: Shop, server: Container, second_server: str, visitors: ThreadPoolExecutor, visit: Visit
) -> None:
    """Two web servers: what one of them wrote, the next answer of the other shows.

    The owner and a shopper with a cart visit the same pages, which tell who they are for.
    """
    chance = random.Random(seed := random.randrange(2**32))
    print("seed", seed)
    fields = [Field("title", "/told/", r"Title (\d+)\."), Field("text", "/told/", r"Text (\d+)\.")]
    if PLUGIN:
        price = r"Price-amount amount\"><bdi>(?:<span[^>]*>[^<]*</span>)?(\d+)[.,]00"
        fields.append(Field("price", PRODUCT, price, written=10, tried=10))
        assert php(server, "$product->save()", FALLS) > 0
        fields.append(Sale("sale", "/product/falls/", ""))
    seen: Counter[object] = Counter()

    ports = (PORT, second_server)
    for port in ports:
        assert warm(visit, "/told/", port=port).cached
    for field in fields:
        field.ports = cycle(chance.choices(ports, k=OPERATIONS))
    people = {"visitor": {}, "owner": {"Cookie": admin(server)["Cookie"]}}
    if PLUGIN:
        sample = php(server, "wc_get_product_id_by_sku('storefleet-sample')")
        people["cart"] = {"Cookie": visit(f"/?add-to-cart={sample}").cookies}

    def step(order: tuple[str, int, str]) -> None:
        kind, number, how = order
        field = fields[number % len(fields)]
        if kind == "write":
            with writing[field.name]:
                field.write(how)
            seen[how] += 1
        else:
            page = field.visit(**people[kind])
            assert [who for who, mark in MARKS.items() if mark in page.text] == [kind] * (kind in MARKS), kind
            assert not page.cached or kind == "visitor"
            seen[kind, "cached" if page.cached else "made"] += 1
        if number % 2:
            age(shop)

    writing = {field.name: Lock() for field in fields}
    kinds = chance.choices(["write", *people], [20, 60, *[10] * (len(people) - 1)], k=OPERATIONS)
    orders = [(kind, chance.randrange(12), chance.choice(HOW)) for kind in kinds]
    for _ in visitors.map(step, orders):
        pass
    age(shop)
    for field in fields:
        stored, made = (visitors.submit(field.visit, **headers).result().text for headers in ({}, UNCACHED))
        assert UNIQUE.sub("", stored) == UNIQUE.sub("", made)
    print(seen)
    expected = [*HOW, ("visitor", "cached"), ("visitor", "made"), *((who, "made") for who in people)]
    assert min(seen[what] for what in expected) > 0, seen
