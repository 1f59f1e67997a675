<?php
/**
 * Makes a shop: WordPress, WooCommerce, what a shop needs to sell. One process, about a second.
 *
 * Can be killed anywhere, run again and run several times at once: one lock, one mark of how far the shop has come,
 * and what belongs together in one transaction. In a shop that is set up it changes nothing of the merchant's; it only
 * brings the database up to date with the image. A line of JSON a step; done when the last one says so and the exit
 * code is 0.
 */

declare(strict_types=1);

namespace Storefleet;

foreach (['program', 'settings', 'database', 'wordpress', 'woocommerce', 'shop'] as $noun) {
    require __DIR__ . "/lib/{$noun}.php";
}

const PATIENCE = 240;
/** Seconds for the database to start, and for another installer to end. Below the Job's deadline. */

$program = new Program();

$program->step('check');
$setup = chosen('STORE_SETUP', 'ready', 'wizard');
$password = admin_password();
$email = admin_email();
title();
market();
require_plugin();

$program->step('database');
$database = Database::wait(PATIENCE);

$program->step('lock');
$database->lock('install', PATIENCE);
$new = $database->option('siteurl') === null;
$active = !$new && is_active($database);
$ready = $database->option(MARKER) === 'ready';
if (!$new) {
    $database->forgetKilledInstaller($ready ? 60 : 0);
}

if (!$ready) {
    $program->step('check');
    // WordPress' global: its database doesn't know yet, and pages, slugs and categories are made in this language
    $locale = locale();
}

$program->step('boot');
prepare_boot('install', installing: !$active);
require WORDPRESS . '/wp-load.php';

if ($new) {
    $program->step('wordpress');
    install_wordpress(title(), $email, $password, $locale);
}
if (!$active) {
    $program->step('woocommerce');
    $database->keep();
    activate();
}
wp_set_current_user(admin()->ID);

if ($ready) {
    $program->step('upgrade');
    $database->keep();
    $upgraded = array_filter([upgrade_wordpress(), upgrade_woocommerce($database)]);
    finish_wordpress();
    $program->finish($upgraded ? 'upgraded' : 'nothing to install');
}

$program->step('repair');
$database->keep();
repair();

$program->step('shop');
set_password(admin(), $password);
atomically(static fn () => set_up_shop($setup));

$program->step('verify');
wp_cache_flush();
if ($faults = [...missing(), ...faults()]) {
    throw new Problem('The shop is not whole: ' . implode(', ', $faults) . '.');
}

$program->step('finish');
finish_wordpress();
$database->keep();
// they are whole only when a visitor's request makes them
delete_option('rewrite_rules');
update_option(MARKER, 'ready', true);
$program->finish('installed');
