"""The root type of all queries. Each field has its own database session, because sibling fields run concurrently."""

import strawberry

from accounts.invitations import invitation_by_token
from accounts.queries import get_user, readable_accounts
from schema.access import ANYONE, VIEWER_READ
from schema.context import Info, RequestError
from schema.enums import Role
from schema.ids import decode_id, decode_page_cursor
from schema.types.accounts import Account, User, Viewer
from schema.types.engines import EngineInfo
from schema.types.members import InvitationPreview
from schema.types.pages import check_page_size
from schema.types.plans import PlanInfo
from schema.types.slugs import SlugSuggestion
from schema.types.store_filters import StoreFilter, StoreOrder, to_filter, to_order
from schema.types.stores import Store, StoreConnection
from stores.names import store_url
from stores.plans import PLANS
from stores.queries import StoreWithCursor, store_by_id, store_by_slug
from stores.slugs import suggest_slug
from stores.store_pages import stores_page


@strawberry.type
class Query:
    @strawberry.field(extensions=[ANYONE], description="The caller; null for an anonymous caller.")
    async def viewer(self, info: Info) -> Viewer | None:
        actor = info.context.actor
        if actor is None:
            return None
        async with info.context.platform.sessions() as session:
            user = await get_user(session, actor)
            accounts = await readable_accounts(session, actor)
        return Viewer(
            user=User.from_row(user),
            accounts=[Account.from_row(info, actor, account) for account in accounts],
        )

    @strawberry.field(extensions=[VIEWER_READ], description="One of the caller's accounts.")
    async def account(self, info: Info, id: strawberry.ID) -> Account | None:
        actor, account_id = info.context.require_actor(), decode_id("Account", id)
        async with info.context.platform.sessions() as session:
            accounts = await readable_accounts(session, actor)
        return next(
            (Account.from_row(info, actor, found) for found in accounts if found.account.id == account_id), None
        )

    @strawberry.field(
        extensions=[VIEWER_READ], description="One of the caller's stores, by id or by slug; deleted stores too."
    )
    async def store(self, info: Info, id: strawberry.ID | None = None, slug: str | None = None) -> Store | None:
        actor = info.context.require_actor()
        if (id is None) == (slug is None):
            raise RequestError("BAD_USER_INPUT", "Give either id or slug.")
        store: StoreWithCursor | None = None
        async with info.context.platform.sessions() as session:
            if slug is not None:
                store = await store_by_slug(session, actor, slug)
            elif (store_id := decode_id("Store", id or "")) is not None:
                store = await store_by_id(session, actor, store_id)
        return Store.from_row(info, store) if store is not None else None

    @strawberry.field(extensions=[VIEWER_READ], description="An account's stores, the newest first by default.")
    async def stores(
        self,
        info: Info,
        first: int,
        after: str | None = None,
        account_id: strawberry.ID | None = None,
        include_deleted: bool = False,
        filter: StoreFilter | None = None,
        order_by: StoreOrder | None = None,
    ) -> StoreConnection:
        account = info.context.require_account(account_id)
        check_page_size(first)
        order, matching = to_order(order_by), to_filter(filter, include_deleted=include_deleted)
        cursor = decode_page_cursor(after, order) if after is not None else None
        if after is not None and cursor is None:
            raise RequestError("BAD_USER_INPUT", "`after` is not a cursor of a page of stores in this order.")
        async with info.context.platform.sessions() as session:
            page = await stores_page(session, account, first=first, after=cursor, order=order, matching=matching)
        return StoreConnection.from_page(info, account, page, has_previous=after is not None)

    @strawberry.field(extensions=[ANYONE], description="The plans that createStore accepts, the smallest first.")
    async def plans(self, info: Info) -> list[PlanInfo]:
        return [PlanInfo.from_plan(plan) for plan in PLANS.values()]

    @strawberry.field(
        extensions=[VIEWER_READ],
        description="Whether a new store can have the slug, or the slug made from the name; and one that it can have.",
    )
    async def slug_suggestion(
        self, info: Info, name: str | None = None, slug: str | None = None, account_id: strawberry.ID | None = None
    ) -> SlugSuggestion:
        account = info.context.require_account(account_id)
        if name is None and slug is None:
            raise RequestError("BAD_USER_INPUT", "Give name or slug.")
        async with info.context.platform.sessions() as session:
            found = await suggest_slug(session, account, name or "", slug, info.context.platform.platform_label)
        url = store_url(found.slug, info.context.platform.profile)
        return SlugSuggestion(slug=found.slug, available=found.available, reason=found.reason, url=url)

    @strawberry.field(extensions=[ANYONE], description="The store engines that this installation knows.")
    async def engines(self, info: Info) -> list[EngineInfo]:
        engines = info.context.platform.engines
        durations = await info.context.platform.step_durations.get(list(engines))
        return [EngineInfo.from_engine(engine, durations) for engine in engines.values()]

    @strawberry.field(
        extensions=[ANYONE], description="The values that createStore accepts as `language`, the default first."
    )
    async def languages(self, info: Info) -> list[str]:
        return list(info.context.platform.settings.languages)

    @strawberry.field(
        extensions=[ANYONE],
        description="What the link of an invitation leads to; also for an anonymous caller. "
        "Null: it can't be accepted.",
    )
    async def invitation(self, info: Info, token: str) -> InvitationPreview | None:
        async with info.context.platform.sessions() as session:
            found = await invitation_by_token(session, token)
        if found is None:
            return None
        row, account_name, inviter = found
        return InvitationPreview(account_name=account_name, email=row.email, role=Role(row.role), invited_by=inviter)

    @strawberry.field(extensions=[ANYONE], description="Whether anyone may sign up; also for an anonymous caller.")
    async def sign_up_open(self, info: Info) -> bool:
        return info.context.platform.settings.sign_up == "open"
