"""The commands of owners, on their webhooks. Each is a function in the caller's transaction: it never commits.

A change that a worker must not overwrite ends the worker's lease: the result of an attempt under way is not recorded,
and its message is sent again.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.audit import audit
from accounts.errors import CallerError, Code
from accounts.idempotency import claim_idempotency_key
from accounts.models import Account
from runtime.sealing import Keyring
from stores.events import EVENT_TYPES, is_expired, last_seq
from stores.ids import decode_event_cursor
from stores.webhooks.models import Webhook
from stores.webhooks.secrets import add_secret
from stores.webhooks.urls import check_url, host_of

MAX_WEBHOOKS = 20
"""In an account."""
MAX_OVERLAP_HOURS = 168


async def create_webhook(
    session: AsyncSession,
    actor: Actor,
    keys: Keyring,
    private_networks: Sequence[str],
    account_id: UUID | None,
    *,
    url: str,
    event_types: Collection[str] | None,
    idempotency_key: str | None,
) -> tuple[Webhook, str | None]:
    """The webhook, from the account's next event on, and its secret; None instead of the secret when this is a replay.

    `event_types` None: all. Raises CallerError.
    """
    account_id = actor.resolve_account(account_id)
    check_url(url, private_networks)
    types = _check_types(event_types)
    webhook_id = uuid4()
    if idempotency_key is not None:
        given = {"url": url, "eventTypes": types}
        first = await claim_idempotency_key(session, account_id, "createWebhook", idempotency_key, given, webhook_id)
        if first is not None:
            return await _require(session, actor, first), None
    await session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))
    existing = await session.scalar(select(func.count()).where(Webhook.account_id == account_id))
    if (existing or 0) >= MAX_WEBHOOKS:
        message = f"An account has at most {MAX_WEBHOOKS} webhooks. Delete one that you no longer need."
        raise CallerError(Code.QUOTA_EXCEEDED, None, message)
    webhook = Webhook(
        id=webhook_id,
        account_id=account_id,
        url=url,
        event_types=types,
        seq=await last_seq(session, account_id),
    )
    session.add(webhook)
    await session.flush()
    secret = await add_secret(session, keys, webhook_id, timedelta(0))
    _audit(session, actor, webhook, "webhook.created", types=types)
    return webhook, secret


async def update_webhook(
    session: AsyncSession,
    actor: Actor,
    private_networks: Sequence[str],
    webhook_id: UUID | None,
    *,
    url: str | None,
    event_types: Collection[str] | None,
    enabled: bool | None,
) -> Webhook:
    """Change what is not None. `enabled` True: continue where the delivery stopped, at once. Raises CallerError."""
    webhook = await _require(session, actor, webhook_id)
    if url is not None:
        webhook.url = check_url(url, private_networks)
    if event_types is not None:
        webhook.event_types = _check_types(event_types)
    if enabled:
        if await is_expired(session, webhook.account_id, webhook.seq):
            message = "Some events since the delivery stopped are no longer kept. Replay it after a newer cursor."
            raise CallerError(Code.CURSOR_EXPIRED, "enabled", message)
        _start(webhook)
    elif enabled is False and webhook.disabled_at is None:
        webhook.disabled_at, webhook.cause = func.now(), "Disabled by its owner."
        webhook.failures, webhook.failing_since = 0, None
    elif webhook.disabled_at is None:
        _start(webhook)  # another URL may work at once
    _end_lease(webhook)
    await session.flush()
    await session.refresh(webhook)
    _audit(session, actor, webhook, "webhook.updated", types=webhook.event_types, enabled=webhook.disabled_at is None)
    return webhook


async def delete_webhook(session: AsyncSession, actor: Actor, webhook_id: UUID | None) -> UUID:
    """Delete the webhook with its secrets and the log of its deliveries. Returns its id. Raises CallerError."""
    webhook = await _require(session, actor, webhook_id)
    await session.delete(webhook)
    await session.flush()
    _audit(session, actor, webhook, "webhook.deleted")
    return webhook.id


async def rotate_webhook_secret(
    session: AsyncSession, actor: Actor, keys: Keyring, webhook_id: UUID | None, overlap_hours: int
) -> tuple[Webhook, str]:
    """The webhook and its new secret. The secret before it signs, too, for the overlap. Raises CallerError."""
    if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        message = f"Give an overlap of 0 to {MAX_OVERLAP_HOURS} hours."
        raise CallerError(Code.INVALID_EXPIRY, "overlapHours", message)
    webhook = await _require(session, actor, webhook_id)
    secret = await add_secret(session, keys, webhook.id, timedelta(hours=overlap_hours))
    _audit(session, actor, webhook, "webhook.secret_rotated", overlapHours=overlap_hours)
    return webhook, secret


async def test_webhook(session: AsyncSession, actor: Actor, webhook_id: UUID | None) -> Webhook:
    """Have a worker send a test, also if the webhook is disabled. Raises CallerError."""
    webhook = await _require(session, actor, webhook_id)
    webhook.test_id = uuid4()
    await session.flush()
    return webhook


async def replay_webhook(session: AsyncSession, actor: Actor, webhook_id: UUID | None, after: str) -> Webhook:
    """Deliver again what follows the cursor, and enable the webhook. Raises CallerError."""
    webhook = await _require(session, actor, webhook_id)
    decoded = decode_event_cursor(after)
    if decoded is None or decoded[0] != webhook.account_id or decoded[1] > await last_seq(session, webhook.account_id):
        raise CallerError(Code.INVALID_CURSOR, "after", "Give a cursor of this account's events.")
    if await is_expired(session, webhook.account_id, decoded[1]):
        message = "Events after this cursor are no longer kept. Give a newer cursor."
        raise CallerError(Code.CURSOR_EXPIRED, "after", message)
    webhook.seq = decoded[1]
    _start(webhook)
    _end_lease(webhook)
    await session.flush()
    await session.refresh(webhook)
    _audit(session, actor, webhook, "webhook.replayed", after=decoded[1])
    return webhook


def _start(webhook: Webhook) -> None:
    webhook.disabled_at, webhook.cause, webhook.failing_since, webhook.failures = None, None, None, 0
    webhook.due_at = func.now()


def _end_lease(webhook: Webhook) -> None:
    webhook.lease_epoch += 1
    webhook.lease_holder = webhook.lease_until = None


async def _require(session: AsyncSession, actor: Actor, webhook_id: UUID | None) -> Webhook:
    """The actor's webhook, locked. Raises CallerError NOT_FOUND, also for a malformed id (None)."""
    webhook = await session.scalar(
        select(Webhook)
        .where(Webhook.id == webhook_id, Webhook.account_id.in_(actor.roles))
        .with_for_update(key_share=True)
    )
    if webhook is None:
        raise CallerError(Code.NOT_FOUND, "id", "There is no such webhook.")
    return webhook


def _check_types(event_types: Collection[str] | None) -> list[str]:
    """In the order of EVENT_TYPES, each once. Raises CallerError."""
    if event_types is None:
        return list(EVENT_TYPES)
    if not event_types:
        raise CallerError(Code.INVALID_EVENT_TYPES, "eventTypes", "Choose at least one type of event.")
    return [name for name in EVENT_TYPES if name in event_types]


def _audit(session: AsyncSession, actor: Actor, webhook: Webhook, action: str, **detail: Any) -> None:
    """With the host only: the rest of a URL may be a secret."""
    host = host_of(webhook.url)
    audit(session, webhook.account_id, actor.name, action, f"webhook:{webhook.id}", host=host, **detail)
