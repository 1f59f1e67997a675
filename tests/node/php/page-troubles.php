<?php
/** A must-use plugin of tests: a request with X-Test-Trouble makes a page that isn't for everybody, or isn't complete. */

declare(strict_types=1);

if (isset($_SERVER['HTTP_X_TEST_TROUBLE'])) {
    add_action('template_redirect', static function (): void {
        global $wpdb;
        $uploads = WP_CONTENT_DIR . '/uploads';
        match ($_SERVER['HTTP_X_TEST_TROUBLE']) {
            'nothing' => null,
            'DONOTCACHEPAGE' => define('DONOTCACHEPAGE', true),
            'cookie' => setcookie('own', '1'),
            'header' => header('X-Other: 1'),
            'device' => wp_is_mobile(),
            'place' => apply_filters('woocommerce_geolocate_ip', false),
            'large' => add_action('wp_footer', static function (): void {
                echo '<!-- ', bin2hex(random_bytes(256 * 1024)), ' -->';
            }),
            'a broken query' => add_filter('query', static function (string $sql): string {
                static $first = true;
                [$broken, $first] = [$first, false];
                return $broken ? 'SELECT broken' : $sql;
            }),
            // as if five attempts to connect again had failed
            'no database' => [mysqli_query($wpdb->dbh, "KILL {$wpdb->dbh->thread_id}"), $wpdb->reconnect_retries = 0],
            'a restarted database' => (static function () use ($uploads): void {
                touch("{$uploads}/waits");
                while (!file_exists("{$uploads}/goes-on")) {
                    usleep(10_000);
                    clearstatcache();
                }
            })(),
        };
    });
}
