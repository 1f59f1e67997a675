<?php
/**
 * A product and a payment gateway that only the proof can use. So the proof passes with any products, payment methods
 * and checkout rules that the owner has set. A request with the store's proof token is the proof.
 */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

use WC_Product;

const PROOF_SKU = 'storefleet-proof';
const PROOF_LOCK = 'proof_request';
/** A lock in the database, held while a proof's order is created or deleted. */

add_filter('woocommerce_is_purchasable', __NAMESPACE__ . '\filter_purchasable', 99, 2);
add_filter('posts_where', __NAMESPACE__ . '\hide_proof_product');
if (has_proof_token()) {
    acquire_proof_lock();
}
if (is_proof()) {
    override_shop_options();
    disable_side_effects();
    add_filter('woocommerce_payment_gateways', __NAMESPACE__ . '\add_gateway', 99);
}

function is_proof(): bool
{
    static $proof = null;
    return $proof ??= (defined('STOREFLEET_PROGRAM') && STOREFLEET_PROGRAM === 'prove') || has_proof_token();
}

function has_proof_token(): bool
{
    $token = (string) getenv('STORE_PROOF_TOKEN');
    $header = $_SERVER['HTTP_X_STOREFLEET_PROOF'] ?? '';
    return strlen($token) >= 24 && hash_equals($token, $header);
}

/**
 * Waits at most 30 s, and holds the lock until this process ends. A web server finishes the last request of a proof
 * that was killed: what that request creates must not be deleted at the same time.
 */
function acquire_proof_lock(): void
{
    global $wpdb;
    $wpdb->query($wpdb->prepare('SELECT GET_LOCK(%s, 30)', PROOF_LOCK));
}

function filter_purchasable(bool $purchasable, WC_Product $product): bool
{
    return $product->get_sku() === PROOF_SKU ? is_proof() : $purchasable;
}

/** Catalog visibility `hidden` isn't enough: searches, feeds, sitemaps and the dashboard would still list it. */
function hide_proof_product(string $where): string
{
    global $wpdb;
    return is_proof() ? $where : $where . $wpdb->prepare(" AND {$wpdb->posts}.post_name <> %s", PROOF_SKU);
}

/** Options by which an owner restricts who may buy, where, and how much. */
function override_shop_options(): void
{
    foreach ([
        'woocommerce_enable_guest_checkout' => 'yes',
        'woocommerce_allowed_countries' => 'all',
        'woocommerce_ship_to_countries' => '',
        'woocommerce_manage_stock' => 'yes',
        'woocommerce_notify_no_stock_amount' => '0',
    ] as $option => $value) {
        add_filter("pre_option_{$option}", static fn (): string => $value);
    }
}

/** No webhooks, analytics or log files for an order that is deleted a second later. Mail: see mail.php. */
function disable_side_effects(): void
{
    add_filter('woocommerce_webhook_should_deliver', '__return_false');
    add_filter('woocommerce_analytics_disable_action_scheduling', '__return_true');
    add_filter('woocommerce_logger_log_message', __NAMESPACE__ . '\drop_info_logs', 10, 2);
    // update the lookup table now, not in a scheduled action that runs after the product is deleted
    add_filter('pre_option_woocommerce_attribute_lookup_direct_updates', static fn (): string => 'yes');
}

/** WooCommerce logs each step of an order. Null: don't log. */
function drop_info_logs(?string $message, string $level): ?string
{
    return in_array($level, ['debug', 'info', 'notice'], true) ? null : $message;
}

/** @param array<mixed> $gateways */
function add_gateway(array $gateways): array
{
    require_once __DIR__ . '/proof-gateway.php';
    return [...$gateways, new ProofGateway()];
}
