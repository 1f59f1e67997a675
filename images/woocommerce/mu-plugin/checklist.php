<?php
/** What is left for the owner of a new shop: in WooCommerce's task list, and on the dashboard. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

add_filter('woocommerce_admin_experimental_onboarding_tasklists', __NAMESPACE__ . '\replace_setup_tasks');
add_action('wp_dashboard_setup', __NAMESPACE__ . '\add_dashboard_widget', 20);
add_filter('woocommerce_available_payment_gateways', __NAMESPACE__ . '\hide_bank_transfer_without_account');

/** @return array<string, array{title: string, text: string, path: string, is_done: callable(): bool}> by task id */
function setup_tasks(): array
{
    return [
        'storefleet_open' => [
            'title' => __('Open your shop', 'storefleet'),
            'text' => __('Visitors see “coming soon”: you can set the shop live.', 'storefleet'),
            'path' => 'admin.php?page=wc-settings&tab=site-visibility',
            'is_done' => is_open(...),
        ],
        'storefleet_product' => [
            'title' => __('Add your first product', 'storefleet'),
            'text' => __('With a picture, a price and a description.', 'storefleet'),
            'path' => 'post-new.php?post_type=product',
            'is_done' => has_own_product(...),
        ],
        'storefleet_sample' => [
            'title' => __('Delete the sample product', 'storefleet'),
            'text' => __('It shows how a product looks. Visitors can buy it.', 'storefleet'),
            'path' => 'edit.php?post_type=product',
            'is_done' => static fn (): bool => sample_product_id() === 0,
        ],
        'storefleet_legal' => [
            'title' => __('Complete and publish the legal pages', 'storefleet'),
            'text' => __('They are drafts: footer and checkout link to them when they are published.', 'storefleet'),
            'path' => 'edit.php?post_type=page&post_status=draft',
            'is_done' => static fn (): bool => unpublished_legal_pages() === [],
        ],
        // Directive (EU) 2023/2673; no option tells whether the shop has one
        'storefleet_withdrawal' => [
            'title' => __('Let shoppers withdraw online', 'storefleet'),
            'text' => __('The EU asks for a withdrawal function. Dismiss this when the shop has one.', 'storefleet'),
            'path' => page_id('refund_returns')
                ? 'post.php?action=edit&post=' . page_id('refund_returns')
                : 'edit.php?post_type=page',
            'is_done' => static fn (): bool => !is_in_european_union(),
        ],
        'storefleet_bank' => [
            'title' => __('Enter your bank account', 'storefleet'),
            'text' => __('Shoppers see bank transfer when there is an account.', 'storefleet'),
            'path' => 'admin.php?page=wc-settings&tab=checkout&section=bacs',
            'is_done' => static fn (): bool => has_bank_account() || !is_bank_transfer_enabled(),
        ],
        'storefleet_tax' => [
            'title' => __('Set your tax rates', 'storefleet'),
            'text' => __('Taxes are off. Dismiss this if you don\'t charge any.', 'storefleet'),
            'path' => 'admin.php?page=wc-settings&tab=general',
            'is_done' => static fn (): bool => get_option('woocommerce_calc_taxes') === 'yes',
        ],
        'storefleet_shipping' => [
            'title' => __('Set the price of shipping', 'storefleet'),
            'text' => __('It is free in the country of the shop. Dismiss this if that is right.', 'storefleet'),
            'path' => 'admin.php?page=wc-settings&tab=shipping',
            'is_done' => has_shipping_price(...),
        ],
        'storefleet_logo' => [
            'title' => __('Replace the monogram with your logo', 'storefleet'),
            'text' => __('Choose a site icon: it becomes the logo, too. Dismiss this to keep it.', 'storefleet'),
            'path' => 'options-general.php',
            'is_done' => static fn (): bool => !array_filter(
                [(int) get_option('site_icon'), (int) get_option('site_logo')],
                is_monogram(...),
            ),
        ],
    ];
}

