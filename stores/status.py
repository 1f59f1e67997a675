"""Where a store may be on its way, and which moves exist. The database refuses all others (a trigger)."""

from enum import StrEnum


class Status(StrEnum):
    """One store's place on its way; DESIGN of the words in docs/ARCHITECTURE.md."""

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
    """What the owner asked for."""

    RUNNING = "RUNNING"
    SUSPENDED = "SUSPENDED"
    DELETED = "DELETED"


class Health(StrEnum):
    """How a store that was READY once is doing; follows the cluster."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


class StepStatus(StrEnum):
    """Of one named part of a way."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


FAILABLE = (Status.PROVISIONING, Status.UPDATING, Status.SUSPENDING, Status.RESUMING)
"""A retry leads back to the one it failed in."""

MOVES: dict[Status, frozenset[Status]] = {
    Status.REQUESTED: frozenset({Status.PROVISIONING, Status.DELETING}),
    Status.PROVISIONING: frozenset({Status.READY, Status.FAILED, Status.DELETING}),
    Status.READY: frozenset({Status.UPDATING, Status.SUSPENDING, Status.DELETING}),
    Status.UPDATING: frozenset({Status.READY, Status.FAILED, Status.DELETING}),
    Status.SUSPENDING: frozenset({Status.SUSPENDED, Status.FAILED, Status.DELETING}),
    Status.SUSPENDED: frozenset({Status.RESUMING, Status.DELETING}),
    Status.RESUMING: frozenset({Status.READY, Status.FAILED, Status.DELETING}),
    Status.FAILED: frozenset({*FAILABLE, Status.DELETING}),
    Status.DELETING: frozenset({Status.DELETED}),
    Status.DELETED: frozenset(),
}

AT_REST = frozenset({Status.READY, Status.SUSPENDED, Status.FAILED, Status.DELETED})
"""Nothing is on its way: only the slow resync is due."""
