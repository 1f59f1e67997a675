"""Prices that change by the clock: sales begin and end at their second, and no stored page outlives them."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.node.containers import Container
from tests.node.page_visits import PORT, Visit, generation, prices, send, warm
from tests.node.plugin import NEEDS_PLUGIN
from tests.node.shops import Shop
from tests.node.wordpress import php

PRODUCTS = """
$sale = time() + 12;
$add = function (WC_Product $product, string $slug, ?int $from, ?int $to, int $parent = 0) use (&$prices): WC_Product {
    $product->set_name($slug);
    $product->set_slug($slug);
    $product->set_regular_price('10');
    $product->set_sale_price('7');
    $product->set_date_on_sale_from($from);
    $product->set_date_on_sale_to($to);
    $product->set_status('publish');
    if ($parent) {
        $product->set_parent_id($parent);
        $product->set_attributes(['size' => 'S']);
    }
    $product->save();
    $prices[] = $product->get_price('edit');
    return $product;
};
$add(new WC_Product_Simple(), 'begins', $sale, null);
$add(new WC_Product_Simple(), 'ends', $sale - 3600, $sale - 1);
$size = new WC_Product_Attribute();
$size->set_name('size');
$size->set_options(['S']);
$size->set_variation(true);
$parent = new WC_Product_Variable();
$parent->set_name('varies');
$parent->set_slug('varies');
$parent->set_attributes([$size]);
$parent->set_status('publish');
$add(new WC_Product_Variation(), 'variation', $sale, null, $parent->save());
WC_Product_Variable::sync($parent->get_id());
"""
PAID = "wc_get_product(get_page_by_path($slug, OBJECT, 'product'))->get_price()"
PRODUCT = "/product/storefleet-sample/"
AFTER = {"begins": ["10", "7"], "ends": ["10"], "varies": ["10", "7"]}


def links(shop: Shop, server: Container, path: str) -> list[str]:
    """The minutes in which a stored page is valid."""
    folder = Path(f"/proc/{server.pid}/root/tmp/pages/{generation(shop)}/-{path}")
    return sorted(link.name.removesuffix(".html.gz") for link in folder.iterdir())


def minute(at: float) -> str:
    return time.strftime("%Y%m%d%H%M", time.gmtime(at))


@NEEDS_PLUGIN
def test_a_sale_begins_and_ends_at_its_second(
    server: Container, second_server: str, visitors: ThreadPoolExecutor, visit: Visit
) -> None:
    """No program changes a price: the first visitor sees the other one, from each web server."""
    sale, *before = php(server, "[$sale, ...$prices]", PRODUCTS)
    assert before == ["10", "7", "10"], "too slow to add the products before the sale"
    # the first pages write derived data
    for port in (PORT, second_server):
        warm(visit, PRODUCT, port=port)
    time.sleep(max(0.0, sale - time.time()))
    asked = [(slug, port) for slug in AFTER for port in (PORT, second_server)]
    # at the same time: each of them may be the first
    pages = visitors.map(lambda ask: send(f"/product/{ask[0]}/", port=ask[1]), asked)
    assert [(slug, prices(page.text)) for (slug, _), page in zip(asked, pages, strict=True)] == [
        (slug, AFTER[slug]) for slug, _ in asked
    ]
    for slug, port in asked:
        assert prices(warm(visit, f"/product/{slug}/", port=port).text) == AFTER[slug], slug
    # what carts and lists have
    paid = {slug: shown[-1] for slug, shown in AFTER.items()}
    assert dict(php(server, f"array_map(fn ($slug) => [$slug, {PAID}], {list(paid)})")) == paid


def test_no_stored_page_outlives_a_change_by_the_clock(shop: Shop, server: Container, visit: Visit) -> None:
    """The minutes for which a page is stored end before that of the change."""
    sale = int(time.time()) // 60 * 60 + 240
    for kind, at, changes_at in (("from", sale, sale), ("to", sale - 61, sale - 60), ("to", sale - 60, sale - 59)):
        meta = f"add_post_meta(get_page_by_path('told')->ID, '_sale_price_dates_{kind}', '{at}')"
        assert php(server, meta)
        assert warm(visit, "/told/").cached
        assert links(shop, server, "/told")[-1] == minute(changes_at - 60), (kind, at)
    # in the second of `to`, the sale still lasts
    asked = f"array_map('Storefleet\\MuPlugin\\next_change', [{sale - 60}, {sale - 59}, {sale}])"
    assert php(server, asked) == [sale - 59, sale, 2**63 - 1]


@NEEDS_PLUGIN
def test_no_stored_page_outlives_a_reservation(shop: Shop, server: Container, visit: Visit) -> None:
    """A product's page has what is left of it, without what is reserved for orders."""
    assert warm(visit, PRODUCT).cached
    row = (
        "INSERT INTO wp_wc_reserved_stock SELECT 1, ID, 1, NOW(), NOW() + INTERVAL 200 SECOND"
        " FROM wp_posts WHERE post_name = 'storefleet-sample' LIMIT 1"
    )
    assert php(server, f'$wpdb->query("{row}")', "global $wpdb;") == 1
    expires = int(shop.sql("SELECT UNIX_TIMESTAMP(expires) FROM wp_wc_reserved_stock")[0][0])
    assert warm(visit, PRODUCT).cached
    assert links(shop, server, PRODUCT.rstrip("/"))[-1] == minute(expires - 60)
