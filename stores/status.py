"""The statuses of a store and the transitions between them. A trigger in the database refuses all others."""

from enum import StrEnum


class Status(StrEnum):
    """The status of a store; docs/ARCHITECTURE.md describes the way from REQUESTED to DELETED."""

    REQUESTED = "REQUESTED"
    PROVISIONING = "PROVISIONING"
    READY = "READY"
    UPDATING = "UPDATING"
    SUSPENDING = "SUSPENDING"
    SUSPENDED = "SUSPENDED"
    RESUMING = "RESUMING"
    FAILED = "FAILED"
    DELETING = "DELETING"
    DELETED = "DELETED"


class Desired(StrEnum):
    """The desired state."""

    RUNNING = "RUNNING"
    SUSPENDED = "SUSPENDED"
    DELETED = "DELETED"


class Health(StrEnum):
    """The observed health of a store that was READY once."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


class StepStatus(StrEnum):
    """The status of one step."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


FAILABLE = (Status.PROVISIONING, Status.UPDATING, Status.SUSPENDING, Status.RESUMING)
"""The statuses that a store can fail in; a retry leads back there."""

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.REQUESTED: frozenset({Status.PROVISIONING, Status.DELETING}),
    Status.PROVISIONING: frozenset({Status.READY, Status.FAILED, Status.DELETING}),
    Status.READY: frozenset({Status.UPDATING, Status.SUSPENDING, Status.DELETING}),
    Status.UPDATING: frozenset({Status.READY, Status.FAILED, Status.DELETING}),
    Status.SUSPENDING: frozenset({Status.SUSPENDED, Status.FAILED, Status.DELETING}),
    Status.SUSPENDED: frozenset({Status.RESUMING, Status.DELETING}),
    Status.RESUMING: frozenset({Status.READY, Status.FAILED, Status.DELETING}),
    Status.FAILED: frozenset({*FAILABLE, Status.DELETING}),  # to where it failed, or to SUSPENDING
    Status.DELETING: frozenset({Status.DELETED}),
    Status.DELETED: frozenset(),
}

STEADY_STATUSES = frozenset({Status.READY, Status.SUSPENDED, Status.FAILED, Status.DELETED})
"""Nothing is in progress: the next pass is due at the resync."""
