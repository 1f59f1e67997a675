<?php
/**
 * A must-use plugin of `bench.shop_pages`. In the folder of uploads it writes lines of JSON: which statements of a
 * request ended the page generation, and on what a request with X-Bench-Times spent its time.
 */

declare(strict_types=1);

const BENCH_FOLDER = '/var/www/html/wp-content/uploads';

final class BenchTimes
{
    /** @var array<string, true> */
    public static array $statements = [];
    /** @var array<string, float> milliseconds since the request came */
    public static array $times = [];

    public static function milliseconds(): float
    {
        return (microtime(true) - $_SERVER['REQUEST_TIME_FLOAT']) * 1000;
    }

    /** The table, and the name of the option or of the metadata; without numbers and hashes. */
    public static function summary(string $sql): string
    {
        preg_match('/^\s*(\w+).*?\bwp_(\w+)/s', $sql, $found);
        preg_match("/`(?:option_name|meta_key)` = '(\w+)'|VALUES\s*\((?:\d+,\s*)?'(\w+)'/", $sql, $named);
        $name = preg_replace('/\d+/', 'N', preg_replace('/[0-9a-f]{32}/', 'HASH', end($named) ?: ''));
        return trim(strtoupper($found[1] ?? '') . ' ' . ($found[2] ?? $sql) . " {$name}");
    }

    public static function write(string $file, mixed $line): void
    {
        file_put_contents(BENCH_FOLDER . "/{$file}", json_encode($line) . "\n", FILE_APPEND | LOCK_EX);
    }
}

// only then: other measurements shall not pay for it
if (is_file(BENCH_FOLDER . '/.bench-writes')) {
    add_filter('query', static function (string $sql): string {
        $asks = 'Storefleet\MuPlugin\changes_pages';
        if (function_exists($asks) && $asks($sql)) {
            BenchTimes::$statements[BenchTimes::summary($sql)] = true;
        }
        return $sql;
    });
}
// after those of all others
register_shutdown_function(static fn () => register_shutdown_function(static function (): void {
    if (BenchTimes::$statements !== []) {
        $request = PHP_SAPI === 'cli' ? 'a program' : strtok($_SERVER['REQUEST_URI'], '?');
        BenchTimes::write('.bench-writes', [$request, array_keys(BenchTimes::$statements)]);
    }
    if (BenchTimes::$times !== []) {
        global $wpdb;
        BenchTimes::$times['end'] = BenchTimes::milliseconds();
        BenchTimes::$times['in queries'] = array_sum(array_column($wpdb->queries, 1)) * 1000;
        BenchTimes::$times['queries'] = count($wpdb->queries);
        BenchTimes::write('.bench-times', BenchTimes::$times);
    }
}));

if (isset($_SERVER['HTTP_X_BENCH_TIMES'])) {
    define('SAVEQUERIES', true);
    BenchTimes::$times['WordPress'] = BenchTimes::milliseconds();
    foreach (['plugins_loaded', 'init', 'admin_init'] as $hook) {
        add_action($hook, static function () use ($hook): void {
            BenchTimes::$times[$hook] = BenchTimes::milliseconds();
        }, PHP_INT_MAX);
    }
}
