<?php
/**
 * auto_prepend_file of the killed programs: stops before the INSERT that KILL_BEFORE names, and waits for SIGKILL.
 * `3 wp_terms`: before the third INSERT INTO wp_terms.
 */

declare(strict_types=1);

$GLOBALS['wp_filter']['query'][10][] = [
    'function' => static function (string $query): string {
        static $count = 0;
        [$number, $table] = explode(' ', (string) getenv('KILL_BEFORE'));
        $plain = ltrim(str_replace('`', '', $query));
        if (str_starts_with($plain, "INSERT INTO {$table} ") && ++$count === (int) $number) {
            error_log('KILL_BEFORE');
            sleep(60);
        }
        return $query;
    },
    'accepted_args' => 1,
];
