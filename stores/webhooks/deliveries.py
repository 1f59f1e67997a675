"""The work of a webhook: its next message, and the result of an attempt to send it.

A worker that holds the lease of a webhook sends its messages one by one, in the order of the events. Each write names
the lease's epoch (a fencing token): a worker that lost the lease changes nothing. An attempt whose result was not
written is made again, so a receiver gets each event once or more.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.jitter import jitter
from stores.events import last_seq
from stores.ids import encode_event_cursor
from stores.models import AccountStream, Event
from stores.webhooks.models import Webhook, WebhookDelivery, WebhookSecret

LEASE_SECONDS = 30.0
"""Longer than an attempt."""
BACKOFF_SECONDS = 5.0
"""The pause after the first failure. It doubles with each failure."""
MAX_BACKOFF_SECONDS = 1800.0
PATIENCE = timedelta(hours=24)
"""How long an event is tried before its webhook is disabled."""
RETENTION = timedelta(days=30)
"""How long attempts are listed."""
TEST_TYPE = "webhook.test"
GONE = 410
"""The status with which a receiver asks for no more messages (Standard Webhooks)."""


class WebhookLeaseLost(Exception):
    """Another worker may hold the lease by now, or the owner has changed the webhook: write nothing more."""


@dataclass
class WebhookLease:
    """The right of one worker to send a webhook's messages."""

    webhook_id: UUID
    epoch: int
    deadline: float
    """Seconds on this process's monotonic clock: never later than the database's deadline."""

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()


@dataclass(frozen=True)
class Message:
    """What to send next."""

    id: str
    """The header `webhook-id`: an event's cursor."""
    type: str
    url: str
    attempt: int
    event: Event | None
    """None: a test."""
    webhook_id: UUID
    sealed_secrets: tuple[str, ...]
    """The current one first."""


@dataclass(frozen=True)
class Attempt:
    """How sending a message ended."""

    latency_ms: int
    status_code: int | None
    error: str | None
    """None: delivered."""


def message_type(event_type: str) -> str:
    """`store.status` for STATUS: as messages name their types."""
    return f"store.{event_type.lower()}"


async def claim_due_webhooks(session: AsyncSession, *, holder: str, failing: bool, limit: int) -> list[WebhookLease]:
    """Lease at most `limit` webhooks that have something to send, and that are `failing` or not; the longest due first.
    Rows that another transaction has locked are skipped."""
    deadline = time.monotonic() + LEASE_SECONDS
    due = (
        select(Webhook.id)
        .outerjoin(AccountStream, AccountStream.account_id == Webhook.account_id)  # none before the first store
        .where(
            or_(
                Webhook.test_id.is_not(None),
                and_(Webhook.disabled_at.is_(None), AccountStream.seq > Webhook.seq, Webhook.due_at <= func.now()),
            ),
            or_(Webhook.lease_until.is_(None), Webhook.lease_until < func.now()),
            Webhook.failures > 0 if failing else Webhook.failures == 0,
        )
        .order_by(Webhook.due_at)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True, of=Webhook)
    )
    rows = await session.execute(
        update(Webhook)
        .where(Webhook.id.in_(due))
        .values(
            lease_holder=holder,
            lease_epoch=Webhook.lease_epoch + 1,
            lease_until=func.now() + timedelta(seconds=LEASE_SECONDS),
        )
        .returning(Webhook.id, Webhook.lease_epoch)
        .execution_options(synchronize_session=False)
    )
    return [WebhookLease(row.id, row.lease_epoch, deadline) for row in rows]


async def release_webhooks(session: AsyncSession, holder: str) -> None:
    """End all leases of a worker that shuts down and sends nothing more."""
    await session.execute(
        update(Webhook)
        .where(Webhook.lease_holder == holder, Webhook.lease_until > func.now())
        .values(lease_until=None, lease_holder=None, lease_epoch=Webhook.lease_epoch + 1)
        .execution_options(synchronize_session=False)
    )


