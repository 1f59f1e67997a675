"""Tables of stores. What the database can refuse, it refuses: see the checks here and migration 0001's triggers."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    FetchedValue,
    ForeignKey,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from accounts import models as accounts  # noqa: F401  # foreign keys lead there
from runtime.database import Base
from stores.status import Desired, Health, Status, StepStatus


def _one_of(column: str, names: type[Status] | type[Desired] | type[Health] | type[StepStatus]) -> str:
    values = ", ".join(f"'{name.value}'" for name in names)
    return f"{column} IN ({values})"


class Store(Base):
    """What is wanted of one shop, and how far the cluster is from it."""

    __tablename__ = "stores"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    name: Mapped[str]
    slug: Mapped[str]
    engine: Mapped[str]
    release: Mapped[str]
    plan: Mapped[str]
    admin_email: Mapped[str]
    country: Mapped[str]
    currency: Mapped[str]
    language: Mapped[str] = mapped_column(server_default="en-US")
    setup: Mapped[str] = mapped_column(server_default="ready")
    """How the shop began, of what its engine offers (`setups`)."""
    cluster: Mapped[str] = mapped_column(server_default="main")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    desired: Mapped[str] = mapped_column(server_default=Desired.RUNNING.value)
    generation: Mapped[int] = mapped_column(BigInteger, server_default="1")
    """Counts what the owner asked for."""
    observed_generation: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """The last one that was reached."""
    status: Mapped[str] = mapped_column(server_default=Status.REQUESTED.value)
    failed_in: Mapped[str | None]
    cause: Mapped[str | None]
    """Why FAILED, or what keeps a deletion; with what to do about it."""
    health: Mapped[str | None]
    health_cause: Mapped[str | None]
    health_since: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    """When it was READY first."""
    deleted_at: Mapped[datetime | None]

    due_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    wake: Mapped[int] = mapped_column(BigInteger, server_default="1")
    seen_wake: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """What `wake` was when the last finished pass began: equal means that only time made it due."""
    rotating: Mapped[int | None] = mapped_column(BigInteger)
    """The generation in which the owner asked for another password, until that is in force or has failed."""
    failures: Mapped[int] = mapped_column(server_default="0")
    """Passes in a row that ended early; the back-off grows with it."""
    attempt: Mapped[int] = mapped_column(server_default="1")
    """Counts retries; Jobs of another attempt are made again."""
    trouble: Mapped[str | None]
    """What keeps a step and may pass by itself; FAILED when it lasts."""
    trouble_since: Mapped[datetime | None]
    lease_holder: Mapped[str | None]
    lease_epoch: Mapped[int] = mapped_column(BigInteger, server_default="0")
    lease_until: Mapped[datetime | None]

    namespace_uid: Mapped[str | None]
    spec_hash: Mapped[str | None]
    """Of the manifests as last rendered."""
    applied_hash: Mapped[str | None]
    """Of the manifests as last applied; None: apply again."""
    proof_hash: Mapped[str | None]
    """Of the manifests that the synthetic shopper bought from."""
    receipt: Mapped[dict[str, Any] | None]
    deletion: Mapped[dict[str, Any] | None]
    """What the deletion found and left: volumes, leftovers, times."""

    __table_args__ = (
        CheckConstraint(_one_of("status", Status), name="status"),
        CheckConstraint(_one_of("desired", Desired), name="desired"),
        CheckConstraint(_one_of("health", Health), name="health"),
        CheckConstraint("slug ~ '^[a-z0-9]([a-z0-9-]{1,38})[a-z0-9]$'", name="slug"),
        CheckConstraint("char_length(name) BETWEEN 1 AND 80", name="name"),
        CheckConstraint(
            "status <> 'READY' OR (proof_hash IS NOT NULL AND spec_hash IS NOT NULL AND proof_hash = spec_hash"
            " AND receipt IS NOT NULL AND ready_at IS NOT NULL AND health IS NOT NULL)",
            name="ready_is_proven",
        ),
        CheckConstraint("(status = 'FAILED') = (failed_in IS NOT NULL)", name="failed_in"),
        CheckConstraint("status <> 'FAILED' OR cause IS NOT NULL", name="failed_has_cause"),
        CheckConstraint("due_at IS NOT NULL OR status = 'DELETED'", name="never_forgotten"),
        CheckConstraint("(status IN ('DELETING', 'DELETED')) = (desired = 'DELETED')", name="delete_wins"),
        CheckConstraint("(status = 'DELETED') = (deleted_at IS NOT NULL)", name="deleted_at"),
        CheckConstraint("observed_generation <= generation", name="generation"),
        CheckConstraint("rotating <= generation", name="rotating"),
        Index("ix_stores_account_id_created_at", "account_id", "created_at", "id"),
        Index("ix_stores_due_at", "due_at"),
    )


class Slug(Base):
    """A name's owner; kept after deletion, so that nobody else can take over an address right away."""

    __tablename__ = "slugs"

    slug: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    released_at: Mapped[datetime | None]


class Step(Base):
    """One named part of a store's way."""

    __tablename__ = "steps"

    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    """From 1."""
    name: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=StepStatus.PENDING.value)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    message: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("store_id", "name"),
        CheckConstraint(_one_of("status", StepStatus), name="status"),
        CheckConstraint("(status = 'PENDING') = (started_at IS NULL)", name="started"),
        CheckConstraint("(status IN ('SUCCEEDED', 'FAILED')) = (finished_at IS NOT NULL)", name="finished"),
    )


class AccountStream(Base):
    """The last number given to an event of an account. Always the last lock that a transaction takes."""

    __tablename__ = "account_streams"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, server_default="0")


class Event(Base):
    """One line of an account's history."""

    __tablename__ = "events"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, FetchedValue(), primary_key=True)  # given by a trigger
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    type: Mapped[str]
    status: Mapped[str]
    """The store's, after the event."""
    step: Mapped[dict[str, Any] | None]
    """`{name, status, message}`, of a STEP event."""
    message: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    __table_args__ = (
        CheckConstraint("type IN ('STATUS', 'STEP', 'HEALTH', 'NOTICE')", name="type"),
        CheckConstraint("(type = 'STEP') = (step IS NOT NULL)", name="step"),
        CheckConstraint("seq > 0", name="seq"),
        Index("ix_events_store_id_seq", "store_id", "seq"),
        Index("ix_events_at", "at"),
    )


class SealedSecret(Base):
    """A secret of a store, sealed (runtime/sealing.py). Gone when the store is DELETED."""

    __tablename__ = "sealed_secrets"

    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[str]


class ObserverLease(Base):
    """Which worker observes a cluster."""

    __tablename__ = "observer_leases"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]
