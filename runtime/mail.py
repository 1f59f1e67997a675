"""Sends the platform's own mail through the mail server of `STOREFLEET_SMTP_URL`."""

import asyncio
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

import structlog
from pydantic import SecretStr

TIMEOUT_SECONDS = 10.0
"""For each answer of the mail server."""
SEND_SECONDS = 20.0
"""For a mail, with its wait for a thread."""
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="mail")
"""Not the event loop's own, which looks up names: a mail server that hangs would fill it."""

log = structlog.get_logger()


async def send_mail(server: SecretStr, sender: str, recipient: str, subject: str, text: str) -> bool:
    """Whether the server has taken the mail. `sender`: used unless the server's URL has `?from=`.

    False is logged, without the mail: it may have a secret link. A server that is too slow may still take it.
    """
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await asyncio.get_running_loop().run_in_executor(
                _threads, _send, server.get_secret_value(), sender, recipient, subject, text
            )
    except (OSError, smtplib.SMTPException) as error:
        log.warning("mail.not_sent", error=type(error).__name__)
        return False
    return True


def _send(url: str, sender: str, recipient: str, subject: str, text: str) -> None:
    """`smtps://`: TLS from the start; `smtp://`: STARTTLS if the server offers it. Raises OSError, SMTPException."""
    parts = urlsplit(url)
    [sender] = parse_qs(parts.query).get("from", [sender])
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message.set_content(text)
    host, context = parts.hostname or "", ssl.create_default_context()
    client = (
        smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=context)
        if parts.scheme == "smtps"
        else smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_SECONDS)
    )
    with client:
        client.ehlo()
        if parts.scheme == "smtp" and client.has_extn("starttls"):
            client.starttls(context=context)
        if parts.username and parts.password:
            client.login(unquote(parts.username), unquote(parts.password))
        client.send_message(message)
