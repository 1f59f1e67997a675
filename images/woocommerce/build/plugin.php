<?php
/**
 * Puts WooCommerce into a WordPress, or says why they don't fit. Runs when the image is built.
 *
 *     php plugin.php WORDPRESS VERSION SHA256 [ZIP]
 *
 * Without ZIP it is fetched from its official place. SHA256 may be empty. VERSION `none` leaves it out: installing a
 * shop then fails, and says why.
 */

declare(strict_types=1);

const PLACE = 'https://downloads.wordpress.org/plugin/woocommerce.%s.zip';

set_error_handler(static function (int $level, string $said): never {
    throw new ErrorException($said, severity: $level);
});
set_exception_handler(static function (Throwable $error): never {
    fwrite(STDERR, "ERROR: {$error->getMessage()}\n");
    exit(1);
});

[, $wordpress, $version, $sha256, $zip] = [...$argv, ''];
if ($version === 'none') {
    echo "No WooCommerce\n";
    exit(0);
}
$zip = $zip === '' ? fetch(sprintf(PLACE, $version)) : $zip;
compare(hash_file('sha256', $zip), strtolower(trim($sha256)));
unpack_plugin($zip, "{$wordpress}/wp-content/plugins");
$plugin = headers(file_get_contents("{$wordpress}/wp-content/plugins/woocommerce/woocommerce.php"));
fit($plugin, core_version("{$wordpress}/wp-includes/version.php"));
echo "WooCommerce {$plugin['Version']}\n";

function fetch(string $url): string
{
    echo "Fetching {$url}\n";
    $file = '/tmp/woocommerce.zip';
    copy($url, $file, stream_context_create(['http' => ['timeout' => 120, 'user_agent' => 'storefleet-build']]));
    return $file;
}

function compare(string $found, string $wanted): void
{
    echo "sha256 {$found}\n";
    if ($wanted !== '' && !hash_equals($wanted, $found)) {
        throw new RuntimeException("the plugin's SHA-256 is {$found}, but WOOCOMMERCE_SHA256 asks for {$wanted}");
    }
}

function unpack_plugin(string $zip, string $into): void
{
    $archive = new ZipArchive();
    $opened = $archive->open($zip, ZipArchive::RDONLY | ZipArchive::CHECKCONS);
    if ($opened !== true || $archive->locateName('woocommerce/woocommerce.php') === false) {
        throw new RuntimeException(basename($zip) . ' is no zip file with woocommerce/woocommerce.php in it');
    }
    if (!$archive->extractTo($into)) {
        throw new RuntimeException("{$zip} can't be unpacked into {$into}");
    }
}

/** @return array<string, string> what a plugin says of itself at the top of its file */
function headers(string $text): array
{
    preg_match_all('/^[ \t\/*#@]*(Version|Requires at least|Requires PHP):\s*(\S+)/m', substr($text, 0, 8192), $found);
    return array_combine($found[1], $found[2]) + ['Version' => '0', 'Requires at least' => '0', 'Requires PHP' => '0'];
}

function core_version(string $file): string
{
    preg_match('/\$wp_version\s*=\s*\'([^\']+)\'/', file_get_contents($file), $found);
    return $found[1];
}

/** @param array<string, string> $plugin */
function fit(array $plugin, string $core): void
{
    if (version_compare($core, $plugin['Requires at least'], '<')) {
        throw new RuntimeException(
            "WooCommerce {$plugin['Version']} requires WordPress {$plugin['Requires at least']} or newer, but BASE has "
            . "WordPress {$core}: choose an older WOOCOMMERCE_VERSION or WOOCOMMERCE_ZIP, or a newer BASE",
        );
    }
    if (version_compare(PHP_VERSION, $plugin['Requires PHP'], '<')) {
        throw new RuntimeException(
            "WooCommerce {$plugin['Version']} requires PHP {$plugin['Requires PHP']} or newer, but BASE has "
            . PHP_VERSION,
        );
    }
}
