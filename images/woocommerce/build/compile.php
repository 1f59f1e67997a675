<?php
/**
 * Compiles a folder into the opcache file cache, /var/www/html without its own folders. One process per folder: opcache
 * keeps all in memory.
 */

declare(strict_types=1);

/** Neither pages of a shop nor the image's programs load these. */
const UNUSED_FOLDERS = '~/(sodium_compat|ID3|SimplePie|php-ai-client|opis|email-editor|Text)/~';

$folder = PHP_SAPI === 'cli' ? $argv[1] : $_SERVER['QUERY_STRING'];
$files = $folder === '/var/www/html'
    ? new FilesystemIterator($folder)
    : new RecursiveIteratorIterator(new RecursiveDirectoryIterator($folder));
$compiled = 0;
foreach ($files as $file) {
    if (str_ends_with((string) $file, '.php') && !preg_match(UNUSED_FOLDERS, (string) $file)) {
        $compiled += (int) @opcache_compile_file((string) $file);
    }
}
echo PHP_SAPI, ": {$compiled} files of {$folder} compiled\n";
if ($compiled === 0) {
    exit(1);
}
