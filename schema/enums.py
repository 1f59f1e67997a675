"""The GraphQL enums. Their members come from the constants in stores/ and accounts/, so both always agree."""

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING

import strawberry

from accounts.errors import CODES, Code
from accounts.models import ROLES, SCOPES
from runtime.settings import EngineSettings
from stores.engines import SETUPS, load_engines
from stores.events import EVENT_TYPES
from stores.log_protocol import ITEM_KINDS
from stores.plans import PLANS
from stores.status import Health, Status, StepStatus


def describe(enum: type[Enum], name: str, description: str, meanings: Mapping[str, str]) -> None:
    """Make it an enum of the schema. `meanings`: of each value, by name; raises ValueError if one has none."""
    strawberry.enum(enum, name=name, description=description)
    if set(meanings) != set(enum.__members__):
        raise ValueError(f"the meanings of {name} are not those of {', '.join(enum.__members__)}")
    for value in enum.__strawberry_definition__.values:  # type: ignore[attr-defined]  # strawberry.enum has set it
        value.description = meanings[value.name]


describe(
    Status,
    "StoreStatus",
    "A store's lifecycle status.",
    {
        "REQUESTED": "It was requested, and no worker has begun yet.",
        "PROVISIONING": "It is being made, step by step.",
        "READY": "A synthetic shopper has bought something in it.",
        "UPDATING": "It is changed to another plan or release; the shop serves meanwhile.",
        "SUSPENDING": "It is being stopped.",
        "SUSPENDED": "Nothing of it runs; all its data is kept.",
        "RESUMING": "It is being started again.",
        "FAILED": "A step failed: `cause` says why; it can be retried.",
        "DELETING": "It is being deleted with all its data.",
        "DELETED": "It is gone.",
    },
)
describe(
    Health,
    "HealthState",
    "The health of a store that was READY at least once.",
    {
        "HEALTHY": "All that it runs is ready.",
        "DEGRADED": "The shop serves visitors, but something of it isn't ready.",
        "DOWN": "The shop serves no visitors.",
    },
)
describe(
    StepStatus,
    "StepStatus",
    "The status of one provisioning step.",
    {
        "PENDING": "It has not started.",
        "RUNNING": "It has started.",
        "SUCCEEDED": "It is done.",
        "FAILED": "It failed: `message` says why.",
    },
)
describe(
    Code, "ErrorCode", "The kind of error in a mutation's input.", {code.name: text for code, text in CODES.items()}
)

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

    def _enum(name: str, description: str, meanings: Mapping[str, str]) -> type[Enum]:
        """An enum of the values that the domain has in small letters."""
        made = Enum(name, {value.upper(): value for value in meanings})
        describe(made, name, description, {value.upper(): text for value, text in meanings.items()})
        return made

    def _of(values: Iterable[str], *texts: str) -> dict[str, str]:
        return dict(zip(values, texts, strict=True))

    EngineName = _enum(
        "Engine",
        "A store engine that this installation offers.",
        {name: engine.description for name, engine in load_engines(EngineSettings().engines).items()}
        | {UNKNOWN: "Another one, of a store that was created with other settings or by a newer version."},
    )
    PlanName = _enum(
        "Plan",
        "The resource limits of a store; Query.plans has them.",
        {name: f"The plan “{plan.title}”." for name, plan in PLANS.items()},
    )
    EventType = _enum(
        "EventType",
        "What an event reports.",
        _of(
            EVENT_TYPES,
            "The store has another status.",
            "A step has another status or message.",
            "The health of the store has changed.",
            "Something else that its owner should know.",
        ),
    )
    LogLineKind = _enum(
        "StoreLogLineKind",
        "A line that a container printed, or a notice about the log from Storefleet.",
        _of(ITEM_KINDS, "A line that a container printed.", "Lines are missing, or a container ended."),
    )
    Role = _enum(
        "Role",
        "A member's permissions in an account.",
        _of(
            ROLES,
            "Everything, also managing owners. An account always has one.",
            "Reads, changes stores, tokens and webhooks, and manages members who are no owners.",
            "Only reads.",
        ),
    )
    StoreSetup = _enum(
        "StoreSetup",
        "How a store starts.",
        _of(SETUPS, "Set up: it can sell at once.", "With its engine's setup wizard, for its owner."),
    )
    Scope = _enum(
        "Scope",
        "A token's permission.",
        _of(SCOPES, "Queries and subscriptions.", "Mutations, with what they answer."),
    )


@cache
def engine_name(name: str) -> EngineName:
    """The member for the engine in a store's row."""
    return EngineName(name if name.upper() in EngineName.__members__ else UNKNOWN)
