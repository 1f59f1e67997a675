<?php
/**
 * Whether the shop is set up and its database answers: 200, or 503 with the reason. Asked every two seconds. While it
 * is being set up the answer waits a little, so that a new shop opens when it is done and not at the next question.
 */

declare(strict_types=1);

const PATIENCE = 1.5;
/** Seconds; the probe's own are 2. */
const NO_TABLE = 1146;

header('Cache-Control: no-store');
header('Content-Type: text/plain');
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function is_set_up(mysqli $link): bool
{
    try {
        $found = $link->query("SELECT option_value FROM wp_options WHERE option_name = 'storefleet_shop'")->fetch_row();
    } catch (mysqli_sql_exception $error) {
        return $error->getCode() === NO_TABLE ? false : throw $error;
    }
    return ($found[0] ?? '') === 'ready';
}

try {
    [$host, $port] = array_pad(explode(':', (string) getenv('WORDPRESS_DB_HOST'), 2), 2, '3306');
    $link = mysqli_init();
    $link->options(MYSQLI_OPT_CONNECT_TIMEOUT, 1);
    $link->options(MYSQLI_OPT_READ_TIMEOUT, 1);
    @$link->real_connect(
        $host,
        (string) getenv('WORDPRESS_DB_USER'),
        (string) getenv('WORDPRESS_DB_PASSWORD'),
        (string) getenv('WORDPRESS_DB_NAME'),
        (int) $port,
    );
    $until = microtime(true) + PATIENCE;
    while (!($ready = is_set_up($link)) && microtime(true) < $until) {
        usleep(50_000);
    }
    $why = $ready ? null : 'the shop is not set up yet';
} catch (mysqli_sql_exception) {
    $why = 'the database does not answer';
}

http_response_code($why === null ? 200 : 503);
echo $why ?? 'ready', "\n";
