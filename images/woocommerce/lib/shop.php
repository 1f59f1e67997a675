<?php
/** Configures WooCommerce as a shop that can sell: options, front page, payment, a sample product. */

declare(strict_types=1);

namespace Storefleet;

use WC_Product_Simple;

const SAMPLE_SKU = 'storefleet-sample';

/** Call it in a transaction: a half-saved product has no SKU yet, and the next run would create a second one. */
function configure_shop(string $setup): void
{
    update_option('blogname', escape_title(store_title()));
    foreach (shop_options() as $name => $value) {
        update_option($name, $value);
    }
    update_option('gmt_offset', '');
    use_shop_as_front_page();
    enable_cash_on_delivery();
    if ($setup === 'ready') {
        skip_onboarding();
    } else {
        // WooCommerce's own lasts half a minute; the first page of the dashboard deletes it
        set_transient('_wc_activation_redirect', 1);
    }
    if (wc_get_product_id_by_sku(SAMPLE_SKU) === 0) {
        add_sample_product();
    }
}

/** @return array<string, string> */
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
    ];
}

/** The front page shows the shop's products. */
function use_shop_as_front_page(): void
{
    update_option('show_on_front', 'page');
    update_option('page_on_front', wc_get_page_id('shop'));
}

/** Also for virtual products. */
function enable_cash_on_delivery(): void
{
    $settings = ['enabled' => 'yes', 'enable_for_virtual' => 'yes', 'enable_for_methods' => []];
    update_option('woocommerce_cod_settings', $settings + (array) get_option('woocommerce_cod_settings', []));
}

/** Without this, WooCommerce's setup wizard opens at the first sign-in, and a notice counts its steps. */
function skip_onboarding(): void
{
    update_option('woocommerce_onboarding_profile', ['skipped' => true]);
    update_option('woocommerce_task_list_hidden', 'yes');
    update_option('woocommerce_task_list_hidden_lists', ['setup', 'extended']);
    delete_transient('_wc_activation_redirect');
}

function add_sample_product(): void
{
    $product = new WC_Product_Simple();
    $product->set_name('Sample product');
    $product->set_sku(SAMPLE_SKU);
    $product->set_slug(SAMPLE_SKU);
    $product->set_regular_price('10');
    $product->set_virtual(true);
    $product->set_short_description('Shows how a product looks. Change it, or delete it.');
    $product->set_status('publish');
    $product->save();
}

/** @return list<string> what is wrong with the configuration; empty if the shop can sell */
function shop_errors(): array
{
    $cash = get_option('woocommerce_cod_settings');
    $sample = wc_get_product(wc_get_product_id_by_sku(SAMPLE_SKU));
    $errors = [
        'cash on delivery is off' => ($cash['enabled'] ?? '') !== 'yes',
        'the sample product can\'t be bought' => !$sample || !$sample->is_purchasable() || !$sample->is_in_stock(),
        'its title is another' => wp_specialchars_decode((string) get_option('blogname'), ENT_QUOTES) !== store_title(),
    ];
    foreach (shop_options() as $name => $value) {
        $errors["{$name} is not {$value}"] = get_option($name) !== $value;
    }
    return array_keys(array_filter($errors));
}
