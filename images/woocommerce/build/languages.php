<?php
/**
 * Downloads language files of WordPress and WooCommerce when the image is built.
 *
 *     php languages.php WORDPRESS 'de_DE ar'
 *
 * The source is WordPress' translations API. A locale that WordPress or WooCommerce don't have fails the build: a shop
 * in two languages helps nobody. Language files of the base image stay.
 */

declare(strict_types=1);

require __DIR__ . '/sources.php';

const DOWNLOAD_URL = 'https://api.wordpress.org/translations/%s/1.0/?%s';

[, $wordpress, $locales] = $argv;
$core = core_version($wordpress);
$plugin = "{$wordpress}/wp-content/plugins/woocommerce/woocommerce.php";
foreach (preg_split('/\s+/', $locales, flags: PREG_SPLIT_NO_EMPTY) as $locale) {
    $folder = "{$wordpress}/wp-content/languages";
    if (!install_language($locale, 'core', ['version' => $core], $folder)) {
        throw new RuntimeException("WordPress {$core} has no language {$locale}: choose others with LANGUAGES");
    }
    if (is_file($plugin)) {
        $version = plugin_headers(file_get_contents($plugin))['Version'];
        $query = ['slug' => 'woocommerce', 'version' => $version];
        if (!install_language($locale, 'plugins', $query, "{$folder}/plugins")) {
            throw new RuntimeException(
                "WooCommerce {$version} has no language {$locale}: choose others with LANGUAGES",
            );
        }
    }
}

/** @param array<string, string> $query which package; returns whether there is a translation */
function install_language(string $locale, string $kind, array $query, string $folder): bool
{
    $url = sprintf(DOWNLOAD_URL, $kind, http_build_query($query));
    $translations = json_decode(file_get_contents(download($url)), true)['translations'] ?? null;
    if (!is_array($translations)) {
        throw new RuntimeException("{$url} has no list of translations");
    }
    foreach ($translations as $translation) {
        if ($translation['language'] === $locale) {
            is_dir($folder) || mkdir($folder, recursive: true);
            unpack_zip(download($translation['package']), $folder, $translation['package']);
            return true;
        }
    }
    return false;
}
