<?php
/** WordPress' configuration. All values come from the environment: the image is the same for all shops. */

declare(strict_types=1);

(static function (): void {
    $env = static function (string $name): string {
        $value = getenv($name);
        if ($value === false || $value === '') {
            http_response_code(500);
            error_log("The variable {$name} is not set: the platform has to give it.");
            exit(1);
        }
        return $value;
    };

    foreach (['NAME', 'USER', 'PASSWORD', 'HOST'] as $part) {
        define("DB_{$part}", $env("WORDPRESS_DB_{$part}"));
    }
    define('DB_CHARSET', 'utf8mb4');
    define('DB_COLLATE', '');
    foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $kind) {
        define("{$kind}_KEY", $env("WORDPRESS_{$kind}_KEY"));
        define("{$kind}_SALT", $env("WORDPRESS_{$kind}_SALT"));
    }

    $url = rtrim($env('STORE_URL'), '/');
    define('WP_HOME', $url);
    define('WP_SITEURL', $url);
    // the default is read from the database, which is empty during the installation
    define('WP_CONTENT_URL', "{$url}/wp-content");
    define('FORCE_SSL_ADMIN', str_starts_with($url, 'https:'));
    if (PHP_SAPI === 'cli') {
        // plugins expect the variables of a request
        $_SERVER += ['REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/', 'SERVER_PROTOCOL' => 'HTTP/1.1'];
        $_SERVER['HTTP_HOST'] = (string) preg_replace('~^https?://~', '', $url);
    }
    // TLS ends at the ingress; the network policies allow no other client. Where TLS ends in front of the ingress, the
    // ingress sends X-Forwarded-Proto: http: then the scheme of STORE_URL counts, or sign-in would redirect in a loop
    $forwarded = strtok($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '', ', ');
    if ($forwarded === 'https' || str_starts_with($url, 'https:')) {
        $_SERVER['HTTPS'] = 'on';
        $_SERVER['SERVER_PORT'] = '443';
    }

    // the image is read-only; owners with some plans may install plugins and themes on the store's volume
    define('STOREFLEET_CUSTOM_PLUGINS', getenv('STORE_PLUGINS') === 'writable');
    if (STOREFLEET_CUSTOM_PLUGINS) {
        // on the volume, with links to the image's plugins and themes (link-content.php). Uploads stay where PHP never
        // runs, and must-use plugins in the image
        define('WP_CONTENT_DIR', '/var/www/content');
        define('UPLOADS', 'wp-content/uploads');
        define('WPMU_PLUGIN_DIR', '/var/www/html/wp-content/mu-plugins');
    }
    define('DISALLOW_FILE_EDIT', true);
    define('DISALLOW_FILE_MODS', !STOREFLEET_CUSTOM_PLUGINS);
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
