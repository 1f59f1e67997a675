<?php
/** WordPress' settings: all of them come from the environment, so the same image is every shop. */

declare(strict_types=1);

(static function (): void {
    $given = static function (string $name): string {
        $value = getenv($name);
        if ($value === false || $value === '') {
            http_response_code(500);
            error_log("The variable {$name} is not set: the platform has to give it.");
            exit(1);
        }
        return $value;
    };

    foreach (['NAME', 'USER', 'PASSWORD', 'HOST'] as $part) {
        define("DB_{$part}", $given("WORDPRESS_DB_{$part}"));
    }
    define('DB_CHARSET', 'utf8mb4');
    define('DB_COLLATE', '');
    foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $kind) {
        define("{$kind}_KEY", $given("WORDPRESS_{$kind}_KEY"));
        define("{$kind}_SALT", $given("WORDPRESS_{$kind}_SALT"));
    }

    $url = rtrim($given('STORE_URL'), '/');
    define('WP_HOME', $url);
    define('WP_SITEURL', $url);
    // else it comes from the database, which has none yet while the shop is installed
    define('WP_CONTENT_URL', "{$url}/wp-content");
    define('FORCE_SSL_ADMIN', str_starts_with($url, 'https:'));
    if (PHP_SAPI === 'cli') {
        // plugins take for granted that there is a request
        $_SERVER += ['REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/', 'SERVER_PROTOCOL' => 'HTTP/1.1'];
        $_SERVER['HTTP_HOST'] = (string) preg_replace('~^https?://~', '', $url);
    }
    // TLS ends at the ingress; nobody else reaches this pod, which the network policies see to. Where it ends before
    // that, an ingress says http: believed, it would have the sign-in page lead to itself, again and again
    $forwarded = strtok($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '', ', ');
    if ($forwarded === 'https' || str_starts_with($url, 'https:')) {
        $_SERVER['HTTPS'] = 'on';
        $_SERVER['SERVER_PORT'] = '443';
    }

    // the platform updates; the image is read-only unless a plan lets its owner install plugins
    define('STOREFLEET_WRITABLE', getenv('STORE_PLUGINS') === 'writable');
    if (STOREFLEET_WRITABLE) {
        // on the disk; content.php puts there what the image has. Uploads stay where nothing is run, ours in the image
        define('WP_CONTENT_DIR', '/var/www/content');
        define('UPLOADS', 'wp-content/uploads');
        define('WPMU_PLUGIN_DIR', '/var/www/html/wp-content/mu-plugins');
    }
    define('DISALLOW_FILE_EDIT', true);
    define('DISALLOW_FILE_MODS', !STOREFLEET_WRITABLE);
    define('AUTOMATIC_UPDATER_DISABLED', true);
    define('WP_AUTO_UPDATE_CORE', false);
    define('FS_METHOD', 'direct');
    define('DISABLE_WP_CRON', true);
    define('WP_TEMP_DIR', '/tmp');
    define('WP_MEMORY_LIMIT', '192M');
    define('WP_MAX_MEMORY_LIMIT', '256M');
    define('WP_POST_REVISIONS', 20);
    define('WP_DEBUG', false);
    define('WP_ENVIRONMENT_TYPE', 'production');
})();

$table_prefix = 'wp_';
if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
