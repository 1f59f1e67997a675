<?php
/** What makes WooCommerce a shop that sells: its settings, its front page, something to sell. */

declare(strict_types=1);

namespace Storefleet;

use WC_Product_Simple;

const SAMPLE = 'storefleet-sample';

/** In one transaction: a product that is half saved can't be found by its SKU, and would be made twice. */
function set_up_shop(string $setup): void
{
    update_option('blogname', escaped(title()));
    foreach (settings() as $name => $value) {
        update_option($name, $value);
    }
    open_front_page();
    take_cash_on_delivery();
    if ($setup === 'ready') {
        skip_wizard();
    }
    if (wc_get_product_id_by_sku(SAMPLE) === 0) {
        add_sample();
    }
}

/** @return array<string, string> */
function settings(): array
{
    [$country, $currency] = market();
    return [
        'woocommerce_coming_soon' => 'no',
        'woocommerce_store_pages_only' => 'no',
        'woocommerce_default_country' => $country,
        'woocommerce_currency' => $currency,
        'woocommerce_allow_tracking' => 'no',
        'woocommerce_show_marketplace_suggestions' => 'no',
    ];
}

/** Who comes to a shop wants to see what it sells. */
function open_front_page(): void
{
    update_option('show_on_front', 'page');
    update_option('page_on_front', wc_get_page_id('shop'));
}

/** Also for what isn't shipped. */
function take_cash_on_delivery(): void
{
    $wanted = ['enabled' => 'yes', 'enable_for_virtual' => 'yes', 'enable_for_methods' => []];
    update_option('woocommerce_cod_settings', $wanted + (array) get_option('woocommerce_cod_settings', []));
}

/** Without this WooCommerce's own wizard greets the merchant. */
function skip_wizard(): void
{
    update_option('woocommerce_onboarding_profile', ['skipped' => true]);
    update_option('woocommerce_task_list_hidden', 'yes');
    delete_transient('_wc_activation_redirect');
}

function add_sample(): void
{
    $product = new WC_Product_Simple();
    $product->set_name('Sample product');
    $product->set_sku(SAMPLE);
    $product->set_slug(SAMPLE);
    $product->set_regular_price('10');
    $product->set_virtual(true);
    $product->set_short_description('Shows how a product looks. Change it, or delete it.');
    $product->set_status('publish');
    $product->save();
}

/**
 * What isn't as it should be, in words; empty when the shop sells.
 *
 * @return list<string>
 */
function faults(): array
{
    $cash = get_option('woocommerce_cod_settings');
    $sample = wc_get_product(wc_get_product_id_by_sku(SAMPLE));
    $faults = [
        'cash on delivery is off' => ($cash['enabled'] ?? '') !== 'yes',
        'the sample product can\'t be bought' => !$sample || !$sample->is_purchasable() || !$sample->is_in_stock(),
        'its title is another' => wp_specialchars_decode((string) get_option('blogname'), ENT_QUOTES) !== title(),
    ];
    foreach (settings() as $name => $value) {
        $faults["{$name} is not {$value}"] = get_option($name) !== $value;
    }
    return array_keys(array_filter($faults));
}
