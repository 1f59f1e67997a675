<?php
/** Blocks outbound HTTP requests while a page is rendered, and all requests for WordPress' news and updates. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

use WP_Error;

const BLOCKED_HOSTS = '/(^|\.)(wordpress\.org|woocommerce\.com|public-api\.wordpress\.com)$/i';
/** Updates, advertisements and suggestions: updates come with the platform's releases. */

add_filter('pre_http_request', __NAMESPACE__ . '\block_http_request', 10, 3);

/** An error at once: where the cluster drops packets, the request would wait for seconds. */
function block_http_request(mixed $response, array $request, string $url): mixed
{
    $host = (string) parse_url($url, PHP_URL_HOST);
    return $response === false && !is_host_allowed($host)
        ? new WP_Error('storefleet_call', "This shop doesn't call {$host} here.")
        : $response;
}

/** WooCommerce's pages install plugins by REST. */
function can_install_plugins(): bool
{
    return did_action('set_current_user') && current_user_can('install_plugins');
}

function is_host_allowed(string $host): bool
{
    // a proof's order must not be sent to other systems: they would not learn that it was removed
    if (defined('STOREFLEET_PROGRAM') || is_proof()) {
        return false;
    }
    // users who may install plugins need the plugin directories, and the owner chose what a plugin does
    if (STOREFLEET_CUSTOM_PLUGINS) {
        return is_admin() || wp_doing_cron() || can_install_plugins() || !preg_match(BLOCKED_HOSTS, $host);
    }
    $is_page_view = in_array($_SERVER['REQUEST_METHOD'] ?? 'GET', ['GET', 'HEAD'], true) && !wp_doing_cron();
    return !$is_page_view && !preg_match(BLOCKED_HOSTS, $host);
}
