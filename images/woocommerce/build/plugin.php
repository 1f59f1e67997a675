<?php
/**
 * Adds WooCommerce to a WordPress when the image is built. Fails if their versions are incompatible.
 *
 *     php plugin.php WORDPRESS VERSION SHA256 [ZIP]
 *
 * Without ZIP it is downloaded from wordpress.org. SHA256 may be empty. VERSION `none` leaves it out: then no shop can
 * be installed, and install.php says why.
 */

declare(strict_types=1);

const DOWNLOAD_URL = 'https://downloads.wordpress.org/plugin/woocommerce.%s.zip';

require __DIR__ . '/sources.php';

[, $wordpress, $version, $sha256, $zip] = [...$argv, ''];
if ($version === 'none') {
    echo "No WooCommerce\n";
    exit(0);
}
$name = $zip === '' ? sprintf(DOWNLOAD_URL, $version) : basename($zip);
$zip = $zip === '' ? download($name) : $zip;
verify_sha256(hash_file('sha256', $zip), strtolower(trim($sha256)));
unpack_zip($zip, "{$wordpress}/wp-content/plugins", $name, 'woocommerce/woocommerce.php');
$plugin = plugin_headers(file_get_contents("{$wordpress}/wp-content/plugins/woocommerce/woocommerce.php"));
require_compatible_versions($plugin, core_version($wordpress));
echo "WooCommerce {$plugin['Version']}\n";

function verify_sha256(string $actual, string $expected): void
{
    echo "sha256 {$actual}\n";
    if ($expected !== '' && !hash_equals($expected, $actual)) {
        throw new RuntimeException("the plugin's SHA-256 is {$actual}, but WOOCOMMERCE_SHA256 asks for {$expected}");
    }
}

/** @param array<string, string> $plugin */
function require_compatible_versions(array $plugin, string $core): void
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
