<?php
/**
 * Gives the owner's account the password of STORE_ADMIN_PASSWORD, and ends whoever is signed in with another.
 * Can be run again: with the same password it changes nothing.
 */

declare(strict_types=1);

namespace Storefleet;

foreach (['program', 'settings', 'database', 'wordpress'] as $noun) {
    require __DIR__ . "/lib/{$noun}.php";
}

$program = new Program();

$program->step('check');
$password = admin_password();
required('STORE_ADMIN_USER');

$program->step('database');
if (Database::wait(60)->option(MARKER) !== 'ready') {
    throw new Problem('The shop is not set up yet: its installation gives the password.');
}

$program->step('boot');
prepare_boot('rotate');
require WORDPRESS . '/wp-load.php';

$program->step('password');
$changed = set_password(admin(), $password);
if (!wp_check_password(wp_slash($password), admin()->user_pass, admin()->ID)) {
    throw new Problem('WordPress did not take the password: run this again.');
}
finish_wordpress();
$program->finish($changed ? 'password changed' : 'password unchanged');
