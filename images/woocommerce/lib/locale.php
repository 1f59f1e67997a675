<?php
/** Money format, units and time zone of a shop's country. */

declare(strict_types=1);

namespace Storefleet;

use DateTimeZone;

/** Where the first time zone of a country, by name, isn't the one of most people. */
const MAIN_TIME_ZONES = [
    'AU' => 'Australia/Sydney', 'BR' => 'America/Sao_Paulo', 'CA' => 'America/Toronto', 'CL' => 'America/Santiago',
    'CY' => 'Asia/Nicosia', 'ES' => 'Europe/Madrid', 'FM' => 'Pacific/Pohnpei', 'GL' => 'America/Nuuk',
    'KI' => 'Pacific/Tarawa', 'KZ' => 'Asia/Almaty', 'MH' => 'Pacific/Majuro', 'MN' => 'Asia/Ulaanbaatar',
    'MX' => 'America/Mexico_City', 'PF' => 'Pacific/Tahiti', 'PG' => 'Pacific/Port_Moresby', 'PT' => 'Europe/Lisbon',
    'RU' => 'Europe/Moscow', 'US' => 'America/New_York', 'UZ' => 'Asia/Tashkent',
];

/** @return array<string, string> option => value, from WooCommerce's own data; empty for a country that it lacks */
function locale_options(string $country, string $currency): array
{
    $locales = include WC()->plugin_path() . '/i18n/locale-info.php';
    $locale = $locales[$country] ?? null;
    if ($locale === null) {
        return [];
    }
    // how many decimals there are depends on the currency
    $currencies = array_column($locales, 'num_decimals', 'currency_code');
    return [
        'woocommerce_currency_pos' => $locale['currency_pos'],
        'woocommerce_price_thousand_sep' => $locale['thousand_sep'],
        'woocommerce_price_decimal_sep' => $locale['decimal_sep'],
        'woocommerce_price_num_decimals' => (string) ($currencies[$currency] ?? 2),
        'woocommerce_weight_unit' => $locale['weight_unit'],
        'woocommerce_dimension_unit' => $locale['dimension_unit'],
    ];
}

/** A named zone: an offset would be wrong for half of the year. */
function time_zone(string $country): string
{
    $zones = DateTimeZone::listIdentifiers(DateTimeZone::PER_COUNTRY, $country);
    return MAIN_TIME_ZONES[$country] ?? $zones[0] ?? 'UTC';
}

/**
 * How prices are shown. WooCommerce has no tax rates: taxes stay off until the owner enters one.
 *
 * @return array<string, string> option => value
 */
function tax_options(string $country): array
{
    $included = in_array($country, [...WC()->countries->get_vat_countries(), 'AU', 'CH', 'JP', 'LI', 'NZ', 'SG'], true);
    return [
        'woocommerce_prices_include_tax' => $included ? 'yes' : 'no',
        'woocommerce_tax_display_shop' => $included ? 'incl' : 'excl',
        'woocommerce_tax_display_cart' => $included ? 'incl' : 'excl',
        'woocommerce_tax_total_display' => $included ? 'single' : 'itemized',
    ];
}
