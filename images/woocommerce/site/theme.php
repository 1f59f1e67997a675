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
        if (!is_file(WP_CONTENT_DIR . "/themes/{$theme}/style.css")) {
            return WP_DEFAULT_THEME;
        }
    }
    return $name;
}
