<?php
/**
 * The readiness probe: 200 if the shop is set up and its database answers, else 503 with the reason. During the
 * installation the response waits up to TIMEOUT_SECONDS, so that a new shop is ready before the next probe.
 */

declare(strict_types=1);

const TIMEOUT_SECONDS = 1.5;
/** Less than the probe's timeoutSeconds, 2. */
const ER_NO_SUCH_TABLE = 1146;

header('Cache-Control: no-store');
header('Content-Type: text/plain');
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function is_set_up(mysqli $connection): bool
{
    $query = "SELECT option_value FROM wp_options WHERE option_name = 'storefleet_shop'";
    try {
        $row = $connection->query($query)->fetch_row();
    } catch (mysqli_sql_exception $error) {
        return $error->getCode() === ER_NO_SUCH_TABLE ? false : throw $error;
    }
    return ($row[0] ?? '') === 'ready';
}

try {
    [$host, $port] = array_pad(explode(':', (string) getenv('WORDPRESS_DB_HOST'), 2), 2, '3306');
    $connection = mysqli_init();
    $connection->options(MYSQLI_OPT_CONNECT_TIMEOUT, 1);
    $connection->options(MYSQLI_OPT_READ_TIMEOUT, 1);
    @$connection->real_connect(
        $host,
        (string) getenv('WORDPRESS_DB_USER'),
        (string) getenv('WORDPRESS_DB_PASSWORD'),
        (string) getenv('WORDPRESS_DB_NAME'),
        (int) $port,
    );
    $deadline = microtime(true) + TIMEOUT_SECONDS;
    while (!($ready = is_set_up($connection)) && microtime(true) < $deadline) {
        usleep(50_000);
    }
    $why = $ready ? null : 'the shop is not set up yet';
} catch (mysqli_sql_exception) {
    $why = 'the database does not answer';
}

http_response_code($why === null ? 200 : 503);
echo $why ?? 'ready', "\n";
