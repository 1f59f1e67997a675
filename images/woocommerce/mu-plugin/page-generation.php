<?php
/**
 * The generation of the page cache: 16 hexadecimal digits at the beginning of a file of the uploads' disk, which all
 * programs of the store share. A page belongs to the generation in which its request came.
 *
 * Whoever writes to the database closes the generation before the first write, adds itself to the number of writers in
 * the file, and has a shared lock on a second file until it ends. The last one opens the next generation. The kernel
 * releases the lock of a writer that is killed, and its number stays: then the generation opens CLOSED_SECONDS after
 * that was found.
 */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

const CLOSED = '----------------';
const CLOSED_SECONDS = 60;
/** The database may still execute the last statement of a writer that was killed, or didn't wait for its result. */

final class PageGeneration
{
    private const FILE = '/var/www/html/wp-content/uploads/.page-generation';
    private const WRITERS = '/var/www/html/wp-content/uploads/.page-writers';

    /** @var resource|null the second file, locked while this process writes */
    private static $lock = null;
    private static mixed $connection = null;

    public static function start(): void
    {
        self::$connection = $GLOBALS['wpdb']->dbh ?? null;
        register_shutdown_function(self::open(...));
    }

    public static function close(): void
    {
        if (self::$lock !== null) {
            return;
        }
        $lock = self::lock(LOCK_SH);
        $closed = self::change(static fn (array $now): array => [CLOSED, $now[1] + 1, $now[2], $now[3] ?: time()]);
        if (($lock === null || !$closed) && self::current() !== null) {
            self::refuse();
        }
        if ($lock !== null) {
            self::$lock = $lock;
            register_shutdown_function(self::finish(...));
        }
    }

    /**
     * A writer's end, after its last commit. Without the connection, the database may still execute a statement: as if
     * this process was killed.
     */
    public static function finish(): void
    {
        if (self::$lock === null) {
            return;
        }
        if (self::hasConnection()) {
            self::change(static fn (array $now): array => [$now[0], max(0, $now[1] - 1), $now[2], $now[3]]);
        }
        self::release(self::$lock);
        self::$lock = null;
        self::open();
    }

    /** Opens the next generation if nobody writes. */
    private static function open(): void
    {
        if (self::current() !== null || ($lock = self::lock(LOCK_EX | LOCK_NB)) === null) {
            return;
        }
        self::change(static fn (array $now): array => match (true) {
            $now[0] !== CLOSED => $now,
            $now[1] > 0 => [CLOSED, 0, time() + CLOSED_SECONDS, $now[3] ?: time()],
            $now[2] > time() => $now,
            default => [bin2hex(random_bytes(8)), 0, 0, 0],
        });
        self::release($lock);
    }

    /** Null while it is closed. */
    public static function current(): ?string
    {
        $generation = substr((string) @file_get_contents(self::FILE), 0, 16);
        return preg_match('/^[0-9a-f]{16}$/D', $generation) === 1 ? $generation : null;
    }

    /** Since when it is closed, in seconds since 1970; null if it is open. */
    public static function closedSince(): ?int
    {
        $since = self::read((string) @file_get_contents(self::FILE))[3];
        return self::current() === null ? ($since ?: (@filemtime(self::FILE) ?: time())) : null;
    }

    /** Whether each statement of this process had an answer: an error has one, a lost connection has none. */
    public static function hasConnection(): bool
    {
        $connection = $GLOBALS['wpdb']->dbh ?? null;
        return $connection instanceof \mysqli && $connection === self::$connection
            // errors of the client
            && intdiv($connection->errno, 1000) !== 2;
    }

    /** @return resource|null */
    private static function lock(int $how)
    {
        // `e`: a program that this process starts doesn't inherit it
        $file = @fopen(self::WRITERS, 'ce');
        if ($file !== false && flock($file, $how)) {
            return $file;
        }
        return null;
    }

    /** @param resource $file */
    private static function release($file): void
    {
        flock($file, LOCK_UN);
        fclose($file);
    }

    /**
     * Overwrites the file in its place: that needs no space on a full disk.
     *
     * @param callable(array{string, int, int, int}): array{string, int, int, int} $change of the generation, the number
     *     of writers, the time before which it doesn't open, and the time since which it is closed
     */
    private static function change(callable $change): bool
    {
        $new = !file_exists(self::FILE);
        $file = @fopen(self::FILE, 'c+e');
        if ($file === false) {
            return false;
        }
        $written = false;
        if (flock($file, LOCK_EX)) {
            $state = $new ? [CLOSED, 0, 0, 0] : self::read((string) fread($file, 99));
            $text = vsprintf('%s %08d %010d %010d', $change($state));
            rewind($file);
            $written = fwrite($file, $text) === strlen($text) || ftruncate($file, 0);
        }
        self::release($file);
        return $written;
    }

