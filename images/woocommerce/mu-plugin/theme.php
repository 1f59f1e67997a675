<?php
/** Falls back to the image's theme if the active theme is missing: after an upgrade, or with another plan. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

foreach (['stylesheet', 'template'] as $option) {
    add_filter("option_{$option}", static fn (mixed $name): mixed => fallback_theme($name, $option));
}

/** Without a theme every page would be blank. The options in the database don't change: the theme may come back. */
function fallback_theme(mixed $name, string $option): mixed
{
    $active = array_intersect_key(wp_load_alloptions(), ['stylesheet' => '', 'template' => '']);
    foreach ($active as $theme) {
        // validate_file: a name with `..` could load PHP files from the uploads
        if (validate_file($theme) !== 0 || !is_file(WP_CONTENT_DIR . "/themes/{$theme}/style.css")) {
            return bundled_theme($option);
        }
    }
    return $name;
}

/** The option's value for the image's theme, a child of WordPress' default theme. `$option`: stylesheet or template. */
function bundled_theme(string $option): string
{
    $themes = '/var/www/html/wp-content/themes';
    return $option === 'stylesheet'
        ? 'storefleet'
        : get_file_data("{$themes}/storefleet/style.css", ['template' => 'Template'])['template'];
}
