<?php
/** What the proof buys, and how it leaves the shop as it was. */

declare(strict_types=1);

namespace Storefleet;

use WC_Order;
use WC_Product_Simple;

use const Storefleet\Site\PROOF_SKU;

const PROOF_EMAIL = 'proof@storefleet.invalid';
const PROOF_STOCK = 9;
const GATEWAY = 'storefleet_proof';

/** Shown and sold to nobody but the proof (site/proof.php). Made for it, and removed after it. */
function make_product(): WC_Product_Simple
{
    $product = new WC_Product_Simple();
    $product->set_name('Storefleet proof');
    $product->set_sku(PROOF_SKU);
    $product->set_slug(PROOF_SKU);
    $product->set_regular_price('1');
    $product->set_virtual(true);
    // else what it costs depends on the owner's taxes
    $product->set_tax_status('none');
    $product->set_catalog_visibility('hidden');
    $product->set_manage_stock(true);
    $product->set_stock_quantity(PROOF_STOCK);
    $product->set_low_stock_amount(0);
    $product->set_status('publish');
    atomically(static fn () => $product->save());
    return $product;
}

/** Complete and valid wherever the shop is: an address has other rules in each country. */
function address(): array
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

/** Raises Problem unless the answer has the wanted status. */
function expect(Answer $answer, int $status, string $what): Answer
{
    return $answer->status === $status ? $answer : throw new Problem("{$what}: {$answer->complaint()}");
}

/** Of the Store API, wherever the owner's permalinks put it. */
function store_api(string $path): string
{
    return without_host(rest_url("wc/store/v1/{$path}"));
}

/** An owner may do without the shop page: then it is the front page that shoppers see. */
function visit_shop(Shopper $shopper): void
{
    $url = is_page('shop') ? (string) wc_get_page_permalink('shop') : home_url('/');
    $page = expect($shopper->open(without_host($url)), 200, 'The shop page does not open');
    if (str_contains($page->body, 'woo-coming-soon-page')) {
        throw new Problem(
            'The shop hides behind "coming soon": set it live in WooCommerce, Settings, Site visibility, then retry.',
        );
    }
}

function find_product(Shopper $shopper): int
{
    $found = $shopper->get(add_query_arg('sku', PROOF_SKU, store_api('products')));
    $product = expect($found, 200, 'Products can\'t be listed')->json()[0] ?? [];
    return ($product['is_purchasable'] ?? false) && ($product['is_in_stock'] ?? false)
        ? $product['id']
        : throw new Problem('The product can\'t be bought: is STORE_PROOF_TOKEN the same in web and in the proof?');
}

function fill_cart(Shopper $shopper, int $product): void
{
    expect($shopper->get(store_api('cart')), 200, 'The cart does not open');
    $added = $shopper->post(store_api('cart/add-item'), ['id' => $product, 'quantity' => 1]);
    $cart = expect($added, 201, 'The product can\'t be put into the cart')->json();
    if (!in_array(GATEWAY, $cart['payment_methods'] ?? [], true)) {
        throw new Problem('The cart offers no way to pay: is a plugin in the way?');
    }
}

/** Answers the order's number. */
function check_out(Shopper $shopper): int
{
    $bought = expect(
        $shopper->post(store_api('checkout'), [
            'billing_address' => address(),
            'shipping_address' => array_diff_key(address(), ['email' => 0]),
            'payment_method' => GATEWAY,
        ]),
        200,
        'The order is refused',
    )->json();
    $paid = $bought['payment_result']['payment_status'] ?? '';
    return $paid === 'success' && ($bought['status'] ?? '') === 'processing'
        ? $bought['order_id']
        : throw new Problem("The order was taken but not paid: {$paid}.");
}

/** What the owner sees of it. */
function check_order(int $id, WC_Product_Simple $product): WC_Order
{
    $order = wc_get_order($id);
    if (!$order instanceof WC_Order) {
        throw new Problem("The order {$id} was taken, but it is not in the database.");
    }
    $items = array_map(static fn ($item): int => $item->get_product_id(), array_values($order->get_items()));
    $wrong = array_keys(array_filter([
        'status' => $order->get_status() !== 'processing',
        'items' => $items !== [$product->get_id()],
        'total' => (float) $order->get_total() < 1,
        'payment method' => $order->get_payment_method() !== GATEWAY,
        'stock' => stock($product) !== PROOF_STOCK - 1,
    ]));
    return $wrong === [] ? $order : throw new Problem('The order is wrong: ' . implode(', ', $wrong) . '.');
}

function cancel(WC_Order $order, WC_Product_Simple $product): void
{
    $order->update_status('cancelled');
    if (stock($product) !== PROOF_STOCK) {
        throw new Problem('The cancelled order did not give its product back to the stock.');
    }
}

/** As the database has it: another process sold it. */
function stock(WC_Product_Simple $product): int
{
    wp_cache_flush();
    return (int) wc_get_product($product->get_id())->get_stock_quantity();
}
