<?php
/**
 * Sets the owner's password to STORE_ADMIN_PASSWORD, and ends the owner's sessions.
 * Idempotent: with the current password it changes nothing.
 */

declare(strict_types=1);

namespace Storefleet;

foreach (['program', 'environment', 'database', 'wordpress'] as $name) {
    require __DIR__ . "/lib/{$name}.php";
}

$program = new Program();

$program->step('check');
$password = admin_password();
required_env('STORE_ADMIN_USER');

$program->step('database');
if (Database::wait(60)->option(SETUP_OPTION) !== 'ready') {
    throw new UserError('The shop is not set up yet: its installation gives the password.');
}

$program->step('boot');
prepare_wordpress_load('rotate');
require WORDPRESS . '/wp-load.php';

$program->step('password');
$changed = set_password(owner_user(), $password);
if (!wp_check_password(wp_slash($password), owner_user()->user_pass, owner_user()->ID)) {
    throw new UserError('WordPress did not take the password: run this again.');
}
run_shutdown_hooks();
$program->finish($changed ? 'password changed' : 'password unchanged');
