<?php
/**
 * Plugin Name: Storefleet
 * Description: The platform's hooks for every shop. A must-use plugin of the image: it can't be deactivated.
 */

declare(strict_types=1);

defined('ABSPATH') || exit;

foreach ([
    'page-generation', 'sales', 'page-cache', 'hardening', 'privacy', 'texts', 'theme', 'menus', 'monogram', 'wizard',
    'checklist', 'notices', 'outbound-http', 'updates', 'login-throttle', 'mail', 'uploads', 'saved-carts', 'cron',
    'proof',
] as $name) {
    require "/opt/storefleet/mu-plugin/{$name}.php";
}
