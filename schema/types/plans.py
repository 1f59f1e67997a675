"""PlanInfo: what a store gets with a plan."""

import strawberry

from schema.enums import PlanName
from stores.plans import Plan


@strawberry.type(description="A plan: the resource limits of a store.")
class PlanInfo:
    name: PlanName = strawberry.field(description="The value that createStore accepts as `plan`.")
    title: str = strawberry.field(description="Name for people.")
    cpu: float = strawberry.field(description="CPU cores, of the web and database containers together.")
    memory: int = strawberry.field(description="MiB, of the web and database containers together.")
    disk: int = strawberry.field(description="GiB, of the database and uploads volumes together.")

    @classmethod
    def from_plan(cls, plan: Plan) -> "PlanInfo":
        return cls(
            name=PlanName(plan.name),
            title=plan.title,
            cpu=plan.cpu_cores,
            memory=plan.memory_mib,
            disk=plan.disk_gib,
        )
