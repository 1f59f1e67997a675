<?php
/**
 * Sales begin and end at their second. WooCommerce shows a product as on sale by the dates, but changes its price in a
 * scheduled action: up to five minutes later, and for a variation up to a day later. Until then, pages and carts would
 * have the other price. So the first request that WordPress answers after that second changes the prices.
 */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

const SALES_OPTION = 'storefleet_sales_until';
/** The time until which prices follow the dates of sales. */

/** @return array{string, string} expressions for rows of postmeta: whether it is a sale's date, when prices change */
function sale_dates(): array
{
    // in the second of the end, the product is still on sale
    return [
        "meta_key IN ('_sale_price_dates_from', '_sale_price_dates_to')",
        "(CAST(meta_value AS UNSIGNED) + (meta_key = '_sale_price_dates_to'))",
    ];
}

function apply_sales(): void
{
    global $wpdb;
    [$is_date, $changes_at] = sale_dates();
    $now = time();
    // WooCommerce's daily task has done older ones
    $due = $wpdb->prepare(
        "SELECT DISTINCT post_id FROM {$wpdb->postmeta} WHERE {$is_date} AND {$changes_at} <= %d AND {$changes_at} >
         COALESCE((SELECT CAST(option_value AS UNSIGNED) FROM {$wpdb->options} WHERE option_name = %s), %d)",
        $now,
        SALES_OPTION,
        $now - 2 * DAY_IN_SECONDS,
    );
    if ($wpdb->get_col($due) === []) {
        return;
    }
    // one at a time: a late one would overwrite what the owner changes meanwhile
    if ($wpdb->get_var("SELECT GET_LOCK('storefleet_sales', 30)") !== '1') {
        return;
    }
    // again: the process before this one may have done them
    foreach ($wpdb->get_col($due) as $id) {
        $product = wc_get_product($id);
        // the others have the prices of their variations or products
        if ($product && !$product->is_type(['variable', 'grouped'])) {
            apply_sale($product);
        }
    }
    // last: if this process is killed, the next one repeats it
    update_option(SALES_OPTION, (string) $now, true);
    $wpdb->query("SELECT RELEASE_LOCK('storefleet_sales')");
}

function apply_sale(\WC_Product $product): void
{
    $is_on_sale = $product->is_on_sale('edit');
    $price = $is_on_sale ? $product->get_sale_price('edit') : $product->get_regular_price('edit');
    // what is stored: a variation's own price follows the dates, but lists and its product's stored prices don't
    if ((float) get_post_meta($product->get_id(), '_price', true) !== (float) $price) {
        // as WooCommerce's own scheduled action
        wc_apply_sale_state_for_product($product, $is_on_sale ? 'start' : 'end');
    }
}

/**
 * When pages change next without a write: a sale begins or ends, or stock is no longer reserved for an order that
 * wasn't paid. In seconds since 1970.
 */
function next_change(int $time): int
{
    global $wpdb;
    [$is_date, $changes_at] = sale_dates();
    $next = [$wpdb->get_var($wpdb->prepare(
        "SELECT MIN({$changes_at}) FROM {$wpdb->postmeta} WHERE {$is_date} AND {$changes_at} > %d",
        $time,
    ))];
    if (isset($wpdb->wc_reserved_stock)) {
        $next[] = $wpdb->get_var($wpdb->prepare(
            "SELECT UNIX_TIMESTAMP(MIN(expires)) FROM {$wpdb->wc_reserved_stock} WHERE expires > FROM_UNIXTIME(%d)",
            $time,
        ));
    }
    return min([PHP_INT_MAX, ...array_map(intval(...), array_filter($next))]);
}

// after Action Scheduler, which the change needs, and before a cart is read
add_action('init', static function (): void {
    if (!defined('STOREFLEET_PROGRAM') && function_exists('wc_apply_sale_state_for_product')) {
        apply_sales();
    }
}, 99);
