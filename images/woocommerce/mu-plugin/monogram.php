<?php
/** The drawn monogram of a new shop is its site icon and its logo: a picture in place of one replaces both. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

foreach (['site_icon' => 'site_logo', 'site_logo' => 'site_icon'] as $changed => $other) {
    foreach (["add_option_{$changed}", "update_option_{$changed}"] as $hook) {
        add_action($hook, static fn (mixed $before, mixed $new) => replace_monogram($other, (int) $new), 10, 2);
    }
}

function replace_monogram(string $option, int $picture): void
{
    if ($picture > 0 && !is_monogram($picture) && is_monogram((int) get_option($option))) {
        update_option($option, $picture);
    }
}

function is_monogram(int $id): bool
{
    return $id > 0 && basename((string) get_attached_file($id)) === 'monogram.png';
}
