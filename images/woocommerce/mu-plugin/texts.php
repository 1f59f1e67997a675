<?php
/** Translations of the platform's own texts: of a new shop's pages, and of notices in the dashboard. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

const LANGUAGES = '/opt/storefleet/languages';

add_action('init', static fn () => load_texts(determine_locale()), 1);
add_action('change_locale', __NAMESPACE__ . '\load_texts');

/** The language of a locale, without its country: `de` for de_AT. */
function language(string $locale): string
{
    return strtok($locale, '_');
}

function load_texts(string $locale): void
{
    unload_textdomain('storefleet', true);
    load_textdomain('storefleet', LANGUAGES . '/' . language($locale) . '.mo', $locale);
}

/**
 * Whether there are texts in the language of the shop. If not, its pages have only texts that WordPress and WooCommerce
 * translate: a visitor doesn't see two languages.
 */
function has_texts(): bool
{
    $language = language(get_locale());
    return $language === 'en' || is_file(LANGUAGES . "/{$language}.l10n.php");
}
