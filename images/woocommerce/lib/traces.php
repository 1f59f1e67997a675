<?php
/** What a proof leaves behind, also one that was killed: found and removed. */

declare(strict_types=1);

namespace Storefleet;

use WC_Order;

use function Storefleet\Site\one_at_a_time;

use const Storefleet\Site\PROOF_LOCK;
use const Storefleet\Site\PROOF_SKU;

/** Orders, drafts, products and sessions of any proof. There is one at a time, so all of them are leftovers. */
function remove_traces(?string $session = null): void
{
    global $wpdb;
    one_at_a_time();
    wp_cache_flush();
    foreach (proof_orders() as $order) {
        atomically(static fn () => remove_order($order));
    }
    while ($product = wc_get_product(wc_get_product_id_by_sku(PROOF_SKU))) {
        // a cart has no address before the checkout; nobody else's can have this product
        forget_sessions('s:10:"product_id";i:' . $product->get_id() . ';');
        atomically(static fn () => $product->delete(true));
        wp_cache_flush();
    }
    forget_sessions(PROOF_EMAIL);
    $wpdb->delete("{$wpdb->prefix}woocommerce_sessions", ['session_key' => $session ?? '']);
    $wpdb->delete("{$wpdb->prefix}wc_customer_lookup", ['email' => PROOF_EMAIL]);
    $wpdb->query($wpdb->prepare('SELECT RELEASE_LOCK(%s)', PROOF_LOCK));
}

/** Those that hold these words. */
function forget_sessions(string $words): void
{
    global $wpdb;
    $wpdb->query($wpdb->prepare(
        "DELETE FROM {$wpdb->prefix}woocommerce_sessions WHERE session_value LIKE %s",
        '%' . $wpdb->esc_like($words) . '%',
    ));
}

/** @return list<WC_Order> */
function proof_orders(): array
{
    $states = [...array_keys(wc_get_order_statuses()), 'checkout-draft', 'trash'];
    return wc_get_orders(['billing_email' => PROOF_EMAIL, 'status' => $states, 'limit' => -1, 'type' => 'shop_order']);
}

/** Its notes are comments, which stay when an order is deleted; its stock comes back only when it is cancelled. */
function remove_order(WC_Order $order): void
{
    if (!in_array($order->get_status(), ['cancelled', 'checkout-draft', 'trash'], true)) {
        $order->update_status('cancelled');
    }
    // what the checkout set aside, where its web server was killed
    wc_release_stock_for_order($order);
    foreach (wc_get_order_notes(['order_id' => $order->get_id()]) as $note) {
        wc_delete_order_note($note->id);
    }
    delete_transient("wc_order_{$order->get_id()}_needs_processing");
    $order->delete(true);
}

/**
 * What is left all the same, in words.
 *
 * @return list<string>
 */
function traces(): array
{
    wp_cache_flush();
    return array_keys(array_filter([
        'an order' => proof_orders() !== [],
        'a product' => wc_get_product_id_by_sku(PROOF_SKU) !== 0,
    ]));
}
