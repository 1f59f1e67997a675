<?php
/** Updates come with the platform's next release: WordPress neither asks for them nor offers them. */

declare(strict_types=1);

namespace Storefleet\Site;

add_action('init', __NAMESPACE__ . '\forget_updates', 1);
add_filter('pre_site_transient_update_core', __NAMESPACE__ . '\no_updates');
if (!STOREFLEET_WRITABLE) {
    add_filter('pre_site_transient_update_plugins', __NAMESPACE__ . '\no_updates');
    add_filter('pre_site_transient_update_themes', __NAMESPACE__ . '\no_updates');
}
// news of WordPress, by a call to the outside
add_action('wp_dashboard_setup', static fn () => remove_meta_box('dashboard_primary', 'dashboard', 'side'));
// what an installation on a server of one's own should see to; here it is the image
add_filter('site_status_tests', __NAMESPACE__ . '\without_platform_tests');

function forget_updates(): void
{
    remove_action('init', 'wp_schedule_update_checks');
    remove_action('wp_version_check', 'wp_version_check');
    remove_action('admin_init', '_maybe_update_core');
    if (STOREFLEET_WRITABLE) {
        return;
    }
    foreach (['plugins', 'themes'] as $kind) {
        remove_action("wp_update_{$kind}", "wp_update_{$kind}");
        remove_action('admin_init', "_maybe_update_{$kind}");
    }
}

function no_updates(): object
{
    return (object) [
        'last_checked' => time(),
        'version_checked' => wp_get_wp_version(),
        'updates' => [],
        'response' => [],
        'no_update' => [],
        'translations' => [],
    ];
}

function without_platform_tests(array $tests): array
{
    unset($tests['direct']['update_temp_backup_writable'], $tests['direct']['available_updates_disk_space']);
    foreach (['dotorg_communication', 'background_updates', 'loopback_requests'] as $test) {
        unset($tests['async'][$test]);
    }
    return $tests;
}