function is_open(): bool
{
    return get_option('woocommerce_coming_soon') !== 'yes';
}

function sample_product_id(): int
{
    // a page of the dashboard asks several times
    static $id = null;
    $id ??= wc_get_product_id_by_sku('storefleet-sample');
    return get_post_status($id) === 'trash' ? 0 : $id;
}

function has_own_product(): bool
{
    $products = get_posts(['post_type' => 'product', 'numberposts' => 2, 'fields' => 'ids']);
    return array_diff($products, [sample_product_id()]) !== [];
}

/** @return list<int> */
function unpublished_legal_pages(): array
{
    $pages = array_filter(array_map(page_id(...), ['terms', 'privacy', 'refund_returns', 'imprint']));
    return array_values(array_filter($pages, static fn (int $id): bool => get_post_status($id) !== 'publish'));
}

function is_bank_transfer_enabled(): bool
{
    return (((array) get_option('woocommerce_bacs_settings'))['enabled'] ?? '') === 'yes';
}

function has_bank_account(): bool
{
    $accounts = array_filter((array) get_option('woocommerce_bacs_accounts', []), 'is_array');
    return array_filter(array_map(static fn (array $account): string => implode('', $account), $accounts)) !== [];
}

function has_shipping_price(): bool
{
    global $wpdb;
    $query = "SELECT COUNT(*) FROM {$wpdb->prefix}woocommerce_shipping_zone_methods WHERE method_id <> 'free_shipping'";
    return (int) $wpdb->get_var($query) > 0;
}

function is_in_european_union(): bool
{
    return in_array(WC()->countries->get_base_country(), WC()->countries->get_european_union_countries(), true);
}

/**
 * WooCommerce's own tasks advertise, or count what the installation did as the owner's work.
 *
 * @param array<string, object> $lists
 * @return array<string, object>
 */
function replace_setup_tasks(array $lists): array
{
    require_once __DIR__ . '/setup-task.php';
    if (isset($lists['setup'])) {
        $lists['setup']->tasks = array_map(
            static fn (string $task): SetupTask => new SetupTask($lists['setup'], $task),
            array_keys(setup_tasks()),
        );
    }
    // "Things to do next": extensions that can't be installed, and advertisements
    return array_diff_key($lists, ['extended' => '']);
}

/** In place of WooCommerce's, which says that the shop can't sell before all tasks are done. */
function add_dashboard_widget(): void
{
    remove_meta_box('wc_admin_dashboard_setup', 'dashboard', 'normal');
    if (current_user_can('manage_woocommerce') && left_tasks() !== []) {
        $title = is_open()
            ? __('Your shop sells. What is left for you', 'storefleet')
            : __('Your shop is closed. What is left for you', 'storefleet');
        $print = __NAMESPACE__ . '\print_checklist';
        add_meta_box('storefleet_checklist', esc_html($title), $print, 'dashboard', 'normal', 'high');
        // "Welcome to WordPress!": advice for a blog
        remove_action('welcome_panel', 'wp_welcome_panel');
    }
}

/** Without those that the owner has dismissed. */
function left_tasks(): array
{
    $dismissed = (array) get_option('woocommerce_task_list_dismissed_tasks', []);
    $tasks = array_diff_key(setup_tasks(), array_flip($dismissed));
    return array_filter($tasks, static fn (array $task): bool => !$task['is_done']());
}

function print_checklist(): void
{
    echo '<ul>';
    foreach (left_tasks() as $task) {
        $link = '<a href="' . esc_url(admin_url($task['path'])) . '">' . esc_html($task['title']) . '</a>';
        echo "<li><strong>{$link}</strong><br>", esc_html($task['text']), '</li>';
    }
    echo '</ul>';
}

/** Shoppers would order without learning where to pay. */
function hide_bank_transfer_without_account(array $gateways): array
{
    return has_bank_account() ? $gateways : array_diff_key($gateways, ['bacs' => '']);
}