async def next_message(session: AsyncSession, lease: WebhookLease) -> Message | None:
    """What the webhook sends next, with the lease renewed. None: nothing is due, and the lease has ended. Raises
    WebhookLeaseLost."""
    deadline = time.monotonic() + LEASE_SECONDS
    webhook = await _lock(session, lease)
    now = await _now(session)
    event = None
    if webhook.test_id is None and webhook.disabled_at is None and webhook.due_at <= now:
        until = await last_seq(session, webhook.account_id)  # first: a later event is read by the next query, or later
        event = await session.scalar(
            select(Event)
            .where(Event.account_id == webhook.account_id, Event.seq > webhook.seq, Event.type.in_(webhook.event_types))
            .order_by(Event.seq)
            .limit(1)
        )
        if event is None:
            webhook.seq = max(webhook.seq, until)
    if webhook.test_id is not None:
        message_id, kind = _test_message_id(webhook.test_id), TEST_TYPE
    elif event is not None:
        message_id, kind = encode_event_cursor(event.account_id, event.seq), message_type(event.type)
    else:
        webhook.lease_holder = webhook.lease_until = None
        return None
    webhook.lease_until = now + timedelta(seconds=LEASE_SECONDS)
    lease.deadline = deadline
    sealed = await session.scalars(
        select(WebhookSecret.sealed)
        .where(
            WebhookSecret.webhook_id == webhook.id,
            or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > func.now()),
        )
        .order_by(WebhookSecret.created_at.desc(), WebhookSecret.id)
    )
    return Message(
        id=message_id,
        type=kind,
        url=webhook.url,
        attempt=1 if event is None else webhook.failures + 1,
        event=event,
        webhook_id=webhook.id,
        sealed_secrets=tuple(sealed),
    )


async def record_attempt(session: AsyncSession, lease: WebhookLease, message: Message, attempt: Attempt) -> bool:
    """Write the result, and what follows from it. Whether the next message may be sent at once. Raises
    WebhookLeaseLost."""
    webhook = await _lock(session, lease)
    now = await _now(session)
    next_attempt_at = None
    if message.event is None:
        if webhook.test_id is not None and message.id == _test_message_id(webhook.test_id):
            webhook.test_id = None  # otherwise its owner has asked for another test meanwhile
        if attempt.error is None:
            webhook.due_at = now
    elif attempt.error is None:
        webhook.seq = message.event.seq
        webhook.failures, webhook.failing_since, webhook.cause = 0, None, None
        webhook.due_at = now
    else:
        next_attempt_at = _record_failure(webhook, attempt, attempt.error, now)
    session.add(
        WebhookDelivery(
            webhook_id=webhook.id,
            message_id=message.id,
            type=message.type,
            seq=message.event.seq if message.event is not None else None,
            attempt=message.attempt,
            latency_ms=attempt.latency_ms,
            status_code=attempt.status_code,
            error=attempt.error,
            next_attempt_at=next_attempt_at,
        )
    )
    return message.event is None or attempt.error is None


def _test_message_id(test_id: UUID) -> str:
    return f"test_{test_id.hex}"


def _record_failure(webhook: Webhook, attempt: Attempt, error: str, now: datetime) -> datetime | None:
    """When the event is tried again; None: the webhook is disabled."""
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or now
    webhook.cause = error
    if attempt.status_code == GONE or now - webhook.failing_since >= PATIENCE:
        webhook.disabled_at = now
        return None
    webhook.due_at = now + timedelta(seconds=backoff(webhook.failures))
    return webhook.due_at


def backoff(failures: int) -> float:
    """Seconds before the next attempt: twice as long after each failure, up to MAX_BACKOFF_SECONDS; with jitter."""
    pause: float = min(BACKOFF_SECONDS * 2 ** min(failures - 1, 20), MAX_BACKOFF_SECONDS)
    return pause * jitter(0.8, 1.2)


async def release_lease(session: AsyncSession, lease: WebhookLease) -> None:
    """End the lease: another turn follows, after those of other webhooks. Does nothing if the lease is lost."""
    await session.execute(
        update(Webhook)
        .where(Webhook.id == lease.webhook_id, Webhook.lease_epoch == lease.epoch)
        .values(lease_until=None, lease_holder=None)
        .execution_options(synchronize_session=False)
    )


def expired_deliveries() -> ColumnElement[bool]:
    """Attempts that are no longer listed; the workers' maintenance deletes them."""
    return WebhookDelivery.at < func.now() - RETENTION


def expired_secrets() -> ColumnElement[bool]:
    """Secrets that no longer sign; the workers' maintenance deletes them."""
    return WebhookSecret.expires_at < func.now()


async def _lock(session: AsyncSession, lease: WebhookLease) -> Webhook:
    webhook = await session.scalar(
        select(Webhook)
        .where(Webhook.id == lease.webhook_id, Webhook.lease_epoch == lease.epoch)
        .with_for_update(key_share=True)
    )
    if webhook is None:
        raise WebhookLeaseLost
    return webhook


async def _now(session: AsyncSession) -> datetime:
    """The database's clock, which decides."""
    now: datetime = (await session.execute(select(func.now()))).scalar_one()
    return now
