<?php
/** The steps of the proof: create a product, buy it, verify and cancel the order. */

declare(strict_types=1);

namespace Storefleet;

use Storefleet\MuPlugin\PageGeneration;
use WC_Order;
use WC_Product_Simple;

use const Storefleet\MuPlugin\PROOF_SKU;

const PROOF_EMAIL = 'proof@storefleet.invalid';
const PROOF_STOCK = 9;
const GATEWAY = 'storefleet_proof';
const MAX_VISITS = 5;

/** Only the proof can see and buy it (mu-plugin/proof.php). */
function create_proof_product(): WC_Product_Simple
{
    $product = new WC_Product_Simple();
    $product->set_name('Storefleet proof');
    $product->set_sku(PROOF_SKU);
    $product->set_slug(PROOF_SKU);
    $product->set_regular_price('1');
    $product->set_virtual(true);
    // otherwise the total depends on the owner's tax settings
    $product->set_tax_status('none');
    $product->set_catalog_visibility('hidden');
    $product->set_manage_stock(true);
    $product->set_stock_quantity(PROOF_STOCK);
    $product->set_low_stock_amount(0);
    $product->set_status('publish');
    in_transaction(static fn () => $product->save());
    return $product;
}

/** An address that WooCommerce accepts in any shop: required fields differ between countries. */
function test_address(): array
{
    return [
        'first_name' => 'Storefleet',
        'last_name' => 'Proof',
        'company' => 'Storefleet',
        'address_1' => 'Unter den Linden 1',
        'address_2' => '1',
        'city' => 'Berlin',
        'postcode' => '10117',
        'state' => '',
        'country' => 'DE',
        'email' => PROOF_EMAIL,
        'phone' => '+49301234567',
    ];
}

/** Throws UserError unless the response has the expected status. */
function expect_status(HttpResponse $response, int $status, string $what): HttpResponse
{
    return $response->status === $status ? $response : throw new UserError("{$what}: {$response->errorSummary()}");
}

/** A path of the Store API; its prefix depends on the permalink settings. */
function store_api_path(string $path): string
{
    return url_path(rest_url("wc/store/v1/{$path}"));
}

/** The shop page, or the front page if the owner has deleted the shop page, as a visitor gets it. */
function visit_shop(Shopper $shopper, string ...$headers): HttpResponse
{
    $path = url_path(is_published_page('shop') ? (string) wc_get_page_permalink('shop') : home_url('/'));
    $page = expect_status($shopper->visit($path, ...$headers), 200, 'The shop page does not open');
    if (str_contains($page->body, 'woo-coming-soon-page')) {
        throw new UserError(
            'The shop hides behind "coming soon": set it live in WooCommerce, Settings, Site visibility, then retry.',
        );
    }
    return $page;
}

/** Returns false if there was nothing to compare: the shop page isn't stored, or it is another one at each visit. */
function compare_stored_page(Shopper $shopper): bool
{
    // what this process wrote is committed
    PageGeneration::finish();
    // the page may change between two visits, but not three times
    for ($attempt = 1; $attempt <= 3; $attempt++) {
        if ($attempt > 1) {
            // a text that follows the clock may be up to ten minutes old: the page is stored anew
            visit_shop($shopper, 'Cache-Control: no-cache');
        }
        $stored = stored_page($shopper);
        if ($stored === null || ($made = new_page($shopper)) === $stored) {
            return $stored !== null;
        }
        if (new_page($shopper) !== $made) {
            return false;
        }
    }
    throw new UserError('The page cache has another shop page than the shop: report this to the operator.');
}

/** Null if none is stored. The first visits of a shop store none: they write derived data. */
function stored_page(Shopper $shopper): ?string
{
    for ($visit = 1; $visit <= MAX_VISITS; $visit++) {
        $page = visit_shop($shopper);
        if (str_contains($page->headers['cache-status'] ?? '', 'hit')) {
            return without_ids($page->body);
        }
        usleep(50_000 * $visit);
    }
    return null;
}

/** With a cookie that the page cache doesn't know. */
function new_page(Shopper $shopper): string
{
    return without_ids(visit_shop($shopper, 'Cookie: storefleet_proof=1')->body);
}

/** A page without nonces and names of form fields, which WordPress makes for each page. */
function without_ids(string $page): string
{
    return (string) preg_replace('/(?<![0-9a-f])([0-9a-f]{10}|[0-9a-f]{13})(?![0-9a-f])/', '', $page);
}

function find_product(Shopper $shopper): int
{
    $found = $shopper->get(add_query_arg('sku', PROOF_SKU, store_api_path('products')));
    $product = expect_status($found, 200, 'Products can\'t be listed')->json()[0] ?? [];
    return ($product['is_purchasable'] ?? false) && ($product['is_in_stock'] ?? false)
        ? $product['id']
        : throw new UserError('The product can\'t be bought: is STORE_PROOF_TOKEN the same in web and in the proof?');
}

function add_to_cart(Shopper $shopper, int $product): void
{
    expect_status($shopper->get(store_api_path('cart')), 200, 'The cart does not open');
    $added = $shopper->post(store_api_path('cart/add-item'), ['id' => $product, 'quantity' => 1]);
    $cart = expect_status($added, 201, 'The product can\'t be put into the cart')->json();
    if (!in_array(GATEWAY, $cart['payment_methods'] ?? [], true)) {
        throw new UserError('The cart offers no way to pay: is a plugin in the way?');
    }
}

/** Returns the order's id. */
function check_out(Shopper $shopper): int
{
    $bought = expect_status(
        $shopper->post(store_api_path('checkout'), [
            'billing_address' => test_address(),
            'shipping_address' => array_diff_key(test_address(), ['email' => 0]),
            'payment_method' => GATEWAY,
        ]),
        200,
        'The order is refused',
    )->json();
    $paid = $bought['payment_result']['payment_status'] ?? '';
    return $paid === 'success' && ($bought['status'] ?? '') === 'processing'
        ? $bought['order_id']
        : throw new UserError("The order was taken but not paid: {$paid}.");
}

/** Throws UserError unless the database has the order as it was bought. */
function verify_order(int $id, WC_Product_Simple $product): WC_Order
{
    $order = wc_get_order($id);
    if (!$order instanceof WC_Order) {
        throw new UserError("The order {$id} was taken, but it is not in the database.");
    }
    $items = array_map(static fn ($item): int => $item->get_product_id(), array_values($order->get_items()));
    $wrong = array_keys(array_filter([
        'status' => $order->get_status() !== 'processing',
        'items' => $items !== [$product->get_id()],
        'total' => (float) $order->get_total() < 1,
        'payment method' => $order->get_payment_method() !== GATEWAY,
        'stock' => stock_in_database($product) !== PROOF_STOCK - 1,
    ]));
    return $wrong === [] ? $order : throw new UserError('The order is wrong: ' . implode(', ', $wrong) . '.');
}

function cancel_order(WC_Order $order, WC_Product_Simple $product): void
{
    $order->update_status('cancelled');
    if (stock_in_database($product) !== PROOF_STOCK) {
        throw new UserError('The cancelled order did not give its product back to the stock.');
    }
}

/** Not from the cache: the web server's process sold it. */
function stock_in_database(WC_Product_Simple $product): int
{
    wp_cache_flush();
    return (int) wc_get_product($product->get_id())->get_stock_quantity();
}
