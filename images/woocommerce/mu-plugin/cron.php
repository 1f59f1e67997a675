<?php
/** Background work runs in the CronJob `cron`: `php wp-cron.php`, which also runs Action Scheduler. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

// otherwise each page of the dashboard starts a request to the shop itself
add_filter('action_scheduler_allow_async_request_runner', '__return_false');

if (PHP_SAPI === 'cli' && !defined('STOREFLEET_PROGRAM')) {
    if (get_option('storefleet_shop') !== 'ready') {
        fwrite(STDOUT, "The shop isn't set up yet: nothing to do.\n");
        exit(0);
    }
    add_action('wp_loaded', static fn () => do_action('storefleet_cleanup'));
    add_action('wp_loaded', __NAMESPACE__ . '\report_closed_page_cache');
    // last, because it exits: as the others began, writers end
    register_shutdown_function(static fn () => register_shutdown_function(__NAMESPACE__ . '\report_full_disk'));
}

const MIN_FREE_BYTES = 16 * 2 ** 20;

/** The Job fails with this message, which the platform shows to the owner. The shop itself goes on. */
function report_full_disk(): void
{
    if (disk_free_space('/var/www/html/wp-content/uploads') < MIN_FREE_BYTES) {
        @file_put_contents('/dev/termination-log', 'The disk is full.');
        exit(1);
    }
}

const MAX_CLOSED_SECONDS = 600;

/** Without it, a shop without its page cache would only be slow. */
function report_closed_page_cache(): void
{
    $since = PageGeneration::closedSince();
    if ($since !== null && $since < time() - MAX_CLOSED_SECONDS) {
        $minutes = intdiv(time() - $since, 60);
        fwrite(STDOUT, "The page cache has been closed for {$minutes} minutes: visitors' pages are made one by one.\n");
    }
}
