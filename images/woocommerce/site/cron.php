<?php
/** Work in the background is the CronJob's: `php wp-cron.php`, which runs Action Scheduler, too. */

declare(strict_types=1);

namespace Storefleet\Site;

// else each page of the dashboard starts a request to the shop itself
add_filter('action_scheduler_allow_async_request_runner', '__return_false');

if (PHP_SAPI === 'cli' && !defined('STOREFLEET_PROGRAM')) {
    if (get_option('storefleet_shop') !== 'ready') {
        fwrite(STDOUT, "The shop isn't set up yet: nothing to do.\n");
        exit(0);
    }
    add_action('wp_loaded', static fn () => do_action('storefleet_tidy'));
}
