<?php
/**
 * Updates come with the platform's next release: WordPress neither asks for them nor offers them. An owner who may
 * install plugins and themes is offered those of their own.
 */

declare(strict_types=1);

namespace Storefleet\Site;

add_action('init', __NAMESPACE__ . '\forget_updates', 1);
add_filter('pre_site_transient_update_core', __NAMESPACE__ . '\no_updates');
foreach (['plugins', 'themes'] as $kind) {
    STOREFLEET_WRITABLE
        ? add_filter("site_transient_update_{$kind}", static fn ($found) => owners_updates($found, $kind))
        : add_filter("pre_site_transient_update_{$kind}", __NAMESPACE__ . '\no_updates');
}
// news of WordPress, by a call to the outside
add_action('wp_dashboard_setup', static fn () => remove_meta_box('dashboard_primary', 'dashboard', 'side'));
// what is the image's to see to; and a shop, which calls nobody, can't ask itself whether it answers
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
        remove_action('admin_init', "_maybe_update_{$kind}");
        foreach (["wp_update_{$kind}", "load-{$kind}.php", 'load-update.php', 'load-update-core.php'] as $hook) {
            remove_action($hook, "wp_update_{$kind}");
        }
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

/** Without those of what content.php has put there, which nobody can write. */
function owners_updates(mixed $found, string $kind): mixed
{
    if (!is_object($found)) {
        return $found;
    }
    $theirs = static fn (string $path): bool => !is_link(WP_CONTENT_DIR . "/{$path}");
    $found->response = array_filter(
        $found->response ?? [],
        static fn (string $name): bool => $theirs("{$kind}/" . strtok($name, '/')),
        ARRAY_FILTER_USE_KEY,
    );
    $found->translations = array_filter(
        $found->translations ?? [],
        static fn (array $of): bool => $theirs("languages/{$kind}/{$of['slug']}-{$of['language']}.mo"),
    );
    return $found;
}

function without_platform_tests(array $tests): array
{
    $platforms = [
        'direct' => [
            'available_updates_disk_space',
            'rest_availability',
            'update_temp_backup_writable',
            'wordpress_version',
        ],
        'async' => ['dotorg_communication', 'background_updates', 'loopback_requests', 'page_cache'],
    ];
    foreach ($platforms as $kind => $names) {
        $tests[$kind] = array_diff_key($tests[$kind], array_flip($names));
    }
    return $tests;
}
