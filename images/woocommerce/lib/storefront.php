<?php
/** What visitors of a new shop see: theme, palette, monogram, home page, legal pages, a sample product. */

declare(strict_types=1);

namespace Storefleet;

use WC_Product_Simple;
use WP_Theme_JSON_Resolver;

use function Storefleet\MuPlugin\bundled_theme;
use function Storefleet\MuPlugin\load_texts;

require __DIR__ . '/pictures.php';
require __DIR__ . '/legal.php';

const SAMPLE_SKU = 'storefleet-sample';

/**
 * Call it in a transaction: the front page says that all of it exists, and then a repeated run changes nothing. Files
 * of a killed run are written again.
 */
function create_storefront(): void
{
    if (get_option('show_on_front') === 'page') {
        return;
    }
    load_texts(get_locale());
    update_option('stylesheet', bundled_theme('stylesheet'));
    update_option('template', bundled_theme('template'));
    $color = use_palette(store_title());
    $monogram = add_monogram(store_title(), $color);
    // the settings in which the owner replaces it
    update_option('site_icon', $monogram);
    update_option('site_logo', $monogram);
    create_legal_pages(store_title(), admin_email(), country_and_currency()[0]);
    add_sample_product();
    use_home_page();
}

/** Chooses one of the theme's palettes, as the owner can below Styles in the editor. Returns its color of buttons. */
function use_palette(string $title): string
{
    global $wpdb;
    $files = glob(get_theme_root() . '/storefleet/styles/*.json') ?: [];
    $style = json_decode((string) file_get_contents($files[crc32($title) % count($files)]), true);
    $palette = $style['settings']['color']['palette'];
    $post = WP_Theme_JSON_Resolver::get_user_data_from_wp_global_styles(wp_get_theme('storefleet'), true);
    $content = ['version' => $style['version'], 'isGlobalStylesUserThemeJSON' => true];
    $content['settings']['color']['palette']['theme'] = $palette;
    $wpdb->update($wpdb->posts, ['post_content' => (string) wp_json_encode($content)], ['ID' => $post['ID']]);
    clean_post_cache($post['ID']);
    return array_column($palette, 'color', 'slug')['accent-1'];
}

function add_sample_product(): void
{
    $name = __('Sample product', 'storefleet');
    $product = new WC_Product_Simple();
    $product->set_name($name);
    $product->set_sku(SAMPLE_SKU);
    $product->set_slug(SAMPLE_SKU);
    $product->set_regular_price('10');
    $product->set_virtual(true);
    $product->set_image_id(add_sample_picture($name));
    $product->set_short_description(
        __('This is an example. It shows how a product looks. Change it, or delete it.', 'storefleet'),
    );
    $product->set_status('publish');
    $product->save();
}

/** An ordinary page, which the owner edits as any other. */
function use_home_page(): void
{
    ob_start();
    require get_theme_root() . '/storefleet/patterns/home.php';
    $content = (string) ob_get_clean();
    $id = insert_page(_x('Home', 'Page title', 'storefleet'), 'home', $content, 'publish');
    update_post_meta($id, '_wp_page_template', 'page-home');
    update_option('page_on_front', $id);
    update_option('show_on_front', 'page');
}

function insert_page(string $title, string $slug, string $content, string $status): int
{
    $page = ['post_title' => $title, 'post_name' => $slug, 'post_content' => $content, 'post_status' => $status];
    $id = wp_insert_post(wp_slash(['post_type' => 'page', 'comment_status' => 'closed'] + $page), true);
    return is_wp_error($id) ? throw new UserError("A page can't be added: {$id->get_error_message()}") : $id;
}
