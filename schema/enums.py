"""The GraphQL enums. Their members come from the constants in stores/ and accounts/, so both always agree."""

from enum import Enum
from typing import TYPE_CHECKING

import strawberry

from accounts.errors import Code
from accounts.models import ROLES, SCOPES
from runtime.settings import EngineSettings
from stores.engines import SETUPS, load_engines
from stores.events import EVENT_TYPES
from stores.log_protocol import ITEM_KINDS
from stores.plans import PLANS
from stores.status import Health, Status, StepStatus

strawberry.enum(Status, name="StoreStatus", description="A store's lifecycle status.")
strawberry.enum(Health, name="HealthState", description="The health of a store that was READY at least once.")
strawberry.enum(StepStatus, name="StepStatus", description="The status of one provisioning step.")
strawberry.enum(Code, name="ErrorCode", description="The kind of error in a mutation's input.")

UNKNOWN = "unknown"
"""An engine that isn't in the setting `engines`: a list with one such store must not fail."""

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

    EngineName = _enum(
        "Engine",
        (*load_engines(EngineSettings().engines), UNKNOWN),
        "A store engine that this installation offers. UNKNOWN: another one, of a store that was created with other "
        "settings or by a newer version.",
    )
    PlanName = _enum("Plan", PLANS, "The resource limits of a store.")
    EventType = _enum("EventType", EVENT_TYPES, "What an event reports.")
    LogLineKind = _enum(
        "StoreLogLineKind", ITEM_KINDS, "A line that a container printed, or a notice about the log from Storefleet."
    )
    Role = _enum("Role", ROLES, "A member's permissions. A VIEWER can only read.")
    StoreSetup = _enum("StoreSetup", SETUPS, "How a store starts: set up (READY), or with its engine's setup WIZARD.")
    Scope = _enum("Scope", SCOPES, "A token's permission.")


def engine_name(name: str) -> EngineName:
    """The member for the engine in a store's row."""
    return EngineName(name if name.upper() in EngineName.__members__ else UNKNOWN)
