<?php
/** What builds an image from others' archives: a plain end on any error, and what the archives say of themselves. */

declare(strict_types=1);

set_error_handler(static function (int $level, string $said): never {
    throw new ErrorException($said, severity: $level);
});
set_exception_handler(static function (Throwable $error): never {
    fwrite(STDERR, "ERROR: {$error->getMessage()}\n");
    exit(1);
});

/** Into a file, whose name is returned. */
function fetch(string $url): string
{
    echo "Fetching {$url}\n";
    $file = tempnam('/tmp', 'fetched');
    copy($url, $file, stream_context_create(['http' => ['timeout' => 120, 'user_agent' => 'storefleet-build']]));
    return $file;
}

/** A zip file that has to hold that one, if any. */
function unpack_zip(string $zip, string $into, string $name, ?string $member = null): void
{
    $archive = new ZipArchive();
    $opened = $archive->open($zip, ZipArchive::RDONLY | ZipArchive::CHECKCONS);
    if ($opened !== true || ($member !== null && $archive->locateName($member) === false)) {
        throw new RuntimeException("{$name} is no zip file" . ($member === null ? '' : " with {$member} in it"));
    }
    if (!$archive->extractTo($into)) {
        throw new RuntimeException("{$name} can't be unpacked into {$into}");
    }
}

/** @return array<string, string> what a plugin says of itself at the top of its file */
function headers(string $text): array
{
    preg_match_all('/^[ \t\/*#@]*(Version|Requires at least|Requires PHP):\s*(\S+)/m', substr($text, 0, 8192), $found);
    return array_combine($found[1], $found[2]) + ['Version' => '0', 'Requires at least' => '0', 'Requires PHP' => '0'];
}

function core_version(string $wordpress): string
{
    preg_match('/\$wp_version\s*=\s*\'([^\']+)\'/', file_get_contents("{$wordpress}/wp-includes/version.php"), $found);
    return $found[1] ?? throw new RuntimeException("{$wordpress} is no WordPress: its version.php names no version");
}
