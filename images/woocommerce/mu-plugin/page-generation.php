<?php
/**
 * The generation of the page cache: 16 hexadecimal digits in a file of the uploads' disk, which all programs of the
 * store share. A page belongs to the generation in which its request came.
 *
 * Whoever writes to the database closes the generation before the first write, and holds a shared lock on the file
 * until it ends. The last writer opens the next generation. The kernel releases the lock of a writer that is killed:
 * then the generation stays closed, and a later request opens the next one after CLOSED_SECONDS.
 */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

const CLOSED = '----------------';
const CLOSED_SECONDS = 60;
/** The database may still execute the last statement of a writer that was killed. */

final class PageGeneration
{
    /** @var resource|null the locked file, while this process writes */
    private static $file = null;

    /** Overwrites the file in its place: that needs no space on a full disk. */
    public static function close(): void
    {
        if (self::$file !== null) {
            return;
        }
        // without the file, the generation is closed; if it can't be made, it stays closed
        self::$file = @fopen(self::path(), 'c+') ?: null;
        if (self::$file !== null) {
            flock(self::$file, LOCK_SH);
            self::write(self::$file, CLOSED);
            register_shutdown_function(self::open(...));
        }
    }

    /** Opens the next generation, unless another process still writes: then that one does. */
    private static function open(): void
    {
        if (flock(self::$file, LOCK_EX | LOCK_NB)) {
            self::write(self::$file, bin2hex(random_bytes(8)));
        }
        fclose(self::$file);
        self::$file = null;
    }

    /** Opens the next generation if the last writer was killed. */
    public static function repair(): void
    {
        if (self::isAbandoned() && ($file = @fopen(self::path(), 'c+')) !== false) {
            // another process may have closed it, and ended, since
            if (flock($file, LOCK_EX | LOCK_NB) && self::isAbandoned()) {
                self::write($file, bin2hex(random_bytes(8)));
            }
            fclose($file);
        }
    }

    private static function isAbandoned(): bool
    {
        clearstatcache(true, self::path());
        $written = @filemtime(self::path());
        return $written === false || ($written < time() - CLOSED_SECONDS && self::current() === null);
    }

    /** Null while it is closed. */
    public static function current(): ?string
    {
        $generation = (string) @file_get_contents(self::path());
        return preg_match('/^[0-9a-f]{16}$/D', $generation) === 1 ? $generation : null;
    }

    /** @param resource $file */
    private static function write($file, string $generation): void
    {
        rewind($file);
        if (fwrite($file, $generation) !== strlen($generation)) {
            ftruncate($file, 0);
        }
    }

    private static function path(): string
    {
        return '/var/www/html/wp-content/uploads/.page-generation';
    }
}

/** Statements that change nothing. Any other statement may change a page, unless it is known not to. */
const READS = '/^[\s(]*(SELECT|SHOW|SET|DESC|DESCRIBE|EXPLAIN|START TRANSACTION|BEGIN|COMMIT|ROLLBACK|SAVEPOINT'
    . '|RELEASE)\b/i';

/** Tables of which no page for visitors without a cart shows anything: carts, orders, tasks, logs. */
const PRIVATE_TABLES = 'woocommerce_(sessions|order_items|order_itemmeta|log|api_keys|payment_token\w*)'
    . '|wc_(orders|orders_meta|order_\w+|customer_lookup|rate_limits|reserved_stock|admin_note\w*|webhooks)'
    . '|actionscheduler_\w+';
const PRIVATE_OPTIONS = 'cron|_transient_doing_cron|_(site_)?transient_timeout_\w+|action_scheduler_\w+'
    . '|storefleet_tries_\w+';
/** With these values of option_name. */

function changes_pages(string $sql): bool
{
    global $wpdb;
    if (preg_match(READS, $sql)) {
        return false;
    }
    $write = '\s*(INSERT(\s+IGNORE)?\s+INTO|REPLACE\s+INTO|UPDATE|DELETE\s+FROM)\s+`?' . $wpdb->prefix;
    $private = "/^{$write}(" . PRIVATE_TABLES . ')`?(\s*\(|\s+(SET|WHERE|VALUES|SELECT)\b)/i';
    $name = "'(" . PRIVATE_OPTIONS . ")'";
    // as wpdb writes it: the name is the first value, or the only condition
    $inserted = "\\(`option_name`,[^)]*\\)\\s+VALUES\\s+\\({$name}";
    $changed = "(SET\\s.*)?WHERE `option_name` = {$name}\\s*$";
    $option = "/^{$write}options`?\\s+({$inserted}|{$changed})/is";
    return !preg_match($private, $sql) && !preg_match($option, $sql);
}

add_filter('query', static function (string $sql): string {
    if (changes_pages($sql)) {
        PageGeneration::close();
    }
    return $sql;
}, PHP_INT_MAX);
// new files of a plugin or a theme
add_action('upgrader_process_complete', PageGeneration::close(...));
register_shutdown_function(PageGeneration::repair(...));
