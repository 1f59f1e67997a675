<?php
/** What the platform tells a program, checked before anything happens. */

declare(strict_types=1);

namespace Storefleet;

/** An environment variable that has to be there. */
function required(string $name): string
{
    return given($name) ?? throw new Problem("The variable {$name} is not set: the platform has to give it.");
}

/** An environment variable, or null where it is absent or empty. */
function given(string $name): ?string
{
    $value = getenv($name);
    return $value === false || $value === '' ? null : $value;
}

/** One of some words. */
function chosen(string $name, string ...$words): string
{
    $value = given($name) ?? $words[0];
    return in_array($value, $words, true)
        ? $value
        : throw new Problem("{$name} is neither " . implode(' nor ', $words) . '.');
}

/** One line of any language, as WordPress can keep it: it would store line breaks and lose broken characters. */
function title(): string
{
    $line = (string) preg_replace('/[\s\p{Cc}]+/u', ' ', mb_scrub(required('STORE_TITLE'), 'UTF-8'));
    return trim($line);
}

/** As whoever signs in will give it: WordPress takes the spaces around a password away there. */
function admin_password(): string
{
    $password = trim(required('STORE_ADMIN_PASSWORD'));
    return $password !== '' ? $password : throw new Problem('STORE_ADMIN_PASSWORD has nothing but spaces.');
}

/**
 * The owner's address in the form that mail and WordPress know: WordPress would silently drop the umlauts of
 * `bücher.example`, and put another address where it finds none.
 */
function admin_email(): string
{
    $given = trim(required('STORE_ADMIN_EMAIL'));
    [$user, $domain] = array_pad(explode('@', $given, 2), 2, '');
    $ascii = preg_match('/[^\x20-\x7e]/', $domain) ? idn($domain) : $domain;
    $address = "{$user}@{$ascii}";
    return filter_var($address, FILTER_VALIDATE_EMAIL) !== false
        ? $address
        : throw new Problem("STORE_ADMIN_EMAIL is no e-mail address that WordPress can keep: {$given}");
}

function idn(string $domain): string
{
    $ascii = function_exists('idn_to_ascii') ? idn_to_ascii($domain, IDNA_NONTRANSITIONAL_TO_ASCII) : false;
    return $ascii === false ? '' : $ascii;
}

/** The shop's language, as WordPress names it; the image has to have its files. */
function locale(): string
{
    $locale = given('STORE_LOCALE') ?? 'en_US';
    if (!preg_match('/^[a-z]{2,3}(_[A-Za-z0-9]{2,10})*$/D', $locale)) {
        throw new Problem('STORE_LOCALE must be a language of WordPress\'s, such as de_DE.');
    }
    $files = WORDPRESS . "/wp-content/languages/{$locale}";
    if ($locale !== 'en_US' && !is_file("{$files}.mo") && !is_file("{$files}.l10n.php")) {
        throw new Problem("This image doesn't speak {$locale}: build it with LANGUAGES=\"{$locale}\", then retry.");
    }
    return $locale;
}

/** @return array{string, string} country and currency, as ISO 3166-1 alpha-2 and ISO 4217 have them */
function market(): array
{
    [$country, $currency] = [required('STORE_COUNTRY'), required('STORE_CURRENCY')];
    if (!preg_match('/^[A-Z]{2}$/', $country) || !preg_match('/^[A-Z]{3}$/', $currency)) {
        throw new Problem('STORE_COUNTRY must be two capital letters and STORE_CURRENCY three.');
    }
    return [$country, $currency];
}
