"""What operators see. Only `Query.operator` and the mutations of operators make these types."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import argument

from schema.access import AS_PARENT
from schema.arguments import Matching
from schema.context import Info, RequestError
from schema.enums import EngineName, PlanName, engine_name
from schema.ids import RowCursors, decode_account_id, encode_id
from schema.types.accounts import AccountSuspension
from schema.types.connections import After, Before, Connection, First, Last, to_range
from schema.types.members import Member
from schema.types.operator_figures import ClusterCapacity, EngineTimes, FailingCause, StatusCount, StepTimes
from schema.types.store_filters import check_search, to_filter
from stores import operator_pages
from stores.capacity import capacities
from stores.names import store_url
from stores.operator_pages import AccountSummary, StoreSummary
from stores.quota import effective_limits
from stores.status import Health, Status

MAX_STUCK_MINUTES = 100_000


@strawberry.type(description="An account, as operators see it.")
class OperatorAccount:
    account_id: strawberry.ID = strawberry.field(description="Global id of the account.")
    name: str = strawberry.field(description="The account's name.")
    created_at: datetime = strawberry.field(description="When the account was created.")
    members: list[Member] = strawberry.field(description="Who belongs to the account, by e-mail address.")
    stores_used: int = strawberry.field(description="How many stores count against storeQuota.")
    store_quota: int = strawberry.field(description="How many stores the account may have.")
    creations_per_hour: int = strawberry.field(description="How many stores the account may create in an hour.")
    own_limits: bool = strawberry.field(
        description="Whether one of the limits is the account's own, and not the installation's."
    )
    suspension: AccountSuspension | None = strawberry.field(description="Null: the account isn't suspended.")

    @classmethod
    def from_summary(cls, info: Info, found: AccountSummary) -> "OperatorAccount":
        row, limits = found.account, effective_limits(found.account, info.context.platform.limits)
        return cls(
            account_id=strawberry.ID(encode_id("Account", row.id)),
            name=row.name,
            created_at=row.created_at,
            members=[Member.from_member(member) for member in found.members],
            stores_used=found.stores,
            store_quota=limits.store_quota,
            creations_per_hour=limits.creations_per_hour,
            own_limits=row.store_quota is not None or row.creations_per_hour is not None,
            suspension=AccountSuspension.from_row(row),
        )


@strawberry.type(description="A store, as operators see it.")
class OperatorStore:
    store_id: strawberry.ID = strawberry.field(description="Global id of the store.")
    account_id: strawberry.ID = strawberry.field(description="Global id of the account that owns the store.")
    account_name: str = strawberry.field(description="The account's name.")
    name: str = strawberry.field(description="The store's name.")
    slug: str = strawberry.field(description="First label of the store's address.")
    url: str = strawberry.field(description="The store's address.")
    engine: EngineName = strawberry.field(description="The store's engine.")
    plan: PlanName = strawberry.field(description="The store's plan.")
    cluster: str = strawberry.field(description="The cluster in which the store runs.")
    namespace: str = strawberry.field(description="The store's Kubernetes namespace.")
    status: Status = strawberry.field(description="Where the store is in its lifecycle.")
    health: Health | None = strawberry.field(description="The health of its workloads; null as in Store.health.")
    cause: str | None = strawberry.field(description="Why it is FAILED or isn't healthy, or what blocks it.")
    created_at: datetime = strawberry.field(description="When the store was requested.")
    ready_at: datetime | None = strawberry.field(description="When the store became READY for the first time.")
    last_event_at: datetime | None = strawberry.field(
        description="When something was heard of the store last; only below `stuck`."
    )

    @classmethod
    def from_summary(cls, info: Info, found: StoreSummary) -> "OperatorStore":
        row = found.store
        return cls(
            store_id=strawberry.ID(encode_id("Store", row.id)),
            account_id=strawberry.ID(encode_id("Account", row.account_id)),
            account_name=found.account_name,
            name=row.name,
            slug=row.slug,
            url=store_url(row.slug, info.context.platform.profile),
            engine=engine_name(row.engine),
            plan=PlanName(row.plan),
            cluster=row.cluster,
            namespace=f"store-{row.id}",
            status=Status(row.status),
            health=Health(row.health) if row.health is not None else None,
            cause=row.cause or row.health_cause or row.trouble,
            created_at=row.created_at,
            ready_at=row.ready_at,
            last_event_at=found.last_event_at,
        )


@strawberry.type(description="A page of accounts, the newest first.")
class OperatorAccountConnection(Connection[OperatorAccount]): ...


@strawberry.type(description="A page of stores of all accounts.")
class OperatorStoreConnection(Connection[OperatorStore]): ...


ACCOUNTS = RowCursors("OperatorAccount")
STORES = RowCursors("OperatorStore")
STUCK = RowCursors("StuckStore")

AccountSearch = Annotated[
    str | None, argument(description="Part of the name, or of a member's e-mail address, in any case.")
]
OnlySuspended = Annotated[bool | None, argument(description="Only accounts that are suspended, or that are not.")]
OneAccountId = Annotated[strawberry.ID | None, argument(description="Only stores of the account with this global id.")]
OneCause = Annotated[str | None, argument(description="Only stores with exactly this cause, one of `failing`.")]
Minutes = Annotated[int, argument(description=f"For how many minutes nothing was heard: 0 to {MAX_STUCK_MINUTES}.")]


@strawberry.type(description="All accounts and stores of this installation, for its operators.")
class Operator:
    @strawberry.field(extensions=[AS_PARENT], description="All accounts, the newest first. Give first or last.")
    async def accounts(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        search: AccountSearch = None,
        suspended: OnlySuspended = None,
    ) -> OperatorAccountConnection:
        wanted = to_range(first, after, last, before, ACCOUNTS.decode)
        async with info.context.platform.sessions() as session:
            page = await operator_pages.all_accounts_page(
                session, wanted, search=check_search(search), suspended=suspended
            )
        cursors = [ACCOUNTS.encode(found.account.created_at, found.account.id) for found in page.rows]
        nodes = [OperatorAccount.from_summary(info, found) for found in page.rows]
        return OperatorAccountConnection.of(nodes, cursors, page)

    @strawberry.field(
        extensions=[AS_PARENT], description="Stores of all accounts, the newest first. Give first or last."
    )
    async def stores(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Matching = None,
        account_id: OneAccountId = None,
        cause: OneCause = None,
    ) -> OperatorStoreConnection:
        wanted = to_range(first, after, last, before, STORES.decode)
        if cause is not None and "\0" in cause:
            raise RequestError("BAD_USER_INPUT", "`cause` can't have NUL.")
        async with info.context.platform.sessions() as session:
            page = await operator_pages.all_stores_page(
                session, wanted, to_filter(filter), account_id=decode_account_id(account_id), cause=cause
            )
        cursors = [STORES.encode(found.store.created_at, found.store.id) for found in page.rows]
        return OperatorStoreConnection.of(
            [OperatorStore.from_summary(info, found) for found in page.rows], cursors, page
        )

    @strawberry.field(
        extensions=[AS_PARENT],
        description="Stores with something in progress of which nothing was heard for so many minutes, the longest "
        "first. Give first or last.",
    )
    async def stuck(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        minutes: Minutes = 10,
    ) -> OperatorStoreConnection:
        wanted = to_range(first, after, last, before, STUCK.decode)
        if not 0 <= minutes <= MAX_STUCK_MINUTES:
            raise RequestError("BAD_USER_INPUT", f"`minutes` is 0 to {MAX_STUCK_MINUTES}.")
        async with info.context.platform.sessions() as session:
            page = await operator_pages.stuck_page(session, wanted, minutes)
        cursors = [STUCK.encode(found.last_event_at or found.store.created_at, found.store.id) for found in page.rows]
        return OperatorStoreConnection.of(
            [OperatorStore.from_summary(info, found) for found in page.rows], cursors, page
        )

    @strawberry.field(
        extensions=[AS_PARENT], description="Why stores fail or aren't healthy: the 100 most frequent causes."
    )
    async def failing(self, info: Info) -> list[FailingCause]:
        async with info.context.platform.sessions() as session:
            found = await operator_pages.failing_causes(session)
        return [FailingCause(cause=each.cause, failed=each.failed, unhealthy=each.unhealthy) for each in found]

    @strawberry.field(extensions=[AS_PARENT], description="What each cluster has room for; a worker records it.")
    async def capacity(self, info: Info) -> list[ClusterCapacity]:
        async with info.context.platform.sessions() as session:
            return [ClusterCapacity.from_row(row) for row in await capacities(session)]

    @strawberry.field(extensions=[AS_PARENT], description="How many stores have each status.")
    async def status_counts(self, info: Info) -> list[StatusCount]:
        async with info.context.platform.sessions() as session:
            counts = await operator_pages.count_by_status(session)
        return [StatusCount(status=status, stores=number) for status, number in counts.items()]

    @strawberry.field(extensions=[AS_PARENT], description="How long stores took to become READY, by engine and step.")
    async def ready_times(self, info: Info) -> list[EngineTimes]:
        async with info.context.platform.sessions() as session:
            found = await operator_pages.engine_times(session, list(info.context.platform.engines))
        return [
            EngineTimes(
                engine=engine_name(each.engine),
                median_ms=each.median_ms,
                p95_ms=each.p95_ms,
                stores=each.stores,
                steps=[
                    StepTimes(name=step.name, median_ms=step.median_ms, p95_ms=step.p95_ms, stores=step.stores)
                    for step in each.steps
                ],
            )
            for each in found
        ]
