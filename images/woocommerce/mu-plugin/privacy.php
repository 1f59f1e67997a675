<?php
/** What visitors don't learn, and whom their browsers don't call: sign-in names, WordPress' and Gravatar's servers. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

add_filter('rest_endpoints', __NAMESPACE__ . '\hide_users');
add_filter('wp_sitemaps_add_provider', static fn (mixed $provider, string $name): mixed
    => $name === 'users' ? false : $provider, 10, 2);
add_filter('oembed_response_data', static fn (array $data): array
    => array_diff_key($data, ['author_name' => '', 'author_url' => '']));

// emoji as pictures from s.w.org: browsers have emoji of their own
remove_action('wp_head', 'print_emoji_detection_script', 7);
remove_action('admin_print_scripts', 'print_emoji_detection_script');
remove_action('embed_head', 'print_emoji_detection_script');
remove_action('wp_enqueue_scripts', 'wp_enqueue_emoji_styles');
remove_action('admin_enqueue_scripts', 'wp_enqueue_emoji_styles');
remove_action('wp_print_styles', 'print_emoji_styles');
remove_action('admin_print_styles', 'print_emoji_styles');
remove_filter('the_content_feed', 'wp_staticize_emoji');
remove_filter('comment_text_rss', 'wp_staticize_emoji');
remove_filter('wp_mail', 'wp_staticize_emoji_for_email');
add_filter('emoji_svg_url', '__return_false');
// pictures of reviewers from gravatar.com
add_filter('pre_option_show_avatars', '__return_zero');
// WooCommerce's cart page has the address of such a picture in its settings
add_filter('get_avatar_url', static fn (): string => includes_url('images/blank.gif'));

/**
 * Only those who write need the lists of users: the names of authors may be names for sign-in.
 *
 * @param array<string, mixed> $routes
 * @return array<string, mixed>
 */
function hide_users(array $routes): array
{
    if (current_user_can('edit_posts')) {
        return $routes;
    }
    $hidden = static fn (string $route): bool
        => str_starts_with($route, '/wp/v2/users') && !str_starts_with($route, '/wp/v2/users/me');
    return array_filter($routes, static fn (string $route): bool => !$hidden($route), ARRAY_FILTER_USE_KEY);
}
