<?php
/** The store's database before WordPress knows it: waited for, locked, and asked how far the shop has come. */

declare(strict_types=1);

namespace Storefleet;

use mysqli;
use mysqli_sql_exception;

/** A connection of its own, so that the lock it holds lives exactly as long as this process. */
final class Database
{
    private const REFUSED = 1045;
    private const NO_TABLE = 1146;

    private function __construct(private readonly mysqli $link)
    {
    }

    /** Waits until the database answers; its own start takes a while. Raises Problem after so many seconds. */
    public static function wait(int $seconds): self
    {
        mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
        $until = microtime(true) + $seconds;
        for ($tries = 1; ; $tries++) {
            // packets to a Service that leads nowhere yet may be lost, and are sent again only after a second
            if ($tries % 20 !== 0 && !self::listens()) {
                usleep(50_000);
                continue;
            }
            try {
                return new self(self::connect());
            } catch (mysqli_sql_exception $error) {
                if (microtime(true) > $until) {
                    throw new Problem(self::why($error, $seconds));
                }
            }
            usleep(100_000);
        }
    }

    private static function listens(): bool
    {
        [$host, $port] = self::address();
        $knock = @fsockopen($host, $port, timeout: 0.2);
        return $knock !== false && fclose($knock);
    }

    /** @return array{string, int} host and port */
    private static function address(): array
    {
        [$host, $port] = array_pad(explode(':', required('WORDPRESS_DB_HOST'), 2), 2, '3306');
        return [$host, (int) $port];
    }

    private static function connect(): mysqli
    {
        [$host, $port] = self::address();
        $link = mysqli_init();
        $link->options(MYSQLI_OPT_CONNECT_TIMEOUT, 3);
        // the name of a Service that is just being made resolves a moment later: a warning, and an error as well
        @$link->real_connect(
            $host,
            required('WORDPRESS_DB_USER'),
            required('WORDPRESS_DB_PASSWORD'),
            required('WORDPRESS_DB_NAME'),
            $port,
        );
        $link->set_charset('utf8mb4');
        return $link;
    }

    private static function why(mysqli_sql_exception $error, int $seconds): string
    {
        return $error->getCode() === self::REFUSED
            ? 'The database refuses the user of WordPress: its password is not the one the database was made with.'
            : "The database did not answer within {$seconds} seconds: {$error->getMessage()}";
    }

    /**
     * One program at a time. The server frees the lock when this process dies; where the whole node died it learns of
     * that late, so it gives up a connection that was silent for two minutes.
     */
    public function lock(string $name, int $seconds): void
    {
        $this->link->query("SET SESSION wait_timeout = {$seconds} + 120");
        $got = $this->link->execute_query('SELECT GET_LOCK(?, ?)', [$name, $seconds])->fetch_row();
        if ($got === null || (int) $got[0] !== 1) {
            throw new Problem("Another {$name} has been running for {$seconds} seconds: wait for its end, then retry.");
        }
        $this->link->query('SET SESSION wait_timeout = 120');
    }

    /** Keeps the lock, or says that it is lost: another program may be at work by now. */
    public function keep(): void
    {
        try {
            $this->link->query('SELECT 1');
        } catch (mysqli_sql_exception) {
            throw new Problem('The connection to the database was lost: run this again.');
        }
    }

    /** An option of WordPress; null where it or its table isn't there. */
    public function option(string $name): ?string
    {
        try {
            $found = $this->link->execute_query('SELECT option_value FROM wp_options WHERE option_name = ?', [$name]);
        } catch (mysqli_sql_exception $error) {
            return $error->getCode() === self::NO_TABLE ? null : throw $error;
        }
        return $found->fetch_row()[0] ?? null;
    }

    /**
     * What a killed run leaves: for ten minutes WooCommerce's installer would silently do nothing. One that began less
     * than so many seconds ago may still be at work, in a web pod.
     */
    public function forgetKilledInstaller(int $seconds): void
    {
        $lock = 'option_value <= UNIX_TIMESTAMP() - ' . $seconds;
        $this->link->query("DELETE FROM wp_options WHERE option_name = 'wc_installing' AND {$lock}");
        if ($this->link->affected_rows > 0) {
            $this->link->query("DELETE FROM wp_options WHERE option_name LIKE '%_wc_installing'");
        }
    }
}
