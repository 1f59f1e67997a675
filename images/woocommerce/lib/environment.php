<?php
/** The environment variables that the platform sets, validated in a program's first step. */

declare(strict_types=1);

namespace Storefleet;

/** Throws UserError if it is absent or empty. */
function required_env(string $name): string
{
    return optional_env($name) ?? throw new UserError("The variable {$name} is not set: the platform has to give it.");
}

/** Null if it is absent or empty. */
function optional_env(string $name): ?string
{
    $value = getenv($name);
    return $value === false || $value === '' ? null : $value;
}

/** One of the choices; the first is the default. */
function choice_env(string $name, string ...$choices): string
{
    $value = optional_env($name) ?? $choices[0];
    return in_array($value, $choices, true)
        ? $value
        : throw new UserError("{$name} is neither " . implode(' nor ', $choices) . '.');
}

/** One line of valid UTF-8: WordPress would store line breaks, and drop invalid characters. */
function store_title(): string
{
    $line = (string) preg_replace('/[\s\p{Cc}]+/u', ' ', mb_scrub(required_env('STORE_TITLE'), 'UTF-8'));
    return trim($line);
}

/** Trimmed, because WordPress trims the password at sign-in. */
function admin_password(): string
{
    $password = trim(required_env('STORE_ADMIN_PASSWORD'));
    return $password !== '' ? $password : throw new UserError('STORE_ADMIN_PASSWORD has nothing but spaces.');
}

/** With the domain in ASCII: WordPress would silently drop the umlauts of `bücher.example`. */
function admin_email(): string
{
    $email = trim(required_env('STORE_ADMIN_EMAIL'));
    [$user, $domain] = array_pad(explode('@', $email, 2), 2, '');
    $ascii = preg_match('/[^\x20-\x7e]/', $domain) ? domain_to_ascii($domain) : $domain;
    $address = "{$user}@{$ascii}";
    return filter_var($address, FILTER_VALIDATE_EMAIL) !== false
        ? $address
        : throw new UserError("STORE_ADMIN_EMAIL is no e-mail address that WordPress can keep: {$email}");
}

function domain_to_ascii(string $domain): string
{
    $ascii = function_exists('idn_to_ascii') ? idn_to_ascii($domain, IDNA_NONTRANSITIONAL_TO_ASCII) : false;
    return $ascii === false ? '' : $ascii;
}

/** A WordPress locale, such as de_DE. Throws UserError if files of the language are missing in the image. */
function store_locale(): string
{
    $locale = optional_env('STORE_LOCALE') ?? 'en_US';
    if (!preg_match('/^[a-z]{2,3}(_[A-Za-z0-9]{2,10})*$/D', $locale)) {
        throw new UserError('STORE_LOCALE must be a language of WordPress\'s, such as de_DE.');
    }
    $parts = ['WordPress' => ''];
    if (is_dir(WORDPRESS . '/wp-content/plugins/woocommerce')) {
        $parts['WooCommerce'] = 'plugins/woocommerce-';
    }
    foreach ($locale === 'en_US' ? [] : $parts as $of => $file) {
        $files = WORDPRESS . "/wp-content/languages/{$file}{$locale}";
        if (!is_file("{$files}.mo") && !is_file("{$files}.l10n.php")) {
            $remedy = "build it with LANGUAGES=\"{$locale}\", then retry.";
            throw new UserError("This image has no language files of {$of} for {$locale}: {$remedy}");
        }
    }
    return $locale;
}

/** @return array{string, string} country (ISO 3166-1 alpha-2) and currency (ISO 4217) */
function country_and_currency(): array
{
    [$country, $currency] = [required_env('STORE_COUNTRY'), required_env('STORE_CURRENCY')];
    if (!preg_match('/^[A-Z]{2}$/', $country) || !preg_match('/^[A-Z]{3}$/', $currency)) {
        throw new UserError('STORE_COUNTRY must be two capital letters and STORE_CURRENCY three.');
    }
    return [$country, $currency];
}
