<?php
/** Mail: by the server that STORE_SMTP_URL names, or by an owner's plugin. The platform's own orders send none. */

declare(strict_types=1);

namespace Storefleet\Site;

use PHPMailer\PHPMailer\PHPMailer;
use WP_Error;

add_filter('pre_wp_mail', __NAMESPACE__ . '\hold_mail', 10, 2);
if (getenv('STORE_SMTP_URL')) {
    add_action('phpmailer_init', __NAMESPACE__ . '\send_by_smtp');
    // after WooCommerce, which has the merchant's own address, and after plugins, which may know another server
    add_action('phpmailer_init', __NAMESPACE__ . '\send_as_its_sender', 99);
}
add_action('wp_mail_failed', static fn ($why) => error_log("A mail was not sent: {$why->get_error_message()}"));

const SMTP_PATIENCE = 10;
/** Seconds. */

/** True says that it was sent: nobody shall try again. Without a server it says the truth. */
function hold_mail(?bool $answer, array $mail): ?bool
{
    if (defined('STOREFLEET_PROGRAM') || is_proof()) {
        return true;
    }
    // without a server of the platform's, a plugin of the owner's may know one
    if (STOREFLEET_WRITABLE || getenv('STORE_SMTP_URL')) {
        return $answer;
    }
    $why = 'STORE_SMTP_URL is not set.';
    do_action('wp_mail_failed', new WP_Error('wp_mail_failed', $why, ['subject' => $mail['subject']]));
    return false;
}

/** @return array<string, mixed> as PHP takes a URL apart, and `within`: whether it is a Service of the cluster's */
function mail_server(): array
{
    $server = parse_url((string) getenv('STORE_SMTP_URL')) ?: [];
    $server += ['scheme' => '', 'host' => ''];
    return [...$server, 'within' => preg_match('/\.svc(\.|$)/', $server['host']) === 1];
}

/**
 * `smtps://user:password@host:465`, or `smtp://…:587`, which begins TLS. Within the cluster `smtp://` is without:
 * nobody there has a certificate that others know.
 */
function send_by_smtp(PHPMailer $mailer): void
{
    $server = mail_server();
    $safe = $server['scheme'] === 'smtps';
    $mailer->isSMTP();
    $mailer->Host = $server['host'];
    $mailer->Port = $server['port'] ?? ($safe ? 465 : 587);
    $mailer->SMTPSecure = match (true) {
        $safe => PHPMailer::ENCRYPTION_SMTPS,
        $server['within'] => '',
        default => PHPMailer::ENCRYPTION_STARTTLS,
    };
    $mailer->SMTPAutoTLS = false;
    $mailer->SMTPAuth = isset($server['user']);
    $mailer->Username = rawurldecode($server['user'] ?? '');
    $mailer->Password = rawurldecode($server['pass'] ?? '');
    // else a server that is silent would hold each of the shop's few workers for five minutes
    $mailer->Timeout = SMTP_PATIENCE;
    $mailer->getSMTPInstance()->Timelimit = SMTP_PATIENCE;
}

/** `?from=`, which then sends for all: a server refuses senders that it doesn't know. */
function send_as_its_sender(PHPMailer $mailer): void
{
    $server = mail_server();
    parse_str($server['query'] ?? '', $more);
    if (isset($more['from']) && $mailer->Host === $server['host']) {
        $mailer->setFrom($more['from'], $mailer->FromName, false);
    }
}
