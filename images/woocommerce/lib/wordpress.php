<?php
/** WordPress: loading it in a program, installation, upgrades, the owner's password. */

declare(strict_types=1);

namespace Storefleet;

const WORDPRESS = '/var/www/html';
const PLUGIN = 'woocommerce/woocommerce.php';
const SETUP_OPTION = 'storefleet_shop';
/** The option's value: `core` after WordPress is installed, `ready` after the shop is. /readyz and cron read it. */

/**
 * Defines constants and hooks before WordPress is loaded. The caller then includes wp-load.php at the top level of a
 * file: WordPress and its plugins must run in the global scope.
 *
 * `$installing`: WordPress loads no plugins, and tolerates missing tables.
 */
function prepare_wordpress_load(string $program, bool $installing = false): void
{
    define('STOREFLEET_PROGRAM', $program);
    // it would print an HTML page
    define('WP_DISABLE_FATAL_ERROR_HANDLER', true);
    if ($installing) {
        define('WP_INSTALLING', true);
        define('WP_REPAIRING', true);
    }
    // wp_die would print an HTML page and exit with code 0
    $fail = static fn (): callable => static function (mixed $error): never {
        throw new UserError('WordPress can\'t go on: ' . (is_wp_error($error) ? $error->get_error_message() : $error));
    };
    add_hook_before_load('wp_die_handler', $fail);
    if (!$installing && $program !== 'prove') {
        disable_customer_plugins();
    }
    if ($installing) {
        // without tables, each query would log an error
        add_hook_before_load('muplugins_loaded', static fn () => $GLOBALS['wpdb']->suppress_errors());
    }
}

/** Loads neither plugins nor the theme of the owner: with a broken one, rotations and upgrades would fail. */
function disable_customer_plugins(): void
{
    $woocommerce = static fn (array $plugins): array => array_values(array_intersect($plugins, [PLUGIN]));
    add_hook_before_load('option_active_plugins', $woocommerce);
    // code that saves the list later must get all plugins
    add_hook_before_load('plugins_loaded', static fn () => remove_all_filters('option_active_plugins'));
    foreach (['stylesheet', 'template'] as $option) {
        $theme = static fn (): string => \Storefleet\MuPlugin\bundled_theme($option);
        add_hook_before_load("pre_option_{$option}", $theme);
    }
}

/** `add_filter` exists only after WordPress is loaded. */
function add_hook_before_load(string $hook, callable $callback): void
{
    $GLOBALS['wp_filter'][$hook][10][] = ['function' => $callback, 'accepted_args' => 1];
}

/**
 * Installs WordPress and its owner in one transaction. The tables are created before it: CREATE TABLE commits
 * implicitly.
 */
function install_wordpress(string $title, string $email, string $password, string $locale): void
{
    global $wpdb;
    require_once ABSPATH . 'wp-admin/includes/upgrade.php';
    $interrupted = $wpdb->get_var("SHOW TABLES LIKE 'wp\\_%'") !== null;
    make_db_current_silent();
    $wpdb->suppress_errors(false);
    if ($interrupted) {
        reset_auto_increment();
    }
    // without a structure, WordPress would test URL rewriting with a request to its own web server
    add_filter('pre_option_permalink_structure', __NAMESPACE__ . '\permalink_structure');
    in_transaction(static function () use ($title, $email, $password, $locale): void {
        $user = required_env('STORE_ADMIN_USER');
        $language = $locale === 'en_US' ? '' : $locale;
        // wp_slash: WordPress stores and compares passwords with slashes, as they arrive from a form
        wp_install(escape_title($title), $user, $email, true, '', wp_slash($password), $language);
        hide_login_name($title);
        delete_example_posts();
        update_option(SETUP_OPTION, 'core', true);
    });
    remove_filter('pre_option_permalink_structure', __NAMESPACE__ . '\permalink_structure');
    wp_cache_flush();
}

/** A rollback doesn't reset auto-increment values, and WordPress expects that its first post has the id 1. */
function reset_auto_increment(): void
{
    global $wpdb;
    $tables = $wpdb->get_col(
        "SELECT table_name FROM information_schema.columns
         WHERE table_schema = DATABASE() AND table_name LIKE 'wp\\_%' AND extra = 'auto_increment'",
    );
    foreach ($tables as $table) {
        $wpdb->query("ALTER TABLE {$table} AUTO_INCREMENT = 1");
    }
}

/** WordPress escapes a title, except for HTML entities in it: a shop may be called `&amp;`. */
function escape_title(string $title): string
{
    return htmlspecialchars($title, ENT_QUOTES);
}

function permalink_structure(): string
{
    return '/%postname%/';
}

/** Visitors see an author's display name, and its nicename in addresses. Both would be the name for sign-in. */
function hide_login_name(string $title): void
{
    $names = ['display_name' => wp_slash($title), 'nickname' => wp_slash($title), 'user_nicename' => 'shop'];
    wp_update_user(['ID' => owner_user()->ID] + $names);
}

/** "Hello world!" and the sample page. */
function delete_example_posts(): void
{
    foreach (get_posts(['post_type' => ['post', 'page'], 'post_status' => 'publish', 'numberposts' => 10]) as $post) {
        wp_delete_post($post->ID, true);
    }
}

/** The owner's user; the first administrator if the owner was renamed or deleted. */
function owner_user(): \WP_User
{
    $user = get_user_by('login', required_env('STORE_ADMIN_USER'))
        ?: (get_users(['role' => 'administrator', 'orderby' => 'ID', 'number' => 1])[0] ?? null);
    return $user ?? throw new UserError('The shop has no administrator: restore one in its database, then retry.');
}

/** Returns whether the password changed. A change ends all of the user's sessions. */
function set_password(\WP_User $user, string $password): bool
{
    if (wp_check_password(wp_slash($password), $user->user_pass, $user->ID)) {
        return false;
    }
    wp_set_password(wp_slash($password), $user->ID);
    \WP_Session_Tokens::get_instance($user->ID)->destroy_all();
    return true;
}

/** Migrates the database of an older WordPress. Returns whether there was something to migrate. */
function upgrade_wordpress(): bool
{
    if ((int) get_option('db_version') === (int) $GLOBALS['wp_db_version']) {
        return false;
    }
    require_once ABSPATH . 'wp-admin/includes/upgrade.php';
    wp_upgrade();
    return true;
}

/** A transaction: if this process is killed, the database rolls back. */
function in_transaction(callable $work): void
{
    global $wpdb;
    $wpdb->query('START TRANSACTION');
    $work();
    $wpdb->query('COMMIT');
}

/** Runs the shutdown hooks of WordPress and its plugins now: they may print, and the result must be the last line. */
function run_shutdown_hooks(): void
{
    if (function_exists('WC') && isset(WC()->session)) {
        // a program has no cart to save
        remove_action('shutdown', [WC()->session, 'save_data'], 20);
    }
    do_action('shutdown');
    remove_all_actions('shutdown');
}
