<?php
/** The theme of a new shop, a child of the image's default theme. Its texts and menus come from the must-use plugin. */

declare(strict_types=1);

defined('ABSPATH') || exit;

// inline: one request less, and the first paint doesn't wait for it
add_action('wp_enqueue_scripts', static function (): void {
    $css = (string) file_get_contents(__DIR__ . '/style.css');
    wp_register_style('storefleet', false);
    wp_enqueue_style('storefleet');
    wp_add_inline_style('storefleet', (string) preg_replace('~^/\*.*?\*/\s*~s', '', $css));
}, 20);
add_action('after_setup_theme', static fn () => add_editor_style('style.css'));
// the cart beside the page is a dialog, which WooCommerce prints here without a name
add_action('wp_footer', static fn (): bool => ob_start(static function (string $html): string {
    $tags = new WP_HTML_Tag_Processor($html);
    if ($tags->next_tag(['class_name' => 'wc-block-mini-cart__drawer'])) {
        $tags->set_attribute('aria-label', __('Cart', 'woocommerce'));
    }
    return $tags->get_updated_html();
}), 9);
add_action('wp_footer', static fn (): bool => ob_end_flush(), 11);
// "Uncategorized" is no place to go: the shop page is
add_filter('woocommerce_get_breadcrumb', static function (array $crumbs): array {
    $default = get_term_link((int) get_option('default_product_cat'), 'product_cat');
    $shop = wc_get_page_id('shop');
    return array_map(static fn (array $crumb): array => is_product() && $crumb[1] === $default
        ? [get_the_title($shop), (string) get_permalink($shop)]
        : $crumb, $crumbs);
});
