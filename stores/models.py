"""Tables of stores. The database enforces the rules that it can: by these constraints and the migrations' triggers."""

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
    false,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from accounts import models as accounts  # noqa: F401  # foreign keys refer to its tables
from runtime.database import Base
from stores.status import Desired, Health, Status, StepStatus


def _one_of(column: str, names: type[Status] | type[Desired] | type[Health] | type[StepStatus]) -> str:
    values = ", ".join(f"'{name.value}'" for name in names)
    return f"{column} IN ({values})"


class Store(Base):
    """One store: its desired state, and the state that the workers observed in the cluster."""

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
    """How the store was set up at first: one of the engine's `setups`."""
    cluster: Mapped[str] = mapped_column(server_default="main")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    desired: Mapped[str] = mapped_column(server_default=Desired.RUNNING.value)
    generation: Mapped[int] = mapped_column(BigInteger, server_default="1")
    """Incremented by each change of the desired state, as `metadata.generation` in Kubernetes."""
    observed_generation: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """The generation that the workers reached last, as `status.observedGeneration` in Kubernetes."""
    status: Mapped[str] = mapped_column(server_default=Status.REQUESTED.value)
    suspended_by_account: Mapped[bool] = mapped_column(server_default=false())
    """Whether the store is suspended because its account is: it resumes with the account."""
    failed_in: Mapped[str | None]
    cause: Mapped[str | None]
    """Why the store is FAILED, or what blocks its deletion, and what to do about it."""
    health: Mapped[str | None]
    health_cause: Mapped[str | None]
    health_since: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    """When the store became READY for the first time."""
    deleted_at: Mapped[datetime | None]

    due_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    """When the next pass is due."""
    requeues: Mapped[int] = mapped_column(BigInteger, server_default="1")
    """Incremented by each requeue: a pass during which it changed is followed by another pass."""
    observed_requeues: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """The value of `requeues` when the last finished pass began. Equal: only the resync made the store due."""
    old_requeues: Mapped[int] = mapped_column("wake", BigInteger, server_default="1", deferred=True)
    old_observed_requeues: Mapped[int] = mapped_column("seen_wake", BigInteger, server_default="0", deferred=True)
    """The two columns under the names of the release before; a trigger copies them, the next release drops them."""
    rotating: Mapped[int | None] = mapped_column(BigInteger)
    """The generation in which the owner asked for a new password; None when no rotation is in progress."""
    failures: Mapped[int] = mapped_column(server_default="0")
    """Consecutive failed passes; the backoff grows with them."""
    attempt: Mapped[int] = mapped_column(server_default="1")
    """Incremented by each retry and resumption; the Jobs of an earlier attempt are recreated."""
    trouble: Mapped[str | None]
    """A problem that blocks the current step and may pass by itself; the store becomes FAILED when it lasts."""
    trouble_since: Mapped[datetime | None]
    lease_holder: Mapped[str | None]
    lease_epoch: Mapped[int] = mapped_column(BigInteger, server_default="0")
    lease_until: Mapped[datetime | None]
    profile_revision: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """The latest ProfileRevision of the workers that claimed the store. Workers of an earlier one leave it alone."""

    namespace_uid: Mapped[str | None]
    spec_hash: Mapped[str | None]
    """Hash of the manifests as last rendered."""
    applied_hash: Mapped[str | None]
    """Hash of the manifests as last applied; None: apply again."""
    proof_hash: Mapped[str | None]
    """Hash of the manifests that the last synthetic checkout proved."""
    receipt: Mapped[dict[str, Any] | None]
    deletion: Mapped[dict[str, Any] | None]
    """What the deletion found and left behind: volumes, leftovers, times."""

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
        Index("ix_stores_engine_ready_at", "engine", "ready_at"),
        Index("ix_stores_suspended_by_account", "account_id", postgresql_where=text("suspended_by_account")),
    )


class Slug(Base):
    """Which store holds a slug. The row stays after a deletion: no other account can take the address over at once."""

    __tablename__ = "slugs"

    slug: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    released_at: Mapped[datetime | None]


class Step(Base):
    """One named step of provisioning."""

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
    """The sequence number of an account's latest event. A transaction always locks this row last."""

    __tablename__ = "account_streams"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, server_default="0")


class Event(Base):
    """One entry of an account's history."""

    __tablename__ = "events"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, FetchedValue(), primary_key=True)  # set by a trigger
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    type: Mapped[str]
    status: Mapped[str]
    """The store's status after the event."""
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
    """An encrypted secret of a store (runtime/sealing.py). Deleted when the store is DELETED."""

    __tablename__ = "sealed_secrets"

    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[str]


class InformerLease(Base):
    """Which worker runs the informer of a cluster (leader election)."""

    __tablename__ = "observer_leases"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]


class ProfileRevision(Base):
    """What the workers of a cluster render (workers/profile_revision.py), as the worker has it that started last."""

    __tablename__ = "profile_revisions"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    """Incremented by each worker that starts and renders something else."""
    digest: Mapped[str]
    seen_at: Mapped[datetime]
    """When a worker of this revision ran last."""


class ClusterCapacity(Base):
    """What a cluster can run and what its stores request, as a worker recorded it (workers/capacity.py).

    CPU in millicores, memory in MiB.
    """

    __tablename__ = "cluster_capacity"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    nodes: Mapped[int]
    """Those that are ready and take new pods."""
    allocatable_cpu: Mapped[int] = mapped_column(BigInteger)
    allocatable_memory: Mapped[int] = mapped_column(BigInteger)
    allocatable_pods: Mapped[int] = mapped_column(BigInteger)
    stores: Mapped[int]
    """Those that have pods."""
    requested_cpu: Mapped[int] = mapped_column(BigInteger)
    requested_memory: Mapped[int] = mapped_column(BigInteger)
    requested_pods: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime]
