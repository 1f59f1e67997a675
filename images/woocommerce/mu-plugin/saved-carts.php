<?php
/**
 * A cart that the database didn't take is told as such. WooCommerce saves carts after its response, and ignores
 * errors: with a full disk, the shopper would read later that the cart is empty.
 */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

use WP_Error;
use WP_REST_Request;

add_filter('rest_request_after_callbacks', __NAMESPACE__ . '\check_cart_is_saved', 10, 3);
// forms and links, which also plugins' themes have; after WooCommerce, which puts the cart into the session
add_action('woocommerce_add_to_cart', __NAMESPACE__ . '\check_form_is_saved', PHP_INT_MAX, 0);

function check_cart_is_saved(mixed $response, array $handler, WP_REST_Request $request): mixed
{
    $changes_cart = preg_match('~^/wc/store(/v\d+)?/cart/~', $request->get_route()) && $request->get_method() !== 'GET';
    return !$changes_cart || is_wp_error($response) || save_cart()
        ? $response
        : new WP_Error('storefleet_not_saved', not_saved(), ['status' => 503]);
}

function check_form_is_saved(): void
{
    if (!defined('REST_REQUEST') && !defined('STOREFLEET_PROGRAM') && !save_cart()) {
        wp_die(esc_html(not_saved()), '', ['response' => 503, 'back_link' => true]);
    }
}

/** Whether the database has the cart of this request. */
function save_cart(): bool
{
    global $wpdb;
    if (!function_exists('WC') || WC()->session === null) {
        return true;
    }
    $wpdb->last_error = '';
    WC()->session->save_data();
    return $wpdb->last_error === '';
}

function not_saved(): string
{
    return __('This shop can\'t save anything at the moment. Please try again later.', 'storefleet');
}
