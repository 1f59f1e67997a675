<?php
/** Mail: sent by the server in STORE_SMTP_URL or by a plugin of the owner. The proof's orders send no mail. */

declare(strict_types=1);

namespace Storefleet\MuPlugin;

use PHPMailer\PHPMailer\PHPMailer;
use WP_Error;

add_filter('pre_wp_mail', __NAMESPACE__ . '\block_mail', 10, 2);
if (getenv('STORE_SMTP_URL')) {
    add_action('phpmailer_init', __NAMESPACE__ . '\configure_smtp');
    // after WooCommerce, which sets the merchant's address, and after plugins, which may configure another server
    add_action('phpmailer_init', __NAMESPACE__ . '\set_sender', 99);
}
add_action('wp_mail_failed', static fn ($error) => error_log("A mail was not sent: {$error->get_error_message()}"));

add_filter('allow_password_reset', __NAMESPACE__ . '\refuse_reset_without_mail');

const SMTP_TIMEOUT = 10;
/** Seconds. */

/** True: treated as sent, so that it isn't retried. False: failed. Null or `$sent`: send it. */
function block_mail(?bool $sent, array $mail): ?bool
{
    if (defined('STOREFLEET_PROGRAM') || is_proof()) {
        return true;
    }
    if (can_send_mail()) {
        return $sent;
    }
    $why = 'STORE_SMTP_URL is not set.';
    do_action('wp_mail_failed', new WP_Error('wp_mail_failed', $why, ['subject' => $mail['subject']]));
    return false;
}

/** Without a server of the platform, a plugin of the owner may send it. */
function can_send_mail(): bool
{
    return STOREFLEET_CUSTOM_PLUGINS || getenv('STORE_SMTP_URL');
}

/** WooCommerce's page would say that the mail was sent. */
function refuse_reset_without_mail(mixed $allowed): mixed
{
    $why = 'This shop can\'t send mail, so it can\'t send a link for a new password. Please contact the shop.';
    return can_send_mail() ? $allowed : new WP_Error('storefleet_no_mail', $why);
}

/** @return array<string, mixed> the result of parse_url, and `in_cluster`: whether the host is a Service */
function smtp_server(): array
{
    $server = parse_url((string) getenv('STORE_SMTP_URL')) ?: [];
    $server += ['scheme' => '', 'host' => ''];
    return [...$server, 'in_cluster' => preg_match('/\.svc(\.|$)/', $server['host']) === 1];
}

/**
 * `smtps://user:password@host:465`, or `smtp://…:587` with STARTTLS. `smtp://` to a Service in the cluster has no TLS:
 * servers there have no certificate that clients trust.
 */
function configure_smtp(PHPMailer $mailer): void
{
    $server = smtp_server();
    $smtps = $server['scheme'] === 'smtps';
    $mailer->isSMTP();
    $mailer->Host = $server['host'];
    $mailer->Port = $server['port'] ?? ($smtps ? 465 : 587);
    $mailer->SMTPSecure = match (true) {
        $smtps => PHPMailer::ENCRYPTION_SMTPS,
        $server['in_cluster'] => '',
        default => PHPMailer::ENCRYPTION_STARTTLS,
    };
    $mailer->SMTPAutoTLS = false;
    $mailer->SMTPAuth = isset($server['user']);
    $mailer->Username = rawurldecode($server['user'] ?? '');
    $mailer->Password = rawurldecode($server['pass'] ?? '');
    // the default of five minutes would block one of the few web server processes for each mail
    $mailer->Timeout = SMTP_TIMEOUT;
    $mailer->getSMTPInstance()->Timelimit = SMTP_TIMEOUT;
}

/** The sender address of all mail from `?from=` of the URL: mail servers refuse unknown senders. */
function set_sender(PHPMailer $mailer): void
{
    $server = smtp_server();
    parse_str($server['query'] ?? '', $query);
    if (isset($query['from']) && $mailer->Host === $server['host']) {
        $mailer->setFrom($query['from'], $mailer->FromName, false);
    }
}
