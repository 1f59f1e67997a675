<?php
/**
 * Links the image's plugins, themes and languages into WP_CONTENT_DIR on the volume of a store with custom plugins.
 *
 * With symbolic links, a newer image brings a newer WooCommerce, and the linked files are read-only. A file of the
 * owner with the same name stays. Runs before each program; concurrent runs are safe.
 */

declare(strict_types=1);

namespace Storefleet;

const IMAGE_CONTENT = '/var/www/html/wp-content';
const VOLUME_CONTENT = '/var/www/content';

/** @return list<string> paths below wp-content: two files, each plugin and theme as a folder, each language file */
function bundled_paths(): array
{
    $found = ['index.php', 'db-error.php'];
    foreach (['plugins/*', 'themes/*', 'languages/*.*', 'languages/*/*.*'] as $pattern) {
        foreach (glob(IMAGE_CONTENT . "/{$pattern}") ?: [] as $path) {
            $found[] = substr($path, strlen(IMAGE_CONTENT) + 1);
        }
    }
    return $found;
}

function link_path(string $path): void
{
    $link = VOLUME_CONTENT . "/{$path}";
    if (is_link($link) || file_exists($link)) {
        return;
    }
    $folder = dirname($link);
    if (!is_dir($folder) && !@mkdir($folder, 0o755, true) && !is_dir($folder)) {
        report_failure($path, "There is no folder {$folder}, and none can be made");
    } elseif (!@symlink(IMAGE_CONTENT . "/{$path}", $link) && !is_link($link)) {
        report_failure($path, "{$link} can't be made");
    }
}

/** Exits, except for language files: a shop can sell without them. */
function report_failure(string $path, string $what): void
{
    fwrite(STDERR, "{$what}: is the disk for plugins mounted, with space left, and writable?\n");
    if (!str_starts_with($path, 'languages/')) {
        exit(1);
    }
}

array_map(link_path(...), bundled_paths());
