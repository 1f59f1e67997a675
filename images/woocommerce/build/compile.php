<?php
/** Compiles a folder of WordPress into the file cache. A whole process for each: it keeps all it has compiled. */

declare(strict_types=1);

/** What no page of a shop and no program of ours loads. */
const UNUSED = '~/(sodium_compat|ID3|SimplePie|php-ai-client|opis|email-editor|Text)/~';

$folder = PHP_SAPI === 'cli' ? $argv[1] : $_SERVER['QUERY_STRING'];
$files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator("/var/www/html/{$folder}"));
$compiled = 0;
foreach ($files as $file) {
    if (str_ends_with((string) $file, '.php') && !preg_match(UNUSED, (string) $file)) {
        $compiled += (int) @opcache_compile_file((string) $file);
    }
}
echo PHP_SAPI, ": {$compiled} files of {$folder} compiled\n";
if ($compiled === 0) {
    exit(1);
}
