"""GraphQL's enums, made from the domain's own names so that they can't drift apart."""

from enum import Enum
from typing import TYPE_CHECKING

import strawberry

from accounts.errors import Code
from accounts.models import ROLES, SCOPES
from runtime.settings import EngineSettings
from stores.engines import SETUPS, load_engines
from stores.events import TYPES
from stores.logs import KINDS
from stores.plans import PLANS
from stores.status import Health, Status, StepStatus

strawberry.enum(Status, name="StoreStatus", description="Where a store is on its way.")
strawberry.enum(Health, name="HealthState", description="How a store that was READY once is doing.")
strawberry.enum(StepStatus, name="StepStatus", description="Of one named part of a store's way.")
strawberry.enum(Code, name="ErrorCode", description="What was wrong with a mutation's input.")

if TYPE_CHECKING:

    class EngineName(Enum): ...

    class PlanName(Enum): ...

    class EventType(Enum): ...

    class LogLineKind(Enum): ...

    class Role(Enum): ...

    class StoreSetup(Enum): ...

    class Scope(Enum): ...

else:

    def _enum(name: str, values: object, description: str) -> type[Enum]:
        members = Enum(name, {value.upper(): value for value in values})
        return strawberry.enum(members, name=name, description=description)

    EngineName = _enum("Engine", load_engines(EngineSettings().engines), "The kind of shop.")
    PlanName = _enum("Plan", PLANS, "What a store may use.")
    EventType = _enum("EventType", TYPES, "What an event tells of.")
    LogLineKind = _enum("StoreLogLineKind", KINDS, "What a container printed, or what Storefleet says of its log.")
    Role = _enum("Role", ROLES, "What a member may do; a VIEWER only sees.")
    StoreSetup = _enum("StoreSetup", SETUPS, "How a shop begins: set up and READY, or with its engine's WIZARD.")
    Scope = _enum("Scope", SCOPES, "What a token may do.")
