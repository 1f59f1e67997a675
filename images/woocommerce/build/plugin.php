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

require __DIR__ . '/sources.php';

[, $wordpress, $version, $sha256, $zip] = [...$argv, ''];
if ($version === 'none') {
    echo "No WooCommerce\n";
    exit(0);
}
$name = $zip === '' ? sprintf(PLACE, $version) : basename($zip);
$zip = $zip === '' ? fetch($name) : $zip;
compare(hash_file('sha256', $zip), strtolower(trim($sha256)));
unpack_zip($zip, "{$wordpress}/wp-content/plugins", $name, 'woocommerce/woocommerce.php');
$plugin = headers(file_get_contents("{$wordpress}/wp-content/plugins/woocommerce/woocommerce.php"));
fit($plugin, core_version($wordpress));
echo "WooCommerce {$plugin['Version']}\n";

function compare(string $found, string $wanted): void
{
    echo "sha256 {$found}\n";
    if ($wanted !== '' && !hash_equals($wanted, $found)) {
        throw new RuntimeException("the plugin's SHA-256 is {$found}, but WOOCOMMERCE_SHA256 asks for {$wanted}");
    }
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
