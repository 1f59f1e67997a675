<?php
/** Limits sign-ins: ten failed attempts per client address in each quarter of an hour. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

use WP_User;

const MAX_ATTEMPTS = 10;
const WINDOW_SECONDS = 900;

add_filter('authenticate', __NAMESPACE__ . '\throttle_login', 1, 3);
add_filter('wp_is_application_passwords_available', static fn (bool $yes): bool => $yes && attempts() < MAX_ATTEMPTS);
add_action('application_password_failed_authentication', __NAMESPACE__ . '\count_attempt');
add_action('wp_login', __NAMESPACE__ . '\refund_attempt', 10, 0);
add_action('storefleet_cleanup', __NAMESPACE__ . '\delete_expired_attempts');

/** Counts before the password is checked: a hundred concurrent attempts count as a hundred. */
function throttle_login(mixed $user, string $name, string $password): mixed
{
    if ($user instanceof WP_User || $name === '' || $password === '') {
        return $user;
    }
    if (count_attempt() > MAX_ATTEMPTS) {
        $wait = WINDOW_SECONDS - time() % WINDOW_SECONDS;
        header("Retry-After: {$wait}");
        wp_die('Too many attempts to sign in. Wait a quarter of an hour, then try again.', 429);
    }
    return $user;
}

/** Adds one, in one atomic statement. Returns the new number. */
function count_attempt(): int
{
    global $wpdb;
    $wpdb->query($wpdb->prepare(
        "INSERT INTO {$wpdb->options} (option_name, option_value, autoload) VALUES (%s, '1', 'off')
         ON DUPLICATE KEY UPDATE option_value = option_value + 1",
        attempts_option(),
    ));
    return attempts();
}

function attempts(): int
{
    global $wpdb;
    $query = "SELECT option_value FROM {$wpdb->options} WHERE option_name = %s";
    return (int) $wpdb->get_var($wpdb->prepare($query, attempts_option()));
}

/** A successful sign-in takes back its own attempt only: an attacker with an account can't reset the count. */
function refund_attempt(): void
{
    global $wpdb;
    $wpdb->query($wpdb->prepare(
        "UPDATE {$wpdb->options} SET option_value = option_value - 1 WHERE option_name = %s AND option_value > 0",
        attempts_option(),
    ));
}

function delete_expired_attempts(): void
{
    global $wpdb;
    $now = intdiv(time(), WINDOW_SECONDS);
    $expired = $wpdb->prepare(
        "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE %s AND option_name NOT LIKE %s",
        $wpdb->esc_like('storefleet_tries_') . '%',
        $wpdb->esc_like("storefleet_tries_{$now}_") . '%',
    );
    // by name: a statement without names would end the generation of the page cache
    foreach ($wpdb->get_col($expired) as $name) {
        $wpdb->delete($wpdb->options, ['option_name' => $name]);
    }
}

/** The name of the option with the client address's attempts in this window. An IPv6 client has a whole /64. */
function attempts_option(): string
{
    $packed = (string) inet_pton($_SERVER['REMOTE_ADDR'] ?? '::');
    $network = strlen($packed) === 16 ? substr($packed, 0, 8) : $packed;
    return 'storefleet_tries_' . intdiv(time(), WINDOW_SECONDS) . '_' . bin2hex($network);
}
