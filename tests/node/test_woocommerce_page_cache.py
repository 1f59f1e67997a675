"""The page cache, with WooCommerce or without: who gets a stored page, and that none is stale or somebody else's."""

import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from tests.node.containers import Container, Image
from tests.node.page_visits import PORT, UNCACHED, Answer, Field, enter_network, send
from tests.node.plugin import NEEDS_PLUGIN, PLUGIN
from tests.node.shops import PHP_SCRIPTS, WEB, Shop
from tests.node.wordpress import TOKEN, admin, php

WRITER = {"/var/www/html/wp-content/mu-plugins/page-writer.php": PHP_SCRIPTS / "page-writer.php"}
HOW = ("at once", "at once", "in a transaction", "killed", "killed before its commit")
GENERATION = ".page-generation"
CONFIGURATION = "/opt/storefleet/server/httpd.conf"
PAGE = (
    "wp_insert_post(['post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'told', 'post_title' => 'Told'])"
)
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
CHANGES = """<?php
ob_start(static fn (string $page): string => str_ends_with($page, "</html>\\n") ? $page . uniqid() : $page);
"""
UNIQUE = re.compile(r"quantity_[0-9a-f]+")
"""Another one each time that WooCommerce makes the page."""
INTERLEAVINGS, CLIENTS = 200, 4


@pytest.fixture
def server(shop: Shop) -> Container:
    server = shop.serve(TOKEN, WRITER)
    assert php(server, PAGE) > 0
    return server


@pytest.fixture
def second_server(shop: Shop, server: Container, visitors: ThreadPoolExecutor, tmp_path: Path) -> str:
    """A second web server of the shop, with its own pages, as a second pod has. Returns its port."""
    settings, port = tmp_path / "httpd.conf", "8090"
    first = (shop.image.root / CONFIGURATION.lstrip("/")).read_text()
    settings.write_text(first.replace("Listen 8080", f"Listen {port}").replace("Listen 8081\n", ""))
    second = shop.start(WEB, TOKEN, {**WRITER, CONFIGURATION: settings})
    deadline = time.monotonic() + 20
    while not visitors.submit(answers, port).result():
        assert time.monotonic() < deadline, second.log
        time.sleep(0.05)
    return port


def answers(port: str) -> bool:
    try:
        return send("/readyz", port=port).status == 200
    except ConnectionRefusedError:
        return False


@pytest.fixture
def visitors(server: Container) -> Iterator[ThreadPoolExecutor]:
    """Threads in the server's network."""
    with ThreadPoolExecutor(CLIENTS, initializer=enter_network, initargs=(server.network,)) as pool:
        yield pool


Visit = Callable[..., Answer]


@pytest.fixture
def visit(visitors: ThreadPoolExecutor) -> Visit:
    return lambda *args, **headers: visitors.submit(send, *args, **headers).result()


def warm(visit: Visit, path: str, **given: Any) -> Answer:
    """A later visit: the first ones of a shop write derived data, and each write ends the generation."""
    for _ in range(4):
        answer = visit(path, **given)
    return answer


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
    for method, path, more in (
        ("POST", "/told/", {}),
        ("GET", "/told/?x=1", {}),
        ("GET", "/told/?add-to-cart=1", {}),
        ("GET", "/told/", {"Authorization": "Basic eDp5"}),
        ("GET", "/told/", {"X-Storefleet-Proof": TOKEN["STORE_PROOF_TOKEN"]}),
        ("GET", "/told/", {"Range": "bytes=0-9"}),
        ("GET", "/told/", {"Host": "other.localhost:8080"}),
        ("GET", "/told/", {"Cache-Control": "no-cache"}),
        *(("GET", "/told/", {"Cookie": f"{name}=1"}) for name in COOKIES),
    ):
        assert not visit(path, method, **more).cached, (path, more)
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


