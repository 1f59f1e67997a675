"""The objects of the GraphQL API, each made from a row. Translation only."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import strawberry

from accounts.actors import Actor
from accounts.errors import CallerError, Code
from accounts.models import Account as AccountRow
from accounts.models import ApiToken as ApiTokenRow
from schema.context import Info
from schema.enums import EngineName, EventType, LogLineKind, PlanName, Role, Scope, StoreSetup
from schema.ids import encode, event_cursor
from stores.engines import Engine as EngineModule
from stores.logs import Item
from stores.models import Event as EventRow
from stores.models import Step as StepRow
from stores.models import Store as StoreRow
from stores.queries import Seen, url_of
from stores.status import Health, Status, StepStatus


@strawberry.type(description="What was wrong with a mutation's input, and what to do about it.")
class UserError:
    code: Code
    field: str | None = strawberry.field(description="The input's field, in camelCase.")
    message: str


def user_error(error: CallerError) -> UserError:
    """The same as GraphQL has it."""
    return UserError(code=error.code, field=error.field, message=error.message)


@strawberry.type(description="One named part of a store's way.")
class Step:
    name: str
    status: StepStatus
    started_at: datetime | None
    finished_at: datetime | None
    message: str | None = strawberry.field(description="What it waits for, or why it failed and what to do.")


def step(row: StepRow) -> Step:
    """From its row."""
    return Step(
        name=row.name,
        status=StepStatus(row.status),
        started_at=row.started_at,
        finished_at=row.finished_at,
        message=row.message,
    )


@strawberry.type(name="Health")
class HealthReport:
    state: Health
    cause: str | None
    since: datetime


@strawberry.type
class ReceiptStep:
    name: str
    ms: int


@strawberry.type(description="What the synthetic shopper did before the store was called READY.")
class Receipt:
    simulated: bool = strawberry.field(description="True: on a simulated cluster, so nothing was really bought.")
    total_ms: int
    steps: list[ReceiptStep]


def receipt(stored: dict[str, Any]) -> Receipt:
    """From its JSON."""
    steps = [ReceiptStep(name=item["name"], ms=item["ms"]) for item in stored["steps"]]
    return Receipt(simulated=stored["simulated"], total_ms=stored["totalMs"], steps=steps)


@strawberry.type(description="What a deletion found and left.")
class Deletion:
    namespace: str
    volumes: list[str]
    leftovers: list[str] = strawberry.field(description="Volumes that the cluster kept.")


def deletion(stored: dict[str, Any]) -> Deletion:
    """From its JSON."""
    return Deletion(namespace=stored["namespace"], volumes=stored["volumes"], leftovers=stored.get("leftovers", []))


@strawberry.type(description="A shop in a namespace of its own.")
class Store:
    id: strawberry.ID
    account_id: strawberry.ID
    slug: str
    name: str
    engine: EngineName
    release: str = strawberry.field(description="The version of the engine's manifests that the store is pinned to.")
    plan: PlanName
    admin_email: str
    country: str
    currency: str
    language: str
    setup: StoreSetup
    status: Status
    cause: str | None = strawberry.field(description="Why it is FAILED, or what keeps its deletion; and what to do.")
    health: HealthReport | None = strawberry.field(description="Since it was READY first.")
    url: str
    created_at: datetime
    ready_at: datetime | None = strawberry.field(description="When it was READY first.")
    deleted_at: datetime | None
    receipt: Receipt | None = strawberry.field(description="Of the latest proof.")
    deletion: Deletion | None
    event_cursor: str = strawberry.field(
        description="Give it to storeEvents or accountEvents as `after`: nothing since this answer is missed."
    )
    row_id: strawberry.Private[UUID]

    @strawberry.field(description="In the order in which they are done.")
    async def steps(self, info: Info) -> list[Step]:
        return [step(row) for row in await info.context.steps.load(self.row_id)]


def store(info: Info, seen: Seen) -> Store:
    """From its row."""
    row: StoreRow = seen.store
    health = None
    if row.health is not None and row.health_since is not None:
        health = HealthReport(state=Health(row.health), cause=row.health_cause, since=row.health_since)
    return Store(
        id=strawberry.ID(encode("Store", row.id)),
        account_id=strawberry.ID(encode("Account", row.account_id)),
        slug=row.slug,
        name=row.name,
        engine=EngineName(row.engine),
        release=row.release,
        plan=PlanName(row.plan),
        admin_email=row.admin_email,
        country=row.country,
        currency=row.currency,
        language=row.language,
        setup=StoreSetup(row.setup),
        status=Status(row.status),
        cause=row.cause,
        health=health,
        url=url_of(row, info.context.platform.profile),
        created_at=row.created_at,
        ready_at=row.ready_at,
        deleted_at=row.deleted_at,
        receipt=receipt(row.receipt) if row.receipt is not None else None,
        deletion=deletion(row.deletion) if row.deletion is not None else None,
        event_cursor=event_cursor(row.account_id, seen.seq),
        row_id=row.id,
    )


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class StoreEdge:
    cursor: str
    node: Store


@strawberry.type(description="A page of stores, the newest first.")
class StoreConnection:
    edges: list[StoreEdge]
    nodes: list[Store]
    page_info: PageInfo
    event_cursor: str = strawberry.field(description="As Store.eventCursor, for the whole page.")


@strawberry.type(description="An integration's right to act for one account.")
class ApiToken:
    id: strawberry.ID
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def api_token(row: ApiTokenRow) -> ApiToken:
    """From its row; its secret is nowhere."""
    return ApiToken(
        id=strawberry.ID(encode("ApiToken", row.id)),
        name=row.name,
        scopes=[Scope(scope) for scope in row.scopes],
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


@strawberry.type(description="The tenant: owns stores, limits and tokens.")
class Account:
    id: strawberry.ID
    name: str
    role: Role = strawberry.field(description="What the caller is in it.")
    store_quota: int = strawberry.field(description="How many stores it may have.")
    creations_per_hour: int
    tokens: list[ApiToken]


def account(info: Info, actor: Actor, row: AccountRow, tokens: list[ApiTokenRow]) -> Account:
    """From its row; limits are the settings' where it has none of its own."""
    settings = info.context.platform.settings
    return Account(
        id=strawberry.ID(encode("Account", row.id)),
        name=row.name,
        role=Role(actor.roles[row.id]),
        store_quota=settings.store_quota if row.store_quota is None else row.store_quota,
        creations_per_hour=(settings.creations_per_hour if row.creations_per_hour is None else row.creations_per_hour),
        tokens=[api_token(token) for token in tokens],
    )


