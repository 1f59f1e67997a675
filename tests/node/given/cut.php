<?php
/** PHP runs this before a program. It waits to be killed where CUT says: the third write to wp_terms is `3 wp_terms`. */

declare(strict_types=1);

$GLOBALS['wp_filter']['query'][10][] = [
    'function' => static function (string $query): string {
        static $seen = 0;
        [$number, $table] = explode(' ', (string) getenv('CUT'));
        if (str_starts_with(ltrim(str_replace('`', '', $query)), "INSERT INTO {$table} ") && ++$seen === (int) $number) {
            error_log('CUT');
            sleep(60);
        }
        return $query;
    },
    'accepted_args' => 1,
];
