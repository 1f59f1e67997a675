<?php
/**
 * Installs a shop: WordPress, WooCommerce, and the configuration with which it can sell. Takes about a second.
 *
 * Idempotent: it can be killed at any point, run again, and run several times at once, because of a lock, an option
 * with the state of the installation, and transactions. In a shop that is set up it only migrates the database to the
 * image's versions. Prints a line of JSON for each step.
 */

declare(strict_types=1);

namespace Storefleet;

foreach (['program', 'environment', 'database', 'wordpress', 'woocommerce', 'locale', 'storefront', 'shop'] as $name) {
    require __DIR__ . "/lib/{$name}.php";
}

const TIMEOUT_SECONDS = 240;
/** For the database to start, and for another installation to end. Less than the Job's activeDeadlineSeconds. */

$program = new Program();

$program->step('check');
$setup = choice_env('STORE_SETUP', 'ready', 'wizard');
$password = admin_password();
$email = admin_email();
store_title();
country_and_currency();
require_woocommerce();

$program->step('database');
$database = Database::wait(TIMEOUT_SECONDS);

$program->step('lock');
$database->lock('install', TIMEOUT_SECONDS);
$new = $database->option('siteurl') === null;
$active = !$new && is_woocommerce_active($database);
$ready = $database->option(SETUP_OPTION) === 'ready';
if (!$new) {
    $database->deleteStaleInstallerLock($ready ? 60 : 0);
}

if (!$ready) {
    $program->step('check');
    // a global variable that WordPress reads: pages, slugs and categories are created in this language
    $locale = store_locale();
}

$program->step('boot');
prepare_wordpress_load('install', installing: !$active);
require WORDPRESS . '/wp-load.php';

if ($new) {
    $program->step('wordpress');
    install_wordpress(store_title(), $email, $password, $locale);
}
if (!$active) {
    $program->step('woocommerce');
    $database->ensureConnected();
    activate_woocommerce();
}
wp_set_current_user(owner_user()->ID);

if ($ready) {
    $program->step('upgrade');
    $database->ensureConnected();
    $upgraded = array_filter([upgrade_wordpress(), upgrade_woocommerce($database)]);
    run_shutdown_hooks();
    $program->finish($upgraded ? 'upgraded' : 'nothing to install');
}

$program->step('repair');
$database->ensureConnected();
complete_installation();

$program->step('shop');
set_password(owner_user(), $password);
in_transaction(static fn () => configure_shop($setup));

$program->step('verify');
wp_cache_flush();
if ($errors = [...missing_parts(), ...shop_errors()]) {
    throw new UserError('The shop is incomplete: ' . implode(', ', $errors) . '.');
}

$program->step('finish');
run_shutdown_hooks();
$database->ensureConnected();
// generated here, without all plugins, they would be incomplete: the first page view generates them
delete_option('rewrite_rules');
update_option(SETUP_OPTION, 'ready', true);
$program->finish('installed');
