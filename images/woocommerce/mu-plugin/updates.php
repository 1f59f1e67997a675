<?php
/**
 * Disables WordPress' update checks: updates come with the platform's releases. Owners who may install plugins and
 * themes get updates of these.
 */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

add_action('init', __NAMESPACE__ . '\disable_update_checks', 1);
add_filter('pre_site_transient_update_core', __NAMESPACE__ . '\empty_update_transient');
foreach (['plugins', 'themes'] as $kind) {
    STOREFLEET_CUSTOM_PLUGINS
        ? add_filter("site_transient_update_{$kind}", static fn ($value) => filter_bundled_updates($value, $kind))
        : add_filter("pre_site_transient_update_{$kind}", __NAMESPACE__ . '\empty_update_transient');
}
// the dashboard widget with WordPress' news sends outbound requests
add_action('wp_dashboard_setup', static fn () => remove_meta_box('dashboard_primary', 'dashboard', 'side'));
add_filter('site_status_tests', __NAMESPACE__ . '\remove_site_health_tests');

function disable_update_checks(): void
{
    remove_action('init', 'wp_schedule_update_checks');
    remove_action('wp_version_check', 'wp_version_check');
    remove_action('admin_init', '_maybe_update_core');
    if (STOREFLEET_CUSTOM_PLUGINS) {
        return;
    }
    foreach (['plugins', 'themes'] as $kind) {
        remove_action('admin_init', "_maybe_update_{$kind}");
        foreach (["wp_update_{$kind}", "load-{$kind}.php", 'load-update.php', 'load-update-core.php'] as $hook) {
            remove_action($hook, "wp_update_{$kind}");
        }
    }
}

function empty_update_transient(): object
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

/** Removes the updates of bundled plugins and themes (links of link-content.php), which are read-only. */
function filter_bundled_updates(mixed $transient, string $kind): mixed
{
    if (!is_object($transient)) {
        return $transient;
    }
    $is_custom = static fn (string $path): bool => !is_link(WP_CONTENT_DIR . "/{$path}");
    $transient->response = array_filter(
        $transient->response ?? [],
        static fn (string $name): bool => $is_custom("{$kind}/" . strtok($name, '/')),
        ARRAY_FILTER_USE_KEY,
    );
    $transient->translations = array_filter(
        $transient->translations ?? [],
        static fn (array $item): bool => $is_custom("languages/{$kind}/{$item['slug']}-{$item['language']}.mo"),
    );
    return $transient;
}

/** Tests of what the image decides, and of requests to itself and to wordpress.org, which are blocked. */
function remove_site_health_tests(array $tests): array
{
    $removed = [
        'direct' => [
            'available_updates_disk_space',
            'rest_availability',
            'update_temp_backup_writable',
            'wordpress_version',
        ],
        'async' => ['dotorg_communication', 'background_updates', 'loopback_requests', 'page_cache'],
    ];
    foreach ($removed as $kind => $names) {
        $tests[$kind] = array_diff_key($tests[$kind], array_flip($names));
    }
    return $tests;
}
