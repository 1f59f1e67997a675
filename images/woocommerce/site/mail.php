<?php
/** Mail: by the server that STORE_SMTP_URL names, and only by that. The platform's own orders send none. */

declare(strict_types=1);

namespace Storefleet\Site;

use PHPMailer\PHPMailer\PHPMailer;
use WP_Error;

add_filter('pre_wp_mail', __NAMESPACE__ . '\hold_mail', 10, 2);
add_action('phpmailer_init', __NAMESPACE__ . '\send_by_smtp');

/** True says that it was sent: nobody shall try again. Without a server it says the truth. */
function hold_mail(?bool $answer, array $mail): ?bool
{
    if (defined('STOREFLEET_PROGRAM') || is_proof()) {
        return true;
    }
    if (getenv('STORE_SMTP_URL') ?: false) {
        return $answer;
    }
    $why = 'A mail was not sent: STORE_SMTP_URL is not set.';
    do_action('wp_mail_failed', new WP_Error('wp_mail_failed', $why, ['subject' => $mail['subject']]));
    error_log($why);
    return false;
}

/** `smtps://user:password@host:465`, or `smtp://…:587`, which begins TLS where the server offers it; `?from=` too. */
function send_by_smtp(PHPMailer $mailer): void
{
    $server = parse_url((string) getenv('STORE_SMTP_URL')) ?: [];
    $safe = ($server['scheme'] ?? '') === 'smtps';
    $mailer->isSMTP();
    $mailer->Host = $server['host'] ?? '';
    $mailer->Port = $server['port'] ?? ($safe ? 465 : 587);
    $mailer->SMTPSecure = $safe ? PHPMailer::ENCRYPTION_SMTPS : '';
    $mailer->SMTPAuth = isset($server['user']);
    $mailer->Username = rawurldecode($server['user'] ?? '');
    $mailer->Password = rawurldecode($server['pass'] ?? '');
    $mailer->Timeout = 10;
    parse_str($server['query'] ?? '', $more);
    if (isset($more['from'])) {
        $mailer->setFrom($more['from'], $mailer->FromName, false);
    }
}
