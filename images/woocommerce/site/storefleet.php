<?php
/**
 * Plugin Name: Storefleet
 * Description: What the platform asks of every shop. It comes with the image and can't be switched off.
 */

declare(strict_types=1);

defined('ABSPATH') || exit;

foreach (['visitors', 'theme', 'calls', 'updates', 'login', 'mail', 'cron', 'proof'] as $noun) {
    require "/opt/storefleet/site/{$noun}.php";
}
