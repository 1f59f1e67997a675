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

function check_cart_is_saved(mixed $response, array $handler, WP_REST_Request $request): mixed
{
    global $wpdb;
    $changes_cart = preg_match('~^/wc/store(/v\d+)?/cart/~', $request->get_route()) && $request->get_method() !== 'GET';
    if (!$changes_cart || !function_exists('WC') || WC()->session === null || is_wp_error($response)) {
        return $response;
    }
    $wpdb->last_error = '';
    WC()->session->save_data();
    return $wpdb->last_error === ''
        ? $response
        : new WP_Error(
            'storefleet_not_saved',
            'This shop can\'t save anything at the moment, so nothing was changed. Please try again later.',
            ['status' => 503],
        );
}
