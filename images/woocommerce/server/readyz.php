<?php
/** Whether the shop is set up and its database answers: 200, or 503 with the reason. Asked every two seconds. */

declare(strict_types=1);

header('Cache-Control: no-store');
header('Content-Type: text/plain');
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

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
    $found = $link->query("SELECT option_value FROM wp_options WHERE option_name = 'storefleet_shop'")->fetch_row();
    $why = ($found[0] ?? '') === 'ready' ? null : 'the shop is not set up yet';
} catch (mysqli_sql_exception $error) {
    $why = $error->getCode() === 1146 ? 'the shop is not set up yet' : 'the database does not answer';
}

http_response_code($why === null ? 200 : 503);
echo $why ?? 'ready', "\n";
