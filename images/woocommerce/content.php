<?php
/**
 * Puts the image's own plugins, themes and languages beside the owner's, on the disk of a store that may have some.
 *
 * As links: a newer image is a newer WooCommerce, and nobody can change what they lead to. Where the owner has put
 * something under the same name, it stays, and is theirs to keep up to date. Runs before each program; several at once
 * do no harm.
 */

declare(strict_types=1);

namespace Storefleet;

const IMAGE = '/var/www/html/wp-content';
const DISK = '/var/www/content';

/** @return list<string> names below the image's folder: each plugin and theme whole, each file of a language */
function names(): array
{
    $found = ['index.php'];
    foreach (['plugins/*', 'themes/*', 'languages/*.*', 'languages/*/*.*'] as $pattern) {
        foreach (glob(IMAGE . "/{$pattern}") ?: [] as $path) {
            $found[] = substr($path, strlen(IMAGE) + 1);
        }
    }
    return $found;
}

function put(string $name): void
{
    $link = DISK . "/{$name}";
    if (is_link($link) || file_exists($link)) {
        return;
    }
    $folder = dirname($link);
    if (!is_dir($folder) && !@mkdir($folder, 0o755, true) && !is_dir($folder)) {
        fail($name, "There is no folder {$folder}, and none can be made");
    } elseif (!@symlink(IMAGE . "/{$name}", $link) && !is_link($link)) {
        fail($name, "{$link} can't be made");
    }
}

/** Without a word in another language a shop can sell. */
function fail(string $name, string $what): void
{
    fwrite(STDERR, "{$what}: is the disk for plugins mounted, with space left, and writable?\n");
    if (!str_starts_with($name, 'languages/')) {
        exit(1);
    }
}

array_map(put(...), names());
