<?php
/** Configures WooCommerce as a shop that can sell: options, payment, shipping. */

declare(strict_types=1);

namespace Storefleet;

use WC_Shipping_Zone;
use WC_Shipping_Zones;

use function Storefleet\MuPlugin\bundled_theme;

/** Call it in a transaction: a half-saved product has no SKU yet, and the next run would create a second one. */
function configure_shop(string $setup): void
{
    update_option('blogname', escape_title(store_title()));
    foreach (shop_options() as $name => $value) {
        update_option($name, $value);
    }
    update_option('gmt_offset', '');
    enable_payment();
    add_shipping_zone();
    if ($setup === 'ready') {
        skip_onboarding();
    } else {
        // WooCommerce's own lasts half a minute; the first page of the dashboard deletes it
        set_transient('_wc_activation_redirect', 1);
    }
    create_storefront();
}

/** @return array<string, mixed> */
function shop_options(): array
{
    [$country, $currency] = country_and_currency();
    return [
        'woocommerce_coming_soon' => 'no',
        'woocommerce_store_pages_only' => 'no',
        'woocommerce_default_country' => $country,
        'woocommerce_currency' => $currency,
        'woocommerce_allow_tracking' => 'no',
        'woocommerce_show_marketplace_suggestions' => 'no',
        'timezone_string' => time_zone($country),
        ...locale_options($country, $currency),
        ...tax_options($country),
        // the owner has no tariff for other countries yet; what needs no shipping is sold everywhere
        'woocommerce_ship_to_countries' => 'specific',
        'woocommerce_specific_ship_to_countries' => [$country],
    ];
}

/** Cash on delivery, also for virtual products, and bank transfer, which shoppers see when there is an account. */
function enable_payment(): void
{
    foreach ([
        'cod' => ['enabled' => 'yes', 'enable_for_virtual' => 'yes', 'enable_for_methods' => []],
        'bacs' => ['enabled' => 'yes'],
    ] as $gateway => $settings) {
        $option = "woocommerce_{$gateway}_settings";
        update_option($option, $settings + (array) get_option($option, []));
    }
}

/** Free shipping in the shop's country: as WooCommerce's own setup does. */
function add_shipping_zone(): void
{
    [$country] = country_and_currency();
    $name = WC()->countries->get_countries()[$country] ?? $country;
    if (WC_Shipping_Zones::get_zones() !== []) {
        return;
    }
    $zone = new WC_Shipping_Zone();
    $zone->set_zone_name(html_entity_decode($name, ENT_QUOTES));
    $zone->add_location($country, 'country');
    $zone->save();
    $zone->add_shipping_method('free_shipping');
}

/** Without this, WooCommerce's setup wizard opens at the first sign-in. */
function skip_onboarding(): void
{
    update_option('woocommerce_onboarding_profile', ['skipped' => true]);
    delete_transient('_wc_activation_redirect');
}

/** @return list<string> what is wrong with the configuration; empty if the shop can sell */
function shop_errors(): array
{
    $cash = get_option('woocommerce_cod_settings');
    $sample = wc_get_product(wc_get_product_id_by_sku(SAMPLE_SKU));
    $errors = [
        'cash on delivery is off' => ($cash['enabled'] ?? '') !== 'yes',
        'the sample product can\'t be bought' => !$sample || !$sample->is_purchasable() || !$sample->is_in_stock(),
        'there is no home page' => get_post_status((int) get_option('page_on_front')) !== 'publish',
        'there is no logo' => !is_file((string) get_attached_file((int) get_option('site_logo'))),
        'its theme is another' => get_option('stylesheet') !== bundled_theme('stylesheet'),
        'its title is another' => wp_specialchars_decode((string) get_option('blogname'), ENT_QUOTES) !== store_title(),
    ];
    foreach (shop_options() as $name => $value) {
        $errors["{$name} is not " . json_encode($value)] = get_option($name) !== $value;
    }
    return array_keys(array_filter($errors));
}