def test_a_sale_begins_and_ends_at_its_time(shop: Shop, server: Container, visit: Visit) -> None:
    """The minutes for which a page is stored end before the sale's."""
    sale = int(time.time()) + 180
    assert php(server, f"add_post_meta(get_page_by_path('told')->ID, '_sale_price_dates_from', '{sale}')")
    assert warm(visit, "/told/").cached
    [generation] = [(shop.uploads / GENERATION).read_text()]
    links = sorted(Path(f"/proc/{server.pid}/root/tmp/pages/{generation}/-/told").iterdir())
    minutes = [link.name.removesuffix(".html.gz") for link in links]
    assert minutes[-1] == time.strftime("%Y%m%d%H%M", time.gmtime(sale // 60 * 60 - 60))


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


def test_a_killed_writer_leaves_the_cache_closed_until_it_is_repaired(
    shop: Shop, visitors: ThreadPoolExecutor, visit: Visit
) -> None:
    title = Field("title", "/told/", r"Title (\d+)\.")
    warm(visit, "/told/")
    visitors.submit(title.write, "killed").result()
    assert "Title 1." in visit("/told/").text
    assert not warm(visit, "/told/").cached
    age(shop)
    assert visit("/told/", **UNCACHED).status == 200
    assert warm(visit, "/told/").cached


@NEEDS_PLUGIN
def test_the_proof_compares_the_stored_page_with_the_shops(shop: Shop, tmp_path: Path) -> None:
    """A plugin that changes the page after it was stored."""
    plugin = tmp_path / "changes.php"
    plugin.write_text(CHANGES)
    server = shop.serve(TOKEN, {"/var/www/html/wp-content/mu-plugins/changes.php": plugin})
    with ThreadPoolExecutor(1, initializer=enter_network, initargs=(server.network,)) as pool:
        for path in ("/", "/shop/") * 3:
            pool.submit(send, path).result()
        assert pool.submit(send, "/", **{"Cache-Control": "only-if-cached"}).result().cached
        assert pool.submit(send, "/cart/", **{"Cache-Control": "only-if-cached"}).result().status == 504
    code, why = shop.run(("/opt/storefleet/run", "prove"), {**TOKEN, "STORE_SERVICE": "http://127.0.0.1:8080"})
    assert (code, why) == (1, "The page cache has another shop page than the shop: report this to the operator.")


def age(shop: Shop) -> None:
    """The generation was closed more than a minute ago."""
    file = shop.uploads / GENERATION
    os.utime(file, times=(time.time() - 61, time.time() - 61))


def test_no_page_is_stale_whatever_writers_do(
    shop: Shop, second_server: str, visitors: ThreadPoolExecutor, visit: Visit
) -> None:
    """Two web servers: what one of them wrote, the next answer of the other shows."""
    chance = random.Random(seed := random.randrange(2**32))
    print("seed", seed)
    fields = [Field("title", "/told/", r"Title (\d+)\."), Field("text", "/told/", r"Text (\d+)\.")]
    if PLUGIN:
        price = r"Price-amount amount\"><bdi>(?:<span[^>]*>[^<]*</span>)?(\d+)[.,]00"
        fields.append(Field("price", PRODUCT, price, written=10, tried=10))
    seen: Counter[str] = Counter()

    ports = (PORT, second_server)
    for port in ports:
        assert warm(visit, "/told/", port=port).cached
    for field in fields:
        field.ports = cycle(chance.choices(ports, k=INTERLEAVINGS))

    def step(order: tuple[str, int, str]) -> None:
        kind, number, how = order
        field = fields[number % len(fields)]
        if kind == "visit":
            seen["cached" if field.visit().cached else "made"] += 1
        else:
            with writing[field.name]:
                field.write(how)
            seen[how] += 1
            if how.startswith("killed") and number % 2:
                age(shop)

    writing = {field.name: Lock() for field in fields}
    orders = [
        ("write" if chance.random() < 0.2 else "visit", chance.randrange(6), chance.choice(HOW))
        for _ in range(INTERLEAVINGS)
    ]
    for _ in visitors.map(step, orders):
        pass
    for field in fields:
        stored, made = (visitors.submit(field.visit, **headers).result().text for headers in ({}, UNCACHED))
        assert UNIQUE.sub("", stored) == UNIQUE.sub("", made)
    print(seen)
    assert min(seen["cached"], seen["made"], *(seen[how] for how in HOW)) > 0, seen