@strawberry.type
class User:
    id: strawberry.ID
    email: str


@strawberry.type(description="Who asks. A token acts for the user who made it.")
class Viewer:
    user: User
    accounts: list[Account]


@strawberry.type(description="A kind of shop that this installation knows.")
class EngineInfo:
    name: EngineName
    title: str
    available: bool = strawberry.field(description="False: announced, and coming later.")
    releases: list[str]
    workloads: list[str] = strawberry.field(description="What storeLogs takes as `workload`.")
    setups: list[StoreSetup] = strawberry.field(description="What createStore takes as `setup`, the default first.")
    rotates_admin_password: bool = strawberry.field(description="Whether rotateAdminPassword works for its stores.")


def engine(module: EngineModule) -> EngineInfo:
    """From its module."""
    return EngineInfo(
        name=EngineName(module.name),
        title=module.title,
        available=module.available,
        releases=list(module.releases),
        workloads=list(module.workloads),
        setups=[StoreSetup(setup) for setup in module.setups],
        rotates_admin_password=module.rotates,
    )


@strawberry.type
class EventStep:
    name: str
    status: StepStatus
    message: str | None


@strawberry.type(description="One line of an account's history, in order and without gaps.")
class Event:
    cursor: str = strawberry.field(description="Give the last one seen as `after` to go on from there.")
    store_id: strawberry.ID
    type: EventType
    status: Status = strawberry.field(description="The store's, after the event.")
    step: EventStep | None
    message: str
    at: datetime


def event(row: EventRow) -> Event:
    """From its row."""
    step = None
    if row.step is not None:
        step = EventStep(name=row.step["name"], status=StepStatus(row.step["status"]), message=row.step["message"])
    return Event(
        cursor=event_cursor(row.account_id, row.seq),
        store_id=strawberry.ID(encode("Store", row.store_id)),
        type=EventType(row.type),
        status=Status(row.status),
        step=step,
        message=row.message,
        at=row.at,
    )


@strawberry.type(description="One line of a store's logs, or a notice where lines are missing or a container ended.")
class StoreLogLine:
    kind: LogLineKind
    line: str = strawberry.field(description="Without the store's secrets, without colours; at most 4 KB.")
    at: datetime = strawberry.field(description="When it was printed, by the clock of its node.")
    pod: str | None = strawberry.field(description="Null: the notice is about more than one.")
    container: str | None


def log_line(item: Item) -> StoreLogLine:
    """From what a worker read."""
    return StoreLogLine(
        kind=LogLineKind(item.kind),
        line=item.text,
        at=datetime.fromtimestamp(item.at // 1000 / 1_000_000, UTC),
        pod=item.pod,
        container=item.container,
    )
