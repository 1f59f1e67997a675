<?php
/** Installs WordPress without WooCommerce, with the functions of the image's lib/. */

declare(strict_types=1);

namespace Storefleet;

foreach (['program', 'environment', 'database', 'wordpress'] as $name) {
    require "/opt/storefleet/lib/{$name}.php";
}

$program = new Program();

$program->step('check');
$locale = store_locale();

$program->step('database');
$database = Database::wait(60);
$database->lock('install', 60);
$new = $database->option('siteurl') === null;

$program->step('boot');
prepare_wordpress_load('install', installing: $new);
require WORDPRESS . '/wp-load.php';

if ($new) {
    $program->step('wordpress');
    install_wordpress(store_title(), admin_email(), admin_password(), $locale);
}
$GLOBALS['wp_rewrite']->set_permalink_structure(permalink_structure());
// as install.php at its end
update_option(SETUP_OPTION, 'ready', true);
$program->finish('installed');
