<?php
/** WordPress itself: booted within a program, installed, brought up to date. */

declare(strict_types=1);

namespace Storefleet;

const WORDPRESS = '/var/www/html';
const PLUGIN = 'woocommerce/woocommerce.php';
const MARKER = 'storefleet_shop';
/** Option: `core` once WordPress is installed, `ready` once the shop is. /readyz and cron go by it. */

/**
 * What has to be said before WordPress is loaded, which its caller does at the top of a file: WordPress and its
 * plugins take for granted that they are in the global scope.
 *
 * `$installing`: WordPress then loads no plugins and doesn't mind that its tables are missing, or some of them.
 */
function prepare_boot(string $program, bool $installing = false): void
{
    define('STOREFLEET_PROGRAM', $program);
    // it would print a page for whoever browses
    define('WP_DISABLE_FATAL_ERROR_HANDLER', true);
    if ($installing) {
        define('WP_INSTALLING', true);
        define('WP_REPAIRING', true);
    }
    // it would print a page and end with code 0
    $fail = static fn (): callable => static function (mixed $said): never {
        throw new Problem('WordPress can\'t go on: ' . (is_wp_error($said) ? $said->get_error_message() : $said));
    };
    hook_early('wp_die_handler', $fail);
    if (!$installing && $program !== 'prove') {
        without_the_owners();
    }
    if ($installing) {
        // without tables, each question to the database is an error in the log
        hook_early('muplugins_loaded', static fn () => $GLOBALS['wpdb']->suppress_errors());
    }
}

/** A plugin or theme of the owner's may be broken: the shop can be given a password, and be brought up to date. */
function without_the_owners(): void
{
    hook_early('option_active_plugins', static fn (array $all): array => array_values(array_intersect($all, [PLUGIN])));
    // whoever writes the list later shall not lose them
    hook_early('plugins_loaded', static fn () => remove_all_filters('option_active_plugins'));
    foreach (['stylesheet', 'template'] as $part) {
        hook_early("pre_option_{$part}", static fn (): string => \Storefleet\Site\images_theme());
    }
}

/** Before WordPress is loaded, and with it `add_filter`. */
function hook_early(string $hook, callable $do): void
{
    $GLOBALS['wp_filter'][$hook][10][] = ['function' => $do, 'accepted_args' => 1];
}

/**
 * WordPress in an empty database, with its owner. All or nothing: tables come first, for each of them would end the
 * transaction.
 */
function install_wordpress(string $title, string $email, string $password, string $locale): void
{
    global $wpdb;
    require_once ABSPATH . 'wp-admin/includes/upgrade.php';
    $torn = $wpdb->get_var("SHOW TABLES LIKE 'wp\\_%'") !== null;
    make_db_current_silent();
    $wpdb->suppress_errors(false);
    if ($torn) {
        restart_numbers();
    }
    // with none, it would ask its own web server, which isn't there, whether rewriting works
    add_filter('pre_option_permalink_structure', __NAMESPACE__ . '\permalinks');
    atomically(static function () use ($title, $email, $password, $locale): void {
        // every password that reaches WordPress by a form is slashed, and so is the one it is compared with
        $language = $locale === 'en_US' ? '' : $locale;
        wp_install(escaped($title), required('STORE_ADMIN_USER'), $email, true, '', wp_slash($password), $language);
        remove_examples();
        update_option(MARKER, 'core', true);
    });
    remove_filter('pre_option_permalink_structure', __NAMESPACE__ . '\permalinks');
    wp_cache_flush();
}

/**
 * A run that was killed has used up numbers, which no rollback gives back. WordPress takes for granted that its first
 * post is number 1.
 */
function restart_numbers(): void
{
    global $wpdb;
    $numbered = $wpdb->get_col(
        "SELECT table_name FROM information_schema.columns
         WHERE table_schema = DATABASE() AND table_name LIKE 'wp\\_%' AND extra = 'auto_increment'",
    );
    foreach ($numbered as $table) {
        $wpdb->query("ALTER TABLE {$table} AUTO_INCREMENT = 1");
    }
}

/** WordPress escapes a title, but not what looks escaped: a shop may be called `&amp;`. */
function escaped(string $title): string
{
    return htmlspecialchars($title, ENT_QUOTES);
}

function permalinks(): string
{
    return '/%postname%/';
}

/** "Hello world!" is no page of a shop. */
function remove_examples(): void
{
    foreach (get_posts(['post_type' => ['post', 'page'], 'post_status' => 'publish', 'numberposts' => 10]) as $post) {
        wp_delete_post($post->ID, true);
    }
}

/** The owner. They may have another name by now, or have handed the shop over. */
function admin(): \WP_User
{
    $admin = get_user_by('login', required('STORE_ADMIN_USER'))
        ?: (get_users(['role' => 'administrator', 'orderby' => 'ID', 'number' => 1])[0] ?? null);
    return $admin ?? throw new Problem('The shop has no administrator: restore one in its database, then retry.');
}

/** Whether it was another one. Who is signed in has to sign in again then. */
function set_password(\WP_User $user, string $password): bool
{
    if (wp_check_password(wp_slash($password), $user->user_pass, $user->ID)) {
        return false;
    }
    wp_set_password(wp_slash($password), $user->ID);
    \WP_Session_Tokens::get_instance($user->ID)->destroy_all();
    return true;
}

/** Changes the database of an older WordPress. Whether it was one. */
function upgrade_wordpress(): bool
{
    if ((int) get_option('db_version') === (int) $GLOBALS['wp_db_version']) {
        return false;
    }
    require_once ABSPATH . 'wp-admin/includes/upgrade.php';
    wp_upgrade();
    return true;
}

/** All of it or nothing, should this process be killed. */
function atomically(callable $work): void
{
    global $wpdb;
    $wpdb->query('START TRANSACTION');
    $work();
    $wpdb->query('COMMIT');
}

/** Does now what WordPress and its plugins put off to the end of the process: nothing may follow the last line. */
function finish_wordpress(): void
{
    if (function_exists('WC') && isset(WC()->session)) {
        // a program is no shopper
        remove_action('shutdown', [WC()->session, 'save_data'], 20);
    }
    do_action('shutdown');
    remove_all_actions('shutdown');
}
