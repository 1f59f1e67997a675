"""The figures that operators see: causes of failures, room in clusters, stores by status, and how long steps take."""

from datetime import datetime

import strawberry

from schema.enums import EngineName
from stores.models import ClusterCapacity as ClusterCapacityRow
from stores.status import Status


@strawberry.type(description="Why stores fail or aren't healthy.")
class FailingCause:
    cause: str = strawberry.field(description="The cause, as the stores' owners read it.")
    failed: int = strawberry.field(description="How many stores are FAILED for it.")
    unhealthy: int = strawberry.field(description="How many other stores have it.")


@strawberry.type(description="What a cluster has room for, and what its stores request. Recorded every 30 s.")
class ClusterCapacity:
    cluster: str = strawberry.field(description="The name of the cluster.")
    nodes: int = strawberry.field(description="How many nodes are ready and take new pods.")
    stores: int = strawberry.field(description="How many stores have pods.")
    allocatable_cpu: int = strawberry.field(description="What the nodes have for pods, in millicores.")
    requested_cpu: int = strawberry.field(description="What the stores' pods request, in millicores.")
    allocatable_memory: int = strawberry.field(description="What the nodes have for pods, in MiB.")
    requested_memory: int = strawberry.field(description="What the stores' pods request, in MiB.")
    allocatable_pods: int = strawberry.field(description="How many pods the nodes take.")
    requested_pods: int = strawberry.field(description="How many pods the stores have, without those of Jobs.")
    recorded_at: datetime = strawberry.field(description="When a worker recorded this.")

    @classmethod
    def from_row(cls, row: ClusterCapacityRow) -> "ClusterCapacity":
        return cls(
            cluster=row.cluster,
            nodes=row.nodes,
            stores=row.stores,
            allocatable_cpu=row.allocatable_cpu,
            requested_cpu=row.requested_cpu,
            allocatable_memory=row.allocatable_memory,
            requested_memory=row.requested_memory,
            allocatable_pods=row.allocatable_pods,
            requested_pods=row.requested_pods,
            recorded_at=row.recorded_at,
        )


@strawberry.type(description="How many stores have a status.")
class StatusCount:
    status: Status = strawberry.field(description="The status.")
    stores: int = strawberry.field(description="How many stores of all accounts have it.")


@strawberry.type(description="How long a provisioning step took.")
class StepTimes:
    name: str = strawberry.field(description="The step's name.")
    median_ms: int = strawberry.field(description="Half of the stores took at most so many milliseconds.")
    p95_ms: int = strawberry.field(name="p95Ms", description="95 % of the stores took at most so many milliseconds.")
    stores: int = strawberry.field(description="How many stores were counted.")


@strawberry.type(description="How long the last stores of an engine took from their request to READY.")
class EngineTimes:
    engine: EngineName = strawberry.field(description="The engine.")
    median_ms: int = strawberry.field(description="Half of the stores took at most so many milliseconds.")
    p95_ms: int = strawberry.field(name="p95Ms", description="95 % of the stores took at most so many milliseconds.")
    stores: int = strawberry.field(description="How many stores were counted, at most 50.")
    steps: list[StepTimes] = strawberry.field(description="The steps, in the order in which they run.")
