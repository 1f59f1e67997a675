<?php
/** Falls back to the image's theme if the active theme is missing: after an upgrade, or with another plan. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

foreach (['stylesheet', 'template'] as $option) {
    add_filter("option_{$option}", __NAMESPACE__ . '\fallback_theme');
}

/** Without a theme every page would be blank. The options in the database don't change: the theme may come back. */
function fallback_theme(mixed $name): mixed
{
    $active = array_intersect_key(wp_load_alloptions(), ['stylesheet' => '', 'template' => '']);
    foreach ($active as $theme) {
        // validate_file: a name with `..` could load PHP files from the uploads
        if (validate_file($theme) !== 0 || !is_file(WP_CONTENT_DIR . "/themes/{$theme}/style.css")) {
            return bundled_theme();
        }
    }
    return $name;
}

function bundled_theme(): string
{
    return basename(glob('/var/www/html/wp-content/themes/*', GLOB_ONLYDIR)[0]);
}
