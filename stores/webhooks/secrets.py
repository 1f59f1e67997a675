"""The secrets of webhooks: made here, shown once, and sealed with the admin keys."""

import base64
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.sealing import Keyring
from stores.webhooks.models import WebhookSecret

FIELD = "webhook-secret"
PREFIX = "whsec_"
SECRET_BYTES = 32
MAX_SECRETS = 4
"""Secrets that sign a webhook's messages at the same time."""


async def add_secret(session: AsyncSession, keys: Keyring, webhook_id: UUID, overlap: timedelta) -> str:
    """A new current secret. The one before signs, too, for `overlap`; the oldest beyond MAX_SECRETS are deleted."""
    await session.execute(
        update(WebhookSecret)
        .where(WebhookSecret.webhook_id == webhook_id, WebhookSecret.expires_at.is_(None))
        .values(expires_at=func.now() + overlap)
        .execution_options(synchronize_session=False)
    )
    secret = PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    session.add(WebhookSecret(webhook_id=webhook_id, sealed=keys.seal(webhook_id, FIELD, secret)))
    await session.flush()
    oldest = (
        select(WebhookSecret.id)
        .where(WebhookSecret.webhook_id == webhook_id)
        .order_by(WebhookSecret.created_at.desc())
        .offset(MAX_SECRETS)
    )
    await session.execute(
        delete(WebhookSecret).where(WebhookSecret.id.in_(oldest)).execution_options(synchronize_session=False)
    )
    return secret


def open_secret(keys: Keyring, webhook_id: UUID, sealed: str) -> str:
    """`whsec_…`. Raises UnsealError."""
    return keys.unseal(webhook_id, FIELD, sealed)
