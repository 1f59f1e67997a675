<?php
/**
 * Puts the language files of WordPress and WooCommerce into a WordPress. Runs when the image is built.
 *
 *     php languages.php WORDPRESS 'de_DE ar'
 *
 * They come from where WordPress itself fetches them. A language that WordPress doesn't have fails the build; where
 * WooCommerce lacks it, its words stay English. Whatever language files the base has stay.
 */

declare(strict_types=1);

require __DIR__ . '/sources.php';

const PLACE = 'https://api.wordpress.org/translations/%s/1.0/?%s';

[, $wordpress, $wanted] = $argv;
$core = core_version($wordpress);
$plugin = "{$wordpress}/wp-content/plugins/woocommerce/woocommerce.php";
foreach (preg_split('/\s+/', $wanted, flags: PREG_SPLIT_NO_EMPTY) as $locale) {
    $folder = "{$wordpress}/wp-content/languages";
    if (!add($locale, 'core', ['version' => $core], $folder)) {
        throw new RuntimeException("WordPress {$core} has no language {$locale}: choose others with LANGUAGES");
    }
    if (is_file($plugin)) {
        $version = headers(file_get_contents($plugin))['Version'];
        if (!add($locale, 'plugins', ['slug' => 'woocommerce', 'version' => $version], "{$folder}/plugins")) {
            echo "WooCommerce {$version} has no {$locale}: its words stay English\n";
        }
    }
}

/** @param array<string, string> $what of which package; whether there is one in that language */
function add(string $locale, string $kind, array $what, string $into): bool
{
    $place = sprintf(PLACE, $kind, http_build_query($what));
    $listed = json_decode(file_get_contents(fetch($place)), true)['translations'] ?? null;
    if (!is_array($listed)) {
        throw new RuntimeException("{$place} has no list of translations");
    }
    foreach ($listed as $translation) {
        if ($translation['language'] === $locale) {
            is_dir($into) || mkdir($into, recursive: true);
            unpack_zip(fetch($translation['package']), $into, $translation['package']);
            return true;
        }
    }
    return false;
}
