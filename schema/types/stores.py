"""Store, and what a store consists of."""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import strawberry

from runtime.settings import ClusterProfile
from schema.access import AS_PARENT
from schema.context import Info
from schema.enums import EngineName, PlanName, StoreSetup, engine_name
from schema.ids import encode_event_cursor, encode_id, encode_page_cursor
from schema.types.connections import After, Before, Connection, Cursors, First, Last, to_range
from schema.types.events import EventConnection, decode_cursor_of
from schema.types.nodes import Node
from stores.models import Step as StepRow
from stores.models import Store as StoreRow
from stores.names import store_url
from stores.queries import StoreWithCursor
from stores.status import Health, Status, StepStatus
from stores.store_pages import StorePage


@strawberry.type(description="One step of a store's provisioning.")
class Step:
    name: str = strawberry.field(description="The step's name, unique in its store.")
    status: StepStatus = strawberry.field(description="The step's status.")
    started_at: datetime | None = strawberry.field(description="When the step started last; null: it is PENDING.")
    finished_at: datetime | None = strawberry.field(description="When the step succeeded or failed.")
    message: str | None = strawberry.field(
        description="What the step waits for, or why the step failed and what to do about it."
    )

    @classmethod
    def from_row(cls, row: StepRow) -> "Step":
        return cls(
            name=row.name,
            status=StepStatus(row.status),
            started_at=row.started_at,
            finished_at=row.finished_at,
            message=row.message,
        )


@strawberry.type(name="Health", description="The health of a store's workloads.")
class HealthReport:
    state: Health = strawberry.field(description="The health now.")
    cause: str | None = strawberry.field(description="Why the store is not HEALTHY, and what to do about it.")
    since: datetime = strawberry.field(description="When the state last changed.")

    @classmethod
    def from_row(cls, row: StoreRow) -> "HealthReport | None":
        """None until the store was READY, while it is suspended, and once it is being deleted."""
        if row.health is None or row.health_since is None:
            return None
        return cls(state=Health(row.health), cause=row.health_cause, since=row.health_since)


@strawberry.type(description="One action of the synthetic checkout.")
class ReceiptStep:
    name: str = strawberry.field(description="What it did.")
    ms: int = strawberry.field(description="Duration in milliseconds.")


@strawberry.type(description="What the synthetic checkout did before the store became READY.")
class Receipt:
    simulated: bool = strawberry.field(description="True: the cluster is simulated, so the checkout was not real.")
    total_ms: int = strawberry.field(description="Duration in milliseconds.")
    steps: list[ReceiptStep] = strawberry.field(description="The actions, in order.")

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Receipt":
        steps = [ReceiptStep(name=item["name"], ms=item["ms"]) for item in stored["steps"]]
        return cls(simulated=stored["simulated"], total_ms=stored["totalMs"], steps=steps)


@strawberry.type(description="What a deletion removed, and what it could not remove.")
class Deletion:
    namespace: str = strawberry.field(description="The Kubernetes namespace that was deleted.")
    volumes: list[str] = strawberry.field(description="Persistent volumes of the store.")
    leftovers: list[str] = strawberry.field(description="Persistent volumes that the cluster kept.")

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Deletion":
        leftovers = stored.get("leftovers", [])
        return cls(namespace=stored["namespace"], volumes=stored["volumes"], leftovers=leftovers)


