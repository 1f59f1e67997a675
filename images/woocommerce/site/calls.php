<?php
/** Calls to the outside: none while a page is shown, and none at all to where WordPress asks for its own news. */

declare(strict_types=1);

namespace Storefleet\Site;

use WP_Error;

const NEWS = '/(^|\.)(wordpress\.org|woocommerce\.com|public-api\.wordpress\.com)$/i';
/** Updates, advertisements and suggestions: the platform's own business, or nobody's. */

add_filter('pre_http_request', __NAMESPACE__ . '\refuse_call', 10, 3);

/** Refused at once rather than waited for: where the cluster drops packets it would take seconds. */
function refuse_call(mixed $answer, array $request, string $url): mixed
{
    $host = (string) parse_url($url, PHP_URL_HOST);
    return $answer === false && !may_call($host)
        ? new WP_Error('storefleet_call', "This shop doesn't call {$host} here.")
        : $answer;
}

/** WooCommerce's own pages install plugins by REST. */
function may_install(): bool
{
    return did_action('set_current_user') && current_user_can('install_plugins');
}

function may_call(string $host): bool
{
    // nobody shall hear of a proof's order: its end would come by a program, and they would not hear of that
    if (defined('STOREFLEET_PROGRAM') || is_proof()) {
        return false;
    }
    // whoever may install plugins needs the places they come from, and what a plugin does is its owner's choice
    if (STOREFLEET_WRITABLE) {
        return is_admin() || wp_doing_cron() || may_install() || !preg_match(NEWS, $host);
    }
    $shows_a_page = in_array($_SERVER['REQUEST_METHOD'] ?? 'GET', ['GET', 'HEAD'], true) && !wp_doing_cron();
    return !$shows_a_page && !preg_match(NEWS, $host);
}
