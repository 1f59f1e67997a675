<?php
/** What a visitor finds, beside the shop: no second way to sign in, nothing that says how the shop is made. */

declare(strict_types=1);

namespace Storefleet\Site;

add_filter('xmlrpc_enabled', '__return_false');
add_filter('xmlrpc_methods', '__return_empty_array');
add_filter('wp_headers', static function (array $headers): array {
    unset($headers['X-Pingback']);
    return $headers;
});
remove_action('wp_head', 'rsd_link');
remove_action('wp_head', 'wp_generator');
// an image that a link preview or a visitor asks for makes no page of its own
add_filter('the_generator', '__return_empty_string');