@strawberry.type(description="An online store. Each store has its own Kubernetes namespace.")
class Store(Node):
    account_id: strawberry.ID = strawberry.field(description="Global id of the account that owns the store.")
    slug: str = strawberry.field(description="First label of the store's address.")
    name: str = strawberry.field(description="The store's name.")
    engine: EngineName = strawberry.field(
        description="The store's engine. UNKNOWN: this installation doesn't offer it any more, or not yet."
    )
    release: str = strawberry.field(description="The version of the engine's manifests that the store uses.")
    plan: PlanName = strawberry.field(description="The store's plan.")
    admin_email: str = strawberry.field(description="E-mail address of the store's owner.")
    country: str = strawberry.field(description="ISO 3166-1 alpha-2.")
    currency: str = strawberry.field(description="ISO 4217.")
    language: str = strawberry.field(description="BCP 47.")
    setup: StoreSetup = strawberry.field(description="How the store started.")
    status: Status = strawberry.field(description="Where the store is in its lifecycle.")
    cause: str | None = strawberry.field(
        description="Why the store is FAILED, what is wrong with a SUSPENDED one, or why a deletion does not finish; "
        "and what to do about it."
    )
    health: HealthReport | None = strawberry.field(
        description="Null until the store was READY, while it is suspended, and once it is being deleted."
    )
    url: str = strawberry.field(description="The store's address.")
    created_at: datetime = strawberry.field(description="When the store was requested.")
    ready_at: datetime | None = strawberry.field(description="When the store became READY for the first time.")
    deleted_at: datetime | None = strawberry.field(description="When the deletion finished.")
    receipt: Receipt | None = strawberry.field(description="The receipt of the latest synthetic checkout.")
    deletion: Deletion | None = strawberry.field(description="What the deletion removed; null until it began.")
    event_cursor: str = strawberry.field(
        description="Pass this to storeEvents or accountEvents as `after` to get every event since this response."
    )
    row: strawberry.Private[StoreRow]
    seq: strawberry.Private[int]
    profile: strawberry.Private[ClusterProfile]

    @strawberry.field(extensions=[AS_PARENT], description="The steps, in the order in which they run.")
    async def steps(self, info: Info) -> list[Step]:
        return [Step.from_row(row) for row in await info.context.steps.load(self.row.id)]

    @strawberry.field(
        extensions=[AS_PARENT],
        description="The store's events of the last 90 days, the oldest first. Give first or last.",
    )
    async def events(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> EventConnection:
        wanted = to_range(first, after, last, before, decode_cursor_of(self.row.account_id))
        return EventConnection.from_page(await info.context.event_pages.load((self.row.id, wanted)))

    def __getattr__(self, name: str) -> Any:
        """The value of a field: a page has many stores, and few of their fields are asked for."""
        if name not in VALUES:
            raise AttributeError(name)
        return VALUES[name](self)

    @classmethod
    def from_row(cls, info: Info, store: StoreWithCursor) -> "Store":
        created = object.__new__(cls)  # without its fields
        created.row, created.seq, created.profile = store.store, store.seq, info.context.platform.profile
        return created


VALUES: Mapping[str, Callable[[Store], Any]] = {
    "id": lambda store: strawberry.ID(encode_id("Store", store.row.id)),
    "account_id": lambda store: strawberry.ID(encode_id("Account", store.row.account_id)),
    "slug": attrgetter("row.slug"),
    "name": attrgetter("row.name"),
    "engine": lambda store: engine_name(store.row.engine),
    "release": attrgetter("row.release"),
    "plan": lambda store: PlanName(store.row.plan),
    "admin_email": attrgetter("row.admin_email"),
    "country": attrgetter("row.country"),
    "currency": attrgetter("row.currency"),
    "language": attrgetter("row.language"),
    "setup": lambda store: StoreSetup(store.row.setup),
    "status": lambda store: Status(store.row.status),
    "cause": attrgetter("row.cause"),
    "health": lambda store: HealthReport.from_row(store.row),
    "url": lambda store: store_url(store.row.slug, store.profile),
    "created_at": attrgetter("row.created_at"),
    "ready_at": attrgetter("row.ready_at"),
    "deleted_at": attrgetter("row.deleted_at"),
    "receipt": lambda store: Receipt.from_json(store.row.receipt) if store.row.receipt is not None else None,
    "deletion": lambda store: Deletion.from_json(store.row.deletion) if store.row.deletion is not None else None,
    "event_cursor": lambda store: encode_event_cursor(store.row.account_id, store.seq),
}
"""How each field of a Store is made, by its name in Python."""
Store.VALUES = VALUES  # type: ignore[attr-defined]  # compiled queries take the values from here


@strawberry.type(description="A page of stores.")
class StoreConnection(Connection[Store]):
    event_cursor: str = strawberry.field(description="As Store.eventCursor, for the whole page.")

    @classmethod
    def from_page(cls, info: Info, account_id: UUID, found: StorePage) -> "StoreConnection":
        nodes = [Store.from_row(info, StoreWithCursor(row, found.seq)) for row, _ in found.page.rows]
        cursors = Cursors([cursor for _, cursor in found.page.rows], encode_page_cursor)
        return cls.of(nodes, cursors, found.page, event_cursor=encode_event_cursor(account_id, found.seq))
