<?php
/** Downloads, zip files and plugin headers for building the image. Any error prints one line and exits with 1. */

declare(strict_types=1);

set_error_handler(static function (int $level, string $said): never {
    throw new ErrorException($said, severity: $level);
});
set_exception_handler(static function (Throwable $error): never {
    fwrite(STDERR, "ERROR: {$error->getMessage()}\n");
    exit(1);
});

/** Returns the path of a temporary file. */
function download(string $url): string
{
    echo "Fetching {$url}\n";
    $file = tempnam('/tmp', 'fetched');
    copy($url, $file, stream_context_create(['http' => ['timeout' => 120, 'user_agent' => 'storefleet-build']]));
    return $file;
}

/** `$name`: of the zip file in error messages. `$member`: a file that it must contain. */
function unpack_zip(string $zip, string $folder, string $name, ?string $member = null): void
{
    $archive = new ZipArchive();
    $opened = $archive->open($zip, ZipArchive::RDONLY | ZipArchive::CHECKCONS);
    if ($opened !== true || ($member !== null && $archive->locateName($member) === false)) {
        throw new RuntimeException("{$name} is no zip file" . ($member === null ? '' : " with {$member} in it"));
    }
    if (!$archive->extractTo($folder)) {
        throw new RuntimeException("{$name} can't be unpacked into {$folder}");
    }
}

/** @return array<string, string> header fields from the first comment of a plugin's main file */
function plugin_headers(string $text): array
{
    preg_match_all('/^[ \t\/*#@]*(Version|Requires at least|Requires PHP):\s*(\S+)/m', substr($text, 0, 8192), $found);
    return array_combine($found[1], $found[2]) + ['Version' => '0', 'Requires at least' => '0', 'Requires PHP' => '0'];
}

function core_version(string $wordpress): string
{
    preg_match('/\$wp_version\s*=\s*\'([^\']+)\'/', file_get_contents("{$wordpress}/wp-includes/version.php"), $found);
    return $found[1] ?? throw new RuntimeException("{$wordpress} is no WordPress: its version.php names no version");
}
