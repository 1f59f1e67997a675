<?php
/** WooCommerce in WordPress: activated, complete, brought up to date, and looked at. */

declare(strict_types=1);

namespace Storefleet;

use Automattic\WooCommerce\Utilities\OrderUtil;
use WC_Install;

function require_plugin(): void
{
    if (!is_file(WORDPRESS . '/wp-content/plugins/' . PLUGIN)) {
        throw new Problem(
            'WooCommerce is missing from this image: build it with WOOCOMMERCE_VERSION or WOOCOMMERCE_ZIP, '
            . 'or put the plugin back into wp-content/plugins.',
        );
    }
}

function is_active(Database $database): bool
{
    return in_array(PLUGIN, (array) unserialize($database->option('active_plugins') ?? 'a:0:{}'), true);
}

/**
 * Activates it in a WordPress that was booted without plugins. Then its own hooks are called by hand, whose time has
 * passed: a second boot would cost half a second.
 */
function activate(): void
{
    global $wpdb, $wp_rewrite;
    $wpdb->suppress_errors(false);
    wp_installing(false);
    wp_cache_flush();
    wp_set_current_user(admin()->ID);
    $wp_rewrite->set_permalink_structure(permalinks());
    require_once ABSPATH . 'wp-admin/includes/plugin.php';
    forget_placeholder();
    forget_half_terms();
    $failed = activate_plugin(PLUGIN);
    if (is_wp_error($failed)) {
        throw new Problem("WooCommerce can't be activated: {$failed->get_error_message()}");
    }
    WC()->on_plugins_loaded();
    WC()->setup_environment();
    WC()->include_template_functions();
    WC()->init();
}

/** Half a picture or a second entry of it, left by a killed run. WooCommerce makes it anew. */
function forget_placeholder(): void
{
    $left = get_posts(['post_type' => 'attachment', 'post_status' => 'any', 'title' => 'woocommerce-placeholder']);
    foreach ($left as $post) {
        wp_delete_attachment($post->ID, true);
    }
    array_map(unlink(...), glob(wp_get_upload_dir()['basedir'] . '/woocommerce-placeholder*.webp') ?: []);
    delete_option('woocommerce_placeholder_image');
}

/**
 * A term is two rows, and a killed run may have written one. Their numbers then differ in all that follow, and
 * WooCommerce takes one for the other.
 */
function forget_half_terms(): void
{
    global $wpdb;
    $wpdb->query("DELETE FROM {$wpdb->terms} WHERE term_id NOT IN (SELECT term_id FROM {$wpdb->term_taxonomy})");
    if ($wpdb->rows_affected > 0) {
        restart_numbers();
    }
}

/** All that belongs to a new shop. WooCommerce does the first line only when somebody opens the dashboard. */
function complete(): void
{
    global $wpdb;
    WC_Install::newly_installed();
    WC_Install::create_pages();
    // a page gets its identity after it was written, which a killed run may not have come to
    $wpdb->query($wpdb->prepare(
        "UPDATE {$wpdb->posts} SET guid = CONCAT(%s, ID) WHERE guid = '' AND post_type = 'page'",
        home_url('/?page_id='),
    ));
}

/**
 * What is missing, in words; empty when all is there.
 *
 * @return list<string>
 */
function missing(): array
{
    $pages = array_filter(['shop', 'cart', 'checkout', 'myaccount'], static fn (string $page): bool => !is_page($page));
    return array_merge(
        array_map(static fn (string $table): string => "table {$table}", WC_Install::verify_base_tables(false, false)),
        array_map(static fn (string $page): string => "page {$page}", array_values($pages)),
        array_keys(array_filter([
            'version' => get_option('woocommerce_version') !== WC()->version,
            'first run' => get_option('woocommerce_newly_installed') === 'yes',
            'tables for orders' => !OrderUtil::custom_orders_table_usage_is_enabled(),
            'placeholder picture' => !has_placeholder(),
        ])),
    );
}

function is_page(string $name): bool
{
    $page = get_post(wc_get_page_id($name));
    return $page instanceof \WP_Post && $page->post_status === 'publish';
}

function has_placeholder(): bool
{
    $id = (int) get_option('woocommerce_placeholder_image');
    $file = $id === 0 ? false : get_attached_file($id);
    return $file !== false
        && is_file($file)
        && filesize($file) === filesize(WC()->plugin_path() . '/assets/images/placeholder-attachment.webp')
        && wp_get_attachment_metadata($id) !== false;
}

/** Makes a new shop whole, however far a killed run came. */
function repair(): void
{
    complete();
    if (missing() === []) {
        return;
    }
    if (!has_placeholder()) {
        forget_placeholder();
    }
    WC_Install::install();
    complete();
    if ($missing = missing()) {
        throw new Problem('WooCommerce is not whole: it lacks ' . implode(', ', $missing) . '.');
    }
}

/**
 * Changes the database of an older WooCommerce, here and now: by itself it would do so some time later, in the
 * background, while the shop sells. Whether it was one.
 */
function upgrade_woocommerce(Database $database): bool
{
    // it brought its tables up to date when WordPress was booted, unless another process was at it
    if (get_option('woocommerce_version') !== WC()->version || WC_Install::verify_base_tables(false, true) !== []) {
        throw new Problem('WooCommerce is being brought up to date by another process: run this again in a minute.');
    }
    if (!WC_Install::needs_db_update()) {
        return false;
    }
    require_once WC_ABSPATH . 'includes/wc-update-functions.php';
    $current = (string) get_option('woocommerce_db_version');
    foreach (WC_Install::get_db_update_callbacks() as $version => $callbacks) {
        foreach (version_compare($current, (string) $version, '<') ? $callbacks : [] as $callback) {
            do {
                $database->keep();
            } while ($callback());
        }
    }
    WC_Install::update_db_version();
    as_unschedule_all_actions('woocommerce_run_update_callback');
    as_unschedule_all_actions('woocommerce_update_db_to_current_version');
    WC_Install::remove_update_db_notice();
    return true;
}
