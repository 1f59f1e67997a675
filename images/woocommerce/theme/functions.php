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
