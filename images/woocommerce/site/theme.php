<?php
/** A shop always has a theme: a newer image may lack the one that it had, and a plan those of the owner's. */

declare(strict_types=1);

namespace Storefleet\Site;

foreach (['stylesheet', 'template'] as $part) {
    add_filter("option_{$part}", __NAMESPACE__ . '\theme_that_is_there');
}

/** Without it every page would be blank. What the database says stays, for when the theme is there again. */
function theme_that_is_there(mixed $name): mixed
{
    $chosen = array_intersect_key(wp_load_alloptions(), ['stylesheet' => '', 'template' => '']);
    foreach ($chosen as $theme) {
        // a name that leads elsewhere would have files run that were uploaded
        if (validate_file($theme) !== 0 || !is_file(WP_CONTENT_DIR . "/themes/{$theme}/style.css")) {
            return images_theme();
        }
    }
    return $name;
}

function images_theme(): string
{
    return basename(glob('/var/www/html/wp-content/themes/*', GLOB_ONLYDIR)[0]);
}
