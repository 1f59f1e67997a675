<?php
/**
 * Stores pages for visitors who have nothing of their own. Apache serves them (server/page-cache.conf), and names the
 * file in PAGE_FILE: /tmp/pages/GENERATION/SCHEME-/path/MINUTE.html.gz.
 *
 * A page is valid for PAGE_MINUTES, and has a link for each minute. It ends before the minute in which pages change
 * without a write to the database (sales.php).
 */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

const PAGES = '/tmp/pages';
const PAGE_MINUTES = 10;
const MAX_PAGES_PER_MINUTE = 60;
const MAX_PAGE_BYTES = 128 * 1024;
/** With PAGE_MINUTES, they limit the disk space to 75 MiB. */

final class PageCache
{
    private static bool $variable = false;

    public static function start(string $file, int $time): void
    {
        // a page that asks for the kind of device or the place is another one for the next visitor
        $notice = static function (mixed $answer): mixed {
            self::$variable = true;
            return $answer;
        };
        add_filter('wp_is_mobile', $notice);
        add_filter('woocommerce_geolocate_ip', $notice);
        ob_start(static function (string $page, int $phase) use ($file, $time): string {
            $whole = ($phase & PHP_OUTPUT_HANDLER_START) && ($phase & PHP_OUTPUT_HANDLER_FINAL);
            if ($whole && !self::$variable && is_for_everybody($page, headers_list())) {
                $stored = store_page($file, $time, $page);
                header('Cache-Status: storefleet; fwd=miss' . ($stored ? '; stored' : ''));
            }
            return $page;
        });
    }
}

/** @param list<string> $headers of the response */
function is_for_everybody(string $page, array $headers): bool
{
    $kind = did_action('template_redirect') > 0 && (is_front_page() || is_singular() || is_archive() || is_home())
        && !is_404() && !is_search() && !is_feed() && !is_preview() && !is_robots() && !is_customize_preview();
    return $kind && http_response_code() === 200 && !defined('DONOTCACHEPAGE') && str_ends_with(rtrim($page), '</html>')
        && ($_SERVER['QUERY_STRING'] ?? '') === '' && ($_SERVER['REQUEST_METHOD'] ?? '') === 'GET'
        && !is_user_logged_in() && !is_proof() && !has_protected_content() && !is_shoppers_own()
        && have_known_names($headers);
}

function has_protected_content(): bool
{
    foreach ([get_queried_object(), ...($GLOBALS['wp_query']->posts ?? [])] as $post) {
        if ($post instanceof \WP_Post && $post->post_password !== '') {
            return true;
        }
    }
    return false;
}

/** Cart, checkout and account; and pages that WooCommerce makes for one shopper's session or place. */
function is_shoppers_own(): bool
{
    if (!function_exists('WC')) {
        return false;
    }
    return is_cart() || is_checkout() || is_account_page() || (WC()->session?->has_session() ?? false)
        || str_starts_with((string) get_option('woocommerce_default_customer_address'), 'geolocation');
}

/**
 * A page with another header isn't stored: Apache would not send it.
 *
 * @param list<string> $headers
 */
function have_known_names(array $headers): bool
{
    $known = '/^(content-type: text\/html; charset=utf-8$|link:|x-powered-by:|vary: accept-encoding$)/i';
    return preg_grep($known, $headers, PREG_GREP_INVERT) === [];
}

/** `$file`: of the minute in which the request came, at `$time`. Returns whether the page is stored. */
function store_page(string $file, int $time, string $page): bool
{
    $zip = (string) gzencode($page, 6);
    $first = intdiv($time, 60);
    $end = min($first + PAGE_MINUTES, intdiv(next_change($time), 60));
    $ended = explode('/', $file)[3] !== PageGeneration::current();
    if ($ended || !is_complete() || strlen($zip) > MAX_PAGE_BYTES || $end <= $first || !take_turn($time)) {
        return false;
    }
    $folder = dirname($file);
    if (!is_dir($folder) && !@mkdir($folder, 0o700, true) && !is_dir($folder)) {
        return false;
    }
    $unfinished = "{$folder}/." . getmypid();
    $stored = @file_put_contents($unfinished, $zip) === strlen($zip);
    if ($stored) {
        foreach (range($first, $end - 1) as $minute) {
            $link = "{$folder}/" . gmdate('YmdHi', $minute * 60) . '.html.gz';
            @unlink($link);
            @link($unfinished, $link);
        }
    }
    @unlink($unfinished);
    return $stored;
}

/** Whether the database answered each query: WordPress leaves out what it can't read. */
function is_complete(): bool
{
    return empty($GLOBALS['EZSQL_ERROR']) && PageGeneration::hasConnection();
}

/** Whether another page may be stored in this minute. The first one deletes pages that are no longer valid. */
function take_turn(int $time): bool
{
    $count = PAGES . '/count-' . gmdate('YmdHi', $time);
    clearstatcache();
    if (!is_file($count)) {
        @mkdir(PAGES, 0o700);
        delete_old_pages($time);
    }
    @file_put_contents($count, '.', FILE_APPEND);
    clearstatcache();
    return @filesize($count) <= MAX_PAGES_PER_MINUTE;
}

/** Keeps the current and the last minute, in which Apache may still open a file, and files that are being written. */
function delete_old_pages(int $time): void
{
    if (!is_dir(PAGES)) {
        return;
    }
    $files = new \RecursiveIteratorIterator(
        new \RecursiveDirectoryIterator(PAGES, \FilesystemIterator::SKIP_DOTS),
        \RecursiveIteratorIterator::CHILD_FIRST,
        \RecursiveIteratorIterator::CATCH_GET_CHILD,
    );
    $last = gmdate('YmdHi', $time - 60);
    foreach ($files as $file) {
        if ($file->isDir()) {
            @rmdir((string) $file);
            continue;
        }
        $is_page = preg_match('/(\d{12})(\.html\.gz)?$/', (string) $file, $found) === 1;
        if ($is_page ? $found[1] < $last : @filemtime((string) $file) < $time - 60) {
            @unlink((string) $file);
        }
    }
}

/** Whether WordPress makes the page of this file: it reads the path as the client sent it, Apache without `..`. */
function is_page_of_request(string $file): bool
{
    $path = rawurldecode((string) strtok($_SERVER['REQUEST_URI'] ?? '', '?'));
    return preg_match('~^/tmp/pages/[0-9a-f]{16}/[a-z]*-(/|/.*/)\d{12}\.html\.gz$~Ds', $file, $found) === 1
        && $found[1] === $path;
}

$file = $_SERVER['PAGE_FILE'] ?? $_SERVER['REDIRECT_PAGE_FILE'] ?? null;
if (PHP_SAPI !== 'cli' && is_string($file) && is_page_of_request($file)) {
    PageCache::start($file, (int) $_SERVER['REQUEST_TIME']);
}
