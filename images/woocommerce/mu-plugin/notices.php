<?php
/** Notices on pages of the dashboard: what is missing and where to set it, and why a page can't do what it offers. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

/** They show what comes from other servers. */
const FIXED_SCREENS = ['plugins', 'themes', 'update-core', 'site-health', 'woocommerce_page_wc-status'];

// WooCommerce removes all notices from its page for payments, at the end of in_admin_header
add_action('admin_head', static fn () => add_action('in_admin_header', __NAMESPACE__ . '\add_notices', PHP_INT_MAX));
if (!STOREFLEET_CUSTOM_PLUGINS) {
    // its page Marketing has only plugins to install; then Coupons is below WooCommerce
    add_filter('woocommerce_admin_features', static fn (array $names): array => array_values(
        array_diff($names, ['marketing', 'coupons']),
    ));
    // WooCommerce's System status sends a request to each of two servers, and says only that they failed
    add_filter('pre_transient_woocommerce_test_remote_post', __NAMESPACE__ . '\explain_remote_test');
    add_filter('pre_transient_woocommerce_test_remote_get', __NAMESPACE__ . '\explain_remote_test');
    add_action('load-woocommerce_page_wc-status', __NAMESPACE__ . '\replace_remote_warning');
    // WooCommerce's shop for plugins, which can't be installed here
    add_filter('woocommerce_show_addons_page', '__return_false');
    add_action('admin_menu', static fn () => remove_submenu_page('woocommerce', 'wc-admin&path=/extensions'), 99);
}

function add_notices(): void
{
    add_action('admin_notices', __NAMESPACE__ . '\print_notices');
}

function print_notices(): void
{
    if (!current_user_can('manage_woocommerce')) {
        return;
    }
    foreach (notices((string) get_current_screen()?->id, $_GET['tab'] ?? '') as $notice) {
        echo '<div class="notice notice-info"><p>', wp_kses_post($notice), '</p></div>';
    }
}

/** @return list<string> HTML */
function notices(string $screen, mixed $tab): array
{
    $settings = $screen === 'woocommerce_page_wc-settings' ? $tab : '';
    $has_sample = in_array($screen, ['edit-product', 'product', 'dashboard'], true) && sample_product_id() > 0;
    $fixed = !STOREFLEET_CUSTOM_PLUGINS && in_array($screen, FIXED_SCREENS, true);
    return array_filter([
        $has_sample ? sample_notice() : '',
        $settings === 'checkout' && is_bank_transfer_enabled() && !has_bank_account() ? bank_notice() : '',
        $settings === 'email' && !can_send_mail() ? mail_notice() : '',
        $fixed ? updates_notice() : '',
    ]);
}

function sample_notice(): string
{
    $id = sample_product_id();
    $text = __('“%1$s” is an example. <a href="%2$s">Delete it</a> when you have products of your own.', 'storefleet');
    return sprintf($text, esc_html(get_the_title($id)), esc_url((string) get_delete_post_link($id)));
}

function bank_notice(): string
{
    $url = esc_url(admin_url('admin.php?page=wc-settings&tab=checkout&section=bacs'));
    $text = __('Shoppers see bank transfer when you have entered <a href="%s">your account</a>.', 'storefleet');
    return sprintf($text, $url);
}

function mail_notice(): string
{
    return __('This shop can\'t send mail: the platform has no mail server.', 'storefleet') . ' '
        . __('You see orders below Orders. Ask those who run the platform for a mail server.', 'storefleet');
}

function updates_notice(): string
{
    return __('Plugins, themes and updates of this shop come from the platform, which tests them.', 'storefleet') . ' '
        . __('So nothing can be installed here, and this page doesn\'t ask other servers.', 'storefleet');
}

/** In place of the other server's answer. */
function explain_remote_test(): string
{
    return __('Pages of this shop call no other servers.', 'storefleet');
}

function replace_remote_warning(): void
{
    $warning = '%s failed. Contact your hosting provider.';
    add_filter('gettext_woocommerce', static fn (string $translation, string $text): string => $text === $warning
        ? __('%s was not tried.', 'storefleet')
        : $translation, 10, 2);
}
