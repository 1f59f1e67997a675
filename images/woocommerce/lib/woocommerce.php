<?php
/** WooCommerce: activation, a complete installation, upgrades, and checks. */

declare(strict_types=1);

namespace Storefleet;

use Automattic\WooCommerce\Utilities\OrderUtil;
use WC_Install;

function require_woocommerce(): void
{
    if (!is_file(WORDPRESS . '/wp-content/plugins/' . PLUGIN)) {
        throw new UserError(
            'WooCommerce is missing from this image: build it with WOOCOMMERCE_VERSION or WOOCOMMERCE_ZIP, '
            . 'or put the plugin back into wp-content/plugins.',
        );
    }
}

function is_woocommerce_active(Database $database): bool
{
    return in_array(PLUGIN, (array) unserialize($database->option('active_plugins') ?? 'a:0:{}'), true);
}

/**
 * Activates it in a WordPress that was loaded without plugins. Then it calls the hooks that a loaded plugin would have
 * run: loading WordPress a second time would take half a second.
 */
function activate_woocommerce(): void
{
    global $wpdb, $wp_rewrite;
    $wpdb->suppress_errors(false);
    wp_installing(false);
    wp_cache_flush();
    wp_set_current_user(owner_user()->ID);
    $wp_rewrite->set_permalink_structure(permalink_structure());
    require_once ABSPATH . 'wp-admin/includes/plugin.php';
    delete_placeholder_image();
    delete_orphaned_terms();
    $failed = activate_plugin(PLUGIN);
    if (is_wp_error($failed)) {
        throw new UserError("WooCommerce can't be activated: {$failed->get_error_message()}");
    }
    WC()->on_plugins_loaded();
    WC()->setup_environment();
    WC()->include_template_functions();
    WC()->init();
}

/** A killed run may leave an incomplete or a second image. WooCommerce creates it again. */
function delete_placeholder_image(): void
{
    $posts = get_posts(['post_type' => 'attachment', 'post_status' => 'any', 'title' => 'woocommerce-placeholder']);
    foreach ($posts as $post) {
        wp_delete_attachment($post->ID, true);
    }
    array_map(unlink(...), glob(wp_get_upload_dir()['basedir'] . '/woocommerce-placeholder*.webp') ?: []);
    delete_option('woocommerce_placeholder_image');
}

/**
 * A term has a row in each of two tables, and a killed run may have written one. Then the ids of all later terms differ
 * between the tables, and WooCommerce confuses them.
 */
function delete_orphaned_terms(): void
{
    global $wpdb;
    $wpdb->query("DELETE FROM {$wpdb->terms} WHERE term_id NOT IN (SELECT term_id FROM {$wpdb->term_taxonomy})");
    if ($wpdb->rows_affected > 0) {
        reset_auto_increment();
    }
}

/** WooCommerce runs `newly_installed` only when the dashboard is opened. */
function finish_woocommerce_install(): void
{
    global $wpdb;
    WC_Install::newly_installed();
    WC_Install::create_pages();
    // WordPress sets a page's guid after inserting it: a killed run may have left it empty
    $wpdb->query($wpdb->prepare(
        "UPDATE {$wpdb->posts} SET guid = CONCAT(%s, ID) WHERE guid = '' AND post_type = 'page'",
        home_url('/?page_id='),
    ));
}

/** @return list<string> missing parts of the installation; empty if it is complete */
function missing_parts(): array
{
    $pages = array_filter(
        ['shop', 'cart', 'checkout', 'myaccount'],
        static fn (string $page): bool => !is_published_page($page),
    );
    return array_merge(
        array_map(static fn (string $table): string => "table {$table}", WC_Install::verify_base_tables(false, false)),
        array_map(static fn (string $page): string => "page {$page}", array_values($pages)),
        array_keys(array_filter([
            'version' => get_option('woocommerce_version') !== WC()->version,
            'first run' => get_option('woocommerce_newly_installed') === 'yes',
            'tables for orders' => !OrderUtil::custom_orders_table_usage_is_enabled(),
            'placeholder picture' => !has_placeholder_image(),
        ])),
    );
}

function is_published_page(string $name): bool
{
    $page = get_post(wc_get_page_id($name));
    return $page instanceof \WP_Post && $page->post_status === 'publish';
}

function has_placeholder_image(): bool
{
    $id = (int) get_option('woocommerce_placeholder_image');
    $file = $id === 0 ? false : get_attached_file($id);
    return $file !== false
        && is_file($file)
        && filesize($file) === filesize(WC()->plugin_path() . '/assets/images/placeholder-attachment.webp')
        && wp_get_attachment_metadata($id) !== false;
}

/** Repairs what a killed run left incomplete. Throws UserError if something is still missing. */
function complete_installation(): void
{
    finish_woocommerce_install();
    if (missing_parts() === []) {
        return;
    }
    if (!has_placeholder_image()) {
        delete_placeholder_image();
    }
    WC_Install::install();
    finish_woocommerce_install();
    if ($missing = missing_parts()) {
        throw new UserError('WooCommerce is incomplete: it lacks ' . implode(', ', $missing) . '.');
    }
}

/**
 * Migrates the database of an older WooCommerce now; WooCommerce itself would do it later, in background actions while
 * the shop sells. Returns whether there was something to migrate.
 */
function upgrade_woocommerce(Database $database): bool
{
    // WooCommerce migrates its tables while WordPress is loaded, unless another process does it
    if (get_option('woocommerce_version') !== WC()->version || WC_Install::verify_base_tables(false, true) !== []) {
        throw new UserError('WooCommerce is being brought up to date by another process: run this again in a minute.');
    }
    if (!WC_Install::needs_db_update()) {
        return false;
    }
    require_once WC_ABSPATH . 'includes/wc-update-functions.php';
    $current = (string) get_option('woocommerce_db_version');
    foreach (WC_Install::get_db_update_callbacks() as $version => $callbacks) {
        foreach (version_compare($current, (string) $version, '<') ? $callbacks : [] as $callback) {
            do {
                $database->ensureConnected();
            } while ($callback());
        }
    }
    WC_Install::update_db_version();
    as_unschedule_all_actions('woocommerce_run_update_callback');
    as_unschedule_all_actions('woocommerce_update_db_to_current_version');
    WC_Install::remove_update_db_notice();
    return true;
}
