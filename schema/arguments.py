"""The arguments of fields, with their descriptions. Those of connections are in schema/types/connections.py."""

from typing import Annotated

import strawberry
from strawberry import argument

from schema.types.store_filters import StoreFilter, StoreOrder
from stores.log_protocol import MAX_TAIL

NodeId = Annotated[strawberry.ID, argument(description="Global id of the object.")]
NodeIds = Annotated[list[strawberry.ID], argument(description="Global ids of the objects, of any types.")]
AccountId = Annotated[strawberry.ID, argument(description="Global id of the account.")]
OwnAccountId = Annotated[
    strawberry.ID | None, argument(description="Global id of the account; optional if the caller has exactly one.")
]
StoreId = Annotated[strawberry.ID, argument(description="Global id of the store.")]
OptionalStoreId = Annotated[strawberry.ID | None, argument(description="Global id of the store; or give its slug.")]
StoreSlug = Annotated[str | None, argument(description="The slug that the store has, or had last.")]
WithDeleted = Annotated[bool, argument(description="Also DELETED stores, where the filter names no status.")]
Matching = Annotated[StoreFilter | None, argument(description="Which stores; all but DELETED ones by default.")]
OrderBy = Annotated[StoreOrder | None, argument(description="The order; the newest first by default.")]
NewName = Annotated[str | None, argument(description="The name of the new store.")]
NewSlug = Annotated[str | None, argument(description="The wanted slug; without it, one is made from the name.")]
InvitationToken = Annotated[str, argument(description="The token in the link of the invitation.")]
AfterEvent = Annotated[str | None, argument(description="Only events after this cursor.")]
Component = Annotated[str | None, argument(description="A component of the store; see EngineInfo.components.")]
Workload = Annotated[
    str | None, argument(description="The same as `component`, which counts.", deprecation_reason="Use component.")
]
Tail = Annotated[int, argument(description=f"How many of the lines that are there already: 0 to {MAX_TAIL}.")]
SessionCount = Annotated[int, argument(description="How many sessions: 1 to 100.")]
