<?php
/** WordPress alone, by the image's own library: install.php as far as it comes without WooCommerce. */

declare(strict_types=1);

namespace Storefleet;

foreach (['program', 'settings', 'database', 'wordpress'] as $noun) {
    require "/opt/storefleet/lib/{$noun}.php";
}

$program = new Program();

$program->step('check');
$locale = locale();

$program->step('database');
$database = Database::wait(60);
$database->lock('install', 60);
$new = $database->option('siteurl') === null;

$program->step('boot');
prepare_boot('install', installing: $new);
require WORDPRESS . '/wp-load.php';

if ($new) {
    $program->step('wordpress');
    install_wordpress(title(), admin_email(), admin_password(), $locale);
}
$GLOBALS['wp_rewrite']->set_permalink_structure(permalinks());
// as the installer does when the shop is whole
update_option(MARKER, 'ready', true);
$program->finish('installed');
