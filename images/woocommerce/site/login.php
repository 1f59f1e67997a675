<?php
/** Sign-in: ten wrong passwords in a quarter of an hour, then an address waits for the next quarter. */

declare(strict_types=1);

namespace Storefleet\Site;

use WP_User;

const TRIES = 10;
const QUARTER = 900;

add_filter('authenticate', __NAMESPACE__ . '\count_try', 1, 3);
add_filter('wp_is_application_passwords_available', static fn (bool $yes): bool => $yes && tries() < TRIES);
add_action('application_password_failed_authentication', __NAMESPACE__ . '\add_try');
add_action('wp_login', __NAMESPACE__ . '\take_back_try', 10, 0);
add_action('storefleet_tidy', __NAMESPACE__ . '\forget_old_tries');

/** Counts before the password is looked at, so that a hundred tries at the same moment are a hundred, too. */
function count_try(mixed $user, string $name, string $password): mixed
{
    if ($user instanceof WP_User || $name === '' || $password === '') {
        return $user;
    }
    if (add_try() > TRIES) {
        $wait = QUARTER - time() % QUARTER;
        header("Retry-After: {$wait}");
        wp_die('Too many attempts to sign in. Wait a quarter of an hour, then try again.', 429);
    }
    return $user;
}

/** One statement, which no other request can get between. Answers how many there are. */
function add_try(): int
{
    global $wpdb;
    $wpdb->query($wpdb->prepare(
        "INSERT INTO {$wpdb->options} (option_name, option_value, autoload) VALUES (%s, '1', 'off')
         ON DUPLICATE KEY UPDATE option_value = option_value + 1",
        counter(),
    ));
    return tries();
}

function tries(): int
{
    global $wpdb;
    $question = "SELECT option_value FROM {$wpdb->options} WHERE option_name = %s";
    return (int) $wpdb->get_var($wpdb->prepare($question, counter()));
}

/** Only this one: else whoever has an account of their own could begin again and again. */
function take_back_try(): void
{
    global $wpdb;
    $wpdb->query($wpdb->prepare(
        "UPDATE {$wpdb->options} SET option_value = option_value - 1 WHERE option_name = %s AND option_value > 0",
        counter(),
    ));
}

function forget_old_tries(): void
{
    global $wpdb;
    $now = intdiv(time(), QUARTER);
    $wpdb->query($wpdb->prepare(
        "DELETE FROM {$wpdb->options} WHERE option_name LIKE %s AND option_name NOT LIKE %s",
        $wpdb->esc_like('storefleet_tries_') . '%',
        $wpdb->esc_like("storefleet_tries_{$now}_") . '%',
    ));
}

/** The option that counts an address's tries in this quarter. Of IPv6 a customer has a whole /64. */
function counter(): string
{
    $packed = (string) inet_pton($_SERVER['REMOTE_ADDR'] ?? '::');
    $network = strlen($packed) === 16 ? substr($packed, 0, 8) : $packed;
    return 'storefleet_tries_' . intdiv(time(), QUARTER) . '_' . bin2hex($network);
}
