<?php
/** Drafts of a new shop's legal pages: terms, privacy, returns, and an imprint where the law asks for one. */

declare(strict_types=1);

namespace Storefleet;

use function Storefleet\MuPlugin\language;

const PAGES_FOLDER = '/opt/storefleet/pages';
/** Beside the European Union: the same directives (EEA), or a law of their own that asks for the provider's name. */
const IMPRINT_COUNTRIES = [
    'BR', 'CH', 'CN', 'GB', 'IN', 'IS', 'JP', 'KR', 'LI', 'MX', 'NO', 'RS', 'TR', 'UA', 'ZA',
];
/** Beside the European Union: consumers may withdraw within 14 days. */
const WITHDRAWAL_COUNTRIES = ['GB', 'IS', 'LI', 'NO'];

/** Drafts: until the owner has completed and published them, visitors see no link to them. */
function create_legal_pages(string $title, string $email, string $country): void
{
    $union = WC()->countries->get_european_union_countries();
    $returns = in_array($country, [...$union, ...WITHDRAWAL_COUNTRIES], true) ? 'returns-eu' : 'returns';
    $pages = [
        'terms' => [_x('Terms and conditions', 'Page title', 'storefleet'), 'woocommerce_terms_page_id'],
        'privacy' => [_x('Privacy policy', 'Page title', 'storefleet'), 'wp_page_for_privacy_policy'],
        $returns => [_x('Returns', 'Page title', 'storefleet'), 'woocommerce_refund_returns_page_id'],
        'imprint' => [_x('Imprint', 'Page title', 'storefleet'), 'storefleet_imprint_page_id'],
    ];
    if (!in_array($country, [...$union, ...IMPRINT_COUNTRIES], true)) {
        unset($pages['imprint']);
    }
    foreach ($pages as $text => [$page_title, $option]) {
        $id = (int) get_option($option);
        $file = PAGES_FOLDER . '/' . language(get_locale()) . "/{$text}.md";
        if ($id > 0 && !is_file($file)) {
            // WordPress' or WooCommerce's own draft, in the language of the shop
            continue;
        }
        $text = (string) file_get_contents(is_file($file) ? $file : PAGES_FOLDER . "/en/{$text}.md");
        $text = strtr($text, ['{shop}' => $title, '{email}' => $email]);
        $draft = ['post_title' => $page_title, 'post_name' => sanitize_title($page_title)];
        $id = write_draft($id, $draft + ['post_content' => paragraph_blocks($text)]);
        update_option($option, $id);
    }
}

/** @param array<string, string> $draft returns the id of the page */
function write_draft(int $id, array $draft): int
{
    global $wpdb;
    if ($id === 0) {
        return insert_page($draft['post_title'], $draft['post_name'], $draft['post_content'], 'draft');
    }
    // wp_update_post would keep the text before as a revision
    $wpdb->update($wpdb->posts, $draft, ['ID' => $id, 'post_status' => 'draft']);
    clean_post_cache($id);
    return $id;
}

/** Paragraphs are separated by empty lines; `## ` starts a heading. */
function paragraph_blocks(string $text): string
{
    $blocks = [];
    foreach (preg_split('/\n{2,}/', trim($text)) ?: [] as $paragraph) {
        $is_heading = str_starts_with($paragraph, '## ');
        $html = esc_html($is_heading ? substr($paragraph, 3) : $paragraph);
        $blocks[] = $is_heading
            ? "<!-- wp:heading -->\n<h2 class=\"wp-block-heading\">{$html}</h2>\n<!-- /wp:heading -->"
            : "<!-- wp:paragraph -->\n<p>{$html}</p>\n<!-- /wp:paragraph -->";
    }
    return implode("\n\n", $blocks);
}
