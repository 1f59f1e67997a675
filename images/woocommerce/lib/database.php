<?php
/** The store's database before WordPress is loaded: waiting for it, a lock, and reading options. */

declare(strict_types=1);

namespace Storefleet;

use mysqli;
use mysqli_sql_exception;

/** A separate connection: its lock is held exactly as long as this process lives. */
final class Database
{
    private const ER_ACCESS_DENIED_ERROR = 1045;
    private const ER_NO_SUCH_TABLE = 1146;

    private function __construct(private readonly mysqli $connection)
    {
    }

    /** Waits until the database accepts connections. Throws UserError after so many seconds. */
    public static function wait(int $seconds): self
    {
        mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
        $deadline = microtime(true) + $seconds;
        for ($attempt = 1; ; $attempt++) {
            // packets to a Service without endpoints may be dropped, and TCP retransmits only after a second
            if ($attempt % 20 !== 0 && !self::isPortOpen()) {
                usleep(50_000);
                continue;
            }
            try {
                return new self(self::connect());
            } catch (mysqli_sql_exception $error) {
                if (microtime(true) > $deadline) {
                    throw new UserError(self::describeError($error, $seconds));
                }
            }
            usleep(100_000);
        }
    }

    private static function isPortOpen(): bool
    {
        [$host, $port] = self::address();
        $socket = @fsockopen($host, $port, timeout: 0.2);
        return $socket !== false && fclose($socket);
    }

    /** @return array{string, int} host and port */
    private static function address(): array
    {
        [$host, $port] = array_pad(explode(':', required_env('WORDPRESS_DB_HOST'), 2), 2, '3306');
        return [$host, (int) $port];
    }

    private static function connect(): mysqli
    {
        [$host, $port] = self::address();
        $connection = mysqli_init();
        $connection->options(MYSQLI_OPT_CONNECT_TIMEOUT, 3);
        // `@`: a host name that can't be resolved yet raises a warning in addition to the exception
        @$connection->real_connect(
            $host,
            required_env('WORDPRESS_DB_USER'),
            required_env('WORDPRESS_DB_PASSWORD'),
            required_env('WORDPRESS_DB_NAME'),
            $port,
        );
        $connection->set_charset('utf8mb4');
        return $connection;
    }

    private static function describeError(mysqli_sql_exception $error, int $seconds): string
    {
        return $error->getCode() === self::ER_ACCESS_DENIED_ERROR
            ? 'The database refuses the user of WordPress: its password is not the one the database was made with.'
            : "The database did not answer within {$seconds} seconds: {$error->getMessage()}";
    }

    /**
     * Acquires an advisory lock. The server releases it when this process dies. If the whole node dies, the server
     * doesn't notice: wait_timeout closes a connection after two idle minutes.
     */
    public function lock(string $name, int $seconds): void
    {
        $this->connection->query("SET SESSION wait_timeout = {$seconds} + 120");
        $row = $this->connection->execute_query('SELECT GET_LOCK(?, ?)', [$name, $seconds])->fetch_row();
        if ($row === null || (int) $row[0] !== 1) {
            throw new UserError("Another {$name} has run for {$seconds} seconds: wait for its end, then retry.");
        }
        $this->connection->query('SET SESSION wait_timeout = 120');
    }

    /** Keeps the connection, and so the lock. Throws UserError if it is lost: another program may have the lock. */
    public function ensureConnected(): void
    {
        try {
            $this->connection->query('SELECT 1');
        } catch (mysqli_sql_exception) {
            throw new UserError('The connection to the database was lost: run this again.');
        }
    }

    /** A WordPress option; null if the option or its table doesn't exist. */
    public function option(string $name): ?string
    {
        $query = 'SELECT option_value FROM wp_options WHERE option_name = ?';
        try {
            $result = $this->connection->execute_query($query, [$name]);
        } catch (mysqli_sql_exception $error) {
            return $error->getCode() === self::ER_NO_SUCH_TABLE ? null : throw $error;
        }
        return $result->fetch_row()[0] ?? null;
    }

    /**
     * Deletes the lock that a killed run of WooCommerce's installer left: with it, the installer would do nothing for
     * ten minutes. A lock younger than so many seconds may belong to a running installer in a web pod.
     */
    public function deleteStaleInstallerLock(int $seconds): void
    {
        $expired = 'option_value <= UNIX_TIMESTAMP() - ' . $seconds;
        $this->connection->query("DELETE FROM wp_options WHERE option_name = 'wc_installing' AND {$expired}");
        if ($this->connection->affected_rows > 0) {
            $this->connection->query("DELETE FROM wp_options WHERE option_name LIKE '%_wc_installing'");
        }
    }
}
