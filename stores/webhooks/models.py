"""Tables of webhooks. An event has no row of its own here: a webhook's `seq` says which events were delivered."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Identity, Index, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from accounts import models as accounts  # noqa: F401  # foreign keys refer to its tables
from runtime.database import Base


class Webhook(Base):
    """An endpoint that gets an account's events, and how far their delivery is."""

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    url: Mapped[str]
    event_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seq: Mapped[int] = mapped_column(BigInteger)
    """The number of the last event that was delivered, or that isn't of `event_types`."""
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """No attempt before it: the backoff."""
    failures: Mapped[int] = mapped_column(server_default="0")
    """Failed attempts for the next event."""
    failing_since: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    cause: Mapped[str | None]
    """Why the last attempt failed, or why the webhook is disabled."""
    test_id: Mapped[UUID | None]
    """A test that the owner asked for, until it was sent."""
    lease_holder: Mapped[str | None]
    lease_epoch: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Incremented by each claim, and by each change that a worker must not overwrite."""
    lease_until: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "event_types <@ ARRAY['STATUS', 'STEP', 'HEALTH', 'NOTICE'] AND cardinality(event_types) > 0",
            name="event_types",
        ),
        CheckConstraint("seq >= 0", name="seq"),
        CheckConstraint("(failures > 0) = (failing_since IS NOT NULL)", name="failing"),
        CheckConstraint("disabled_at IS NULL OR cause IS NOT NULL", name="disabled_has_cause"),
    )


class WebhookSecret(Base):
    """A secret that signs a webhook's messages, sealed with the admin keys (runtime/sealing.py)."""

    __tablename__ = "webhook_secrets"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"), index=True)
    sealed: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    """None: the current one. A rotation lets the one before sign, too, until then."""


class WebhookDelivery(Base):
    """One attempt to send one message."""

    __tablename__ = "webhook_deliveries"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    message_id: Mapped[str]
    """The header `webhook-id`: the same in each attempt for an event."""
    type: Mapped[str]
    """Such as `store.status`."""
    seq: Mapped[int | None] = mapped_column(BigInteger)
    """The event's number; None for a test."""
    attempt: Mapped[int]
    """From 1."""
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)
    """When it ended."""
    latency_ms: Mapped[int]
    status_code: Mapped[int | None]
    """None: there was no answer."""
    error: Mapped[str | None]
    """None: delivered."""
    next_attempt_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("attempt > 0", name="attempt"),
        CheckConstraint("error IS NOT NULL OR next_attempt_at IS NULL", name="next_attempt"),
        Index("ix_webhook_deliveries_webhook_id_id", "webhook_id", "id"),
    )