    /**
     * An operator or a failed write may have emptied the file: then somebody may write.
     *
     * @return array{string, int, int, int}
     */
    private static function read(string $text): array
    {
        return preg_match('/^([0-9a-f]{16}|-{16}) (\d{8}) (\d{10}) (\d{10})/', $text, $found) === 1
            ? [$found[1], (int) $found[2], (int) $found[3], (int) $found[4]]
            : [CLOSED, 1, 0, 0];
    }

    /** Apache would still serve pages that this write ends. */
    private static function refuse(): never
    {
        if (PHP_SAPI === 'cli') {
            $why = 'The disk of uploads can\'t be written: nothing was changed.';
            if (defined('STOREFLEET_PROGRAM')) {
                wp_die($why);
            }
            fwrite(STDERR, "{$why}\n");
            exit(1);
        }
        wp_die(esc_html(not_saved()), '', ['response' => 503]);
    }
}

/** Statements that change nothing. Any other statement may change a page, unless it is known not to. */
const READS = '/^[\s(]*(SELECT|SHOW|SET|DESC|DESCRIBE|EXPLAIN|START TRANSACTION|BEGIN|COMMIT|ROLLBACK|SAVEPOINT'
    . '|RELEASE)\b/i';

/** Tables of which no page for visitors without a cart shows anything: carts, orders, tasks, logs. */
const PRIVATE_TABLES = 'woocommerce_(sessions|order_items|order_itemmeta|log|api_keys|payment_token\w*)'
    . '|wc_(orders|orders_meta|order_\w+|customer_lookup|rate_limits|admin_note\w*|webhooks)'
    . '|actionscheduler_\w+';
const PRIVATE_OPTIONS = 'cron|_transient_doing_cron|_(site_)?transient_timeout_\w+|action_scheduler_\w+'
    . '|storefleet_tries_\w+'
    // derived from products, whose own writes end the generation; each first view of a product in a day writes it
    . '|_transient_wc_related_\w+';
/** With these values of option_name. */
const PRIVATE_METADATA = '_edit_lock|_woocommerce_persistent_cart_\d+';
/** With these values of meta_key: what an open editor writes every ten seconds, and the cart of a signed-in user. */

function changes_pages(string $sql): bool
{
    global $wpdb;
    if (preg_match(READS, $sql) || is_private_metadata($sql)) {
        return false;
    }
    $write = '\s*(INSERT(\s+IGNORE)?\s+INTO|REPLACE\s+INTO|UPDATE|DELETE\s+FROM)\s+`?' . $wpdb->prefix;
    $private = "/^{$write}(" . PRIVATE_TABLES . ')`?(\s*\(|\s+(SET|WHERE|VALUES|SELECT)\b)/i';
    $name = "'(" . PRIVATE_OPTIONS . ")'";
    // one row with this name, as wpdb or a statement of ours writes it
    $values = "{$name}(,\\s*'([^'\\\\]++|\\\\.)*+')*+";
    $inserted = "\\(`?option_name`?,[^)]*\\)\\s+VALUES\\s+\\({$values}\\)\\s*(ON DUPLICATE KEY UPDATE\\s[^']*)?$";
    $changed = "(SET\\s.*)?WHERE `?option_name`? = {$name}(\\s+AND option_value > \\d+)?\\s*$";
    $option = "/^{$write}options`?\\s+({$inserted}|{$changed})/is";
    return !preg_match($private, $sql) && !preg_match($option, $sql);
}

/** One row with this key, as wpdb writes it. */
function is_private_metadata(string $sql): bool
{
    global $wpdb;
    $key = "'(" . PRIVATE_METADATA . ")'";
    $into = "INSERT INTO `{$wpdb->prefix}(post|user)meta` \\(`\\w+_id`, `meta_key`, `meta_value`\\)";
    $inserted = "{$into} VALUES \\(\\d+, {$key}, '([^'\\\\]++|\\\\.)*+'\\)";
    $changed = "UPDATE `{$wpdb->prefix}(post|user)meta` SET .*WHERE `\\w+_id` = \\d+ AND `meta_key` = {$key}";
    return preg_match("/^\\s*({$inserted}|{$changed})\\s*$/s", $sql) === 1;
}

add_filter('query', static function (string $sql): string {
    if (changes_pages($sql)) {
        PageGeneration::close();
    }
    return $sql;
}, PHP_INT_MAX);
// new files of a plugin or a theme
add_action('upgrader_process_complete', PageGeneration::close(...));
PageGeneration::start();
