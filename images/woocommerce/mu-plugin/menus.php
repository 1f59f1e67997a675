<?php
/** The menus of a new shop's header and footer. A link to a page exists while the page is published. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

/** Menu => its pages. WordPress' and WooCommerce's own settings name the pages. */
const MENUS = [
    'header' => ['shop'],
    'footer' => ['shop', 'myaccount', 'cart', 'terms', 'privacy', 'refund_returns', 'imprint'],
];

/** 0 if there is no such page. */
function page_id(string $page): int
{
    return match ($page) {
        'privacy' => (int) get_option('wp_page_for_privacy_policy'),
        'imprint' => (int) get_option('storefleet_imprint_page_id'),
        default => function_exists('wc_get_page_id') ? max(0, wc_get_page_id($page)) : 0,
    };
}

/** The address of a published page without scheme and host: those may change. The home page's if there is none. */
function page_path(string $page): string
{
    $id = page_id($page);
    return $id > 0 && get_post_status($id) === 'publish' ? wp_make_link_relative((string) get_permalink($id)) : '/';
}

/** Blocks of the navigation block: one for each published page. The titles are those of the pages. */
function shop_menu(string $menu): string
{
    $blocks = [];
    $ids = array_filter(array_map(page_id(...), MENUS[$menu]));
    // one query for all
    _prime_post_caches($ids, false, false);
    foreach ($ids as $id) {
        if (get_post_status($id) === 'publish') {
            $link = ['label' => get_the_title($id), 'type' => 'page', 'id' => $id, 'kind' => 'post-type'];
            $blocks[] = navigation_link($link + ['url' => wp_make_link_relative((string) get_permalink($id))]);
        }
    }
    if ($menu === 'header' && has_texts()) {
        $blocks[] = navigation_link(['label' => __('How to order', 'storefleet'), 'url' => '/#how-to-order']);
    }
    return implode("\n", $blocks);
}

/** @param array<string, mixed> $attributes */
function navigation_link(array $attributes): string
{
    return '<!-- wp:navigation-link ' . serialize_block_attributes($attributes) . ' /-->';
}
