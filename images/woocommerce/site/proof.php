<?php
/**
 * The proof's own means: a product and a way to pay that only it has, so that it passes in a shop whose owner sells
 * nothing yet, takes no cash, or has other rules for shoppers. Who knows the store's proof token is the proof.
 */

declare(strict_types=1);

namespace Storefleet\Site;

use WC_Product;

const PROOF_SKU = 'storefleet-proof';
const PROOF_LOCK = 'proof_request';
/** In the database, held by what makes or removes a proof's order. */

add_filter('woocommerce_is_purchasable', __NAMESPACE__ . '\sell_to_the_proof', 99, 2);
add_filter('posts_where', __NAMESPACE__ . '\hide_from_others');
if (knows_the_token()) {
    one_at_a_time();
}
if (is_proof()) {
    lift_the_owners_rules();
    leave_no_trace();
    add_filter('woocommerce_payment_gateways', __NAMESPACE__ . '\add_gateway', 99);
}

function is_proof(): bool
{
    static $proof = null;
    return $proof ??= (defined('STOREFLEET_PROGRAM') && STOREFLEET_PROGRAM === 'prove') || knows_the_token();
}

function knows_the_token(): bool
{
    $token = (string) getenv('STORE_PROOF_TOKEN');
    $said = $_SERVER['HTTP_X_STOREFLEET_PROOF'] ?? '';
    return strlen($token) >= 24 && hash_equals($token, $said);
}

/**
 * Waits for its turn, half a minute at most, and has it until this process ends: a shop goes on with the last request
 * of a proof that was killed, and what it makes must not be removed under its hands.
 */
function one_at_a_time(): void
{
    global $wpdb;
    $wpdb->query($wpdb->prepare('SELECT GET_LOCK(%s, 30)', PROOF_LOCK));
}

function sell_to_the_proof(bool $purchasable, WC_Product $product): bool
{
    return $product->get_sku() === PROOF_SKU ? is_proof() : $purchasable;
}

/** Hidden from the shop page it would still be in searches, feeds, sitemaps and the owner's list of products. */
function hide_from_others(string $where): string
{
    global $wpdb;
    return is_proof() ? $where : $where . $wpdb->prepare(" AND {$wpdb->posts}.post_name <> %s", PROOF_SKU);
}

/** Who may buy, where and how much there is: the owner's choice, and no fault of the shop. */
function lift_the_owners_rules(): void
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

/** Nobody hears of an order that is gone in a second. Mail: see mail.php. */
function leave_no_trace(): void
{
    add_filter('woocommerce_webhook_should_deliver', '__return_false');
    add_filter('woocommerce_analytics_disable_action_scheduling', '__return_true');
    add_filter('woocommerce_logger_log_message', __NAMESPACE__ . '\log_troubles', 10, 2);
    // at once, rather than by an action that comes when the product is gone
    add_filter('pre_option_woocommerce_attribute_lookup_direct_updates', static fn (): string => 'yes');
}

/** WooCommerce writes down each step of an order. Null: not this time. */
function log_troubles(?string $message, string $level): ?string
{
    return in_array($level, ['debug', 'info', 'notice'], true) ? null : $message;
}

/** @param array<mixed> $gateways */
function add_gateway(array $gateways): array
{
    require_once __DIR__ . '/gateway.php';
    return [...$gateways, new Gateway()];
}
