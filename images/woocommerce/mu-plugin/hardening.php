<?php
/**
 * Disables WordPress' own XML-RPC methods, a second way to sign in, and hides the version of WordPress from visitors.
 * Plugins are loaded later, so the methods that a plugin adds work.
 */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

add_filter('xmlrpc_enabled', '__return_false');
add_filter('xmlrpc_methods', '__return_empty_array');
add_filter('wp_headers', static function (array $headers): array {
    unset($headers['X-Pingback']);
    return $headers;
});
remove_action('wp_head', 'rsd_link');
remove_action('wp_head', 'wp_generator');
// the version in feeds
add_filter('the_generator', '__return_empty_string');
