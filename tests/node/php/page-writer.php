<?php
/** A must-use plugin of tests: a request with X-Test-Write `{field, value, how}` changes something that pages show. */

declare(strict_types=1);

if (isset($_SERVER['HTTP_X_TEST_WRITE'])) {
    add_action('wp_loaded', static function (): void {
        global $wpdb;
        ['field' => $field, 'value' => $value, 'how' => $how] = json_decode(wp_unslash($_SERVER['HTTP_X_TEST_WRITE']), true);
        $write = static fn () => match ($field) {
            'title' => update_option('blogname', "Title {$value}."),
            'text' => wp_update_post(['ID' => get_page_by_path('told')->ID, 'post_content' => "Text {$value}."]),
            'sale' => (static function () use ($value): void {
                $product = wc_get_product(get_page_by_path('falls', OBJECT, 'product'));
                $product->set_regular_price((string) (501 - $value));
                $product->set_sale_price((string) (500 - $value));
                $product->set_date_on_sale_from(time() + 2);
                $product->save();
            })(),
            'price' => (static function () use ($value): void {
                $product = wc_get_product(wc_get_product_id_by_sku('storefleet-sample'));
                $product->set_regular_price((string) $value);
                $product->save();
            })(),
        };
        $kill = static fn () => exec('kill -KILL ' . getmypid());
        if ($how === 'killed during a statement' || $how === 'left during a statement') {
            if ($how === 'killed during a statement') {
                exec('(sleep 1; kill -KILL ' . getmypid() . ') >/dev/null 2>&1 &');
            }
            $slow = "UPDATE {$wpdb->options} SET option_value = %s WHERE option_name = 'blogname' AND SLEEP(4) = 0";
            $wpdb->query($wpdb->prepare($slow, "Title {$value}."));
            exit('left');
        }
        if ($how === 'in a transaction' || $how === 'killed before its commit') {
            $wpdb->query('START TRANSACTION');
        }
        $write();
        usleep(random_int(0, 200_000));
        if (str_starts_with($how, 'killed')) {
            $kill();
        }
        if ($how === 'in a transaction') {
            $wpdb->query('COMMIT');
        }
        usleep(random_int(0, 100_000));
        header('Content-Type: text/plain');
        exit('written');
    });
}

// as themes greet somebody
add_action('wp_footer', static function (): void {
    echo is_user_logged_in() ? '<!-- mark of the owner -->' : '';
    echo function_exists('WC') && !(WC()->cart?->is_empty() ?? true) ? '<!-- mark of the cart -->' : '';
});
