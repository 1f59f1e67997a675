<?php
/** Deletes the data of proofs, also of proofs that were killed. */

declare(strict_types=1);

namespace Storefleet;

use WC_Order;

use function Storefleet\MuPlugin\acquire_proof_lock;

use const Storefleet\MuPlugin\PROOF_LOCK;
use const Storefleet\MuPlugin\PROOF_SKU;

/** Deletes the orders, drafts, products and sessions of all proofs: a lock ensures that no other proof runs. */
function delete_proof_data(?string $sessionKey = null): void
{
    global $wpdb;
    acquire_proof_lock();
    wp_cache_flush();
    foreach (proof_orders() as $order) {
        in_transaction(static fn () => delete_order($order));
    }
    while ($product = wc_get_product(wc_get_product_id_by_sku(PROOF_SKU))) {
        // before the checkout a session has no e-mail address; only the proof's cart can have this product
        delete_sessions_containing('s:10:"product_id";i:' . $product->get_id() . ';');
        in_transaction(static fn () => $product->delete(true));
        wp_cache_flush();
    }
    delete_sessions_containing(PROOF_EMAIL);
    $wpdb->delete("{$wpdb->prefix}woocommerce_sessions", ['session_key' => $sessionKey ?? '']);
    $wpdb->delete("{$wpdb->prefix}wc_customer_lookup", ['email' => PROOF_EMAIL]);
    $wpdb->query($wpdb->prepare('SELECT RELEASE_LOCK(%s)', PROOF_LOCK));
}

function delete_sessions_containing(string $text): void
{
    global $wpdb;
    $wpdb->query($wpdb->prepare(
        "DELETE FROM {$wpdb->prefix}woocommerce_sessions WHERE session_value LIKE %s",
        '%' . $wpdb->esc_like($text) . '%',
    ));
}

/** @return list<WC_Order> */
function proof_orders(): array
{
    $statuses = [...array_keys(wc_get_order_statuses()), 'checkout-draft', 'trash'];
    $query = ['billing_email' => PROOF_EMAIL, 'status' => $statuses, 'limit' => -1, 'type' => 'shop_order'];
    return wc_get_orders($query);
}

/** Cancels it first, which restores the stock, and deletes its notes: they are comments, which WooCommerce keeps. */
function delete_order(WC_Order $order): void
{
    if (!in_array($order->get_status(), ['cancelled', 'checkout-draft', 'trash'], true)) {
        $order->update_status('cancelled');
    }
    // stock that a killed checkout has reserved
    wc_release_stock_for_order($order);
    foreach (wc_get_order_notes(['order_id' => $order->get_id()]) as $note) {
        wc_delete_order_note($note->id);
    }
    delete_transient("wc_order_{$order->get_id()}_needs_processing");
    $order->delete(true);
}

/** @return list<string> what could not be deleted */
function remaining_proof_data(): array
{
    wp_cache_flush();
    return array_keys(array_filter([
        'an order' => proof_orders() !== [],
        'a product' => wc_get_product_id_by_sku(PROOF_SKU) !== 0,
    ]));
}
