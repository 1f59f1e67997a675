"""The root type of all queries. Each field has its own database session, because sibling fields run concurrently."""

import strawberry

from accounts.invitations import invitation_by_token
from accounts.operators import acts_as_operator
from accounts.queries import accounts_by_id, get_user
from schema.access import ANYONE, OPERATOR, VIEWER_READ
from schema.arguments import (
    AccountId,
    InvitationToken,
    Matching,
    NewName,
    NewSlug,
    NodeId,
    NodeIds,
    OptionalStoreId,
    OrderBy,
    OwnAccountId,
    StoreSlug,
    WithDeleted,
)
from schema.context import Info, RequestError
from schema.enums import Role
from schema.ids import decode_id, decode_page_cursor_of
from schema.nodes import find_nodes
from schema.types.accounts import Account, User, Viewer
from schema.types.connections import MAX_PAGE, After, Before, First, Last, to_range
from schema.types.engines import EngineInfo
from schema.types.members import InvitationPreview
from schema.types.nodes import Node
from schema.types.operator import Operator
from schema.types.plans import PlanInfo
from schema.types.slugs import SlugSuggestion
from schema.types.store_filters import to_filter, to_order
from schema.types.stores import Store, StoreConnection
from stores.names import store_url
from stores.plans import PLANS
from stores.queries import StoreWithCursor, store_by_id, store_by_slug
from stores.slugs import suggest_slug
from stores.store_pages import stores_page


@strawberry.type(description="What can be read.")
class Query:
    @strawberry.field(extensions=[ANYONE], description="The caller; null for an anonymous caller.")
    async def viewer(self, info: Info) -> Viewer | None:
        actor = info.context.actor
        if actor is None:
            return None
        user = await get_user(info.context.platform.sessions, actor)
        return Viewer(user=User.from_row(user), is_operator=acts_as_operator(actor, user))

    @strawberry.field(extensions=[VIEWER_READ], description="The object with this global id, if the caller may see it.")
    async def node(self, info: Info, id: NodeId) -> Node | None:
        return (await find_nodes(info, [id]))[0]

    @strawberry.field(
        extensions=[VIEWER_READ],
        description="The objects with these global ids, at most 100, in this order; null where there is none.",
    )
    async def nodes(
        self,
        info: Info,
        ids: NodeIds,
    ) -> list[Node | None]:
        if len(ids) > MAX_PAGE:
            raise RequestError("BAD_USER_INPUT", f"`ids` are at most {MAX_PAGE}: they were {len(ids)}.")
        return await find_nodes(info, ids)

    @strawberry.field(extensions=[VIEWER_READ], description="One of the caller's accounts.")
    async def account(self, info: Info, id: AccountId) -> Account | None:
        actor, account_id = info.context.require_actor(), decode_id("Account", id)
        async with info.context.platform.sessions() as session:
            found = await accounts_by_id(session, actor, [account_id] if account_id is not None else [])
        return next((Account.from_row(info, actor, row) for row in found.values()), None)

    @strawberry.field(
        extensions=[VIEWER_READ], description="One of the caller's stores, by id or by slug; deleted stores too."
    )
    async def store(
        self,
        info: Info,
        id: OptionalStoreId = None,
        slug: StoreSlug = None,
    ) -> Store | None:
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

    @strawberry.field(
        extensions=[VIEWER_READ], description="An account's stores, the newest first by default. Give first or last."
    )
    async def stores(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        account_id: OwnAccountId = None,
        include_deleted: WithDeleted = False,
        filter: Matching = None,
        order_by: OrderBy = None,
    ) -> StoreConnection:
        account = info.context.require_account(account_id)
        order, matching = to_order(order_by), to_filter(filter, include_deleted=include_deleted)
        wanted = to_range(first, after, last, before, decode_page_cursor_of(order))
        page = await stores_page(info.context.platform.sessions, account, wanted, order=order, matching=matching)
        return StoreConnection.from_page(info, account, page)

    @strawberry.field(extensions=[ANYONE], description="The plans that createStore accepts, the smallest first.")
    async def plans(self, info: Info) -> list[PlanInfo]:
        return [PlanInfo.from_plan(plan) for plan in PLANS.values()]

    @strawberry.field(
        extensions=[VIEWER_READ],
        description="Whether a new store can have the slug, or the slug made from the name; and one that it can have.",
    )
    async def slug_suggestion(
        self,
        info: Info,
        name: NewName = None,
        slug: NewSlug = None,
        account_id: OwnAccountId = None,
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
    async def invitation(
        self,
        info: Info,
        token: InvitationToken,
    ) -> InvitationPreview | None:
        async with info.context.platform.sessions() as session:
            found = await invitation_by_token(session, token)
        if found is None:
            return None
        row, account_name, inviter = found
        return InvitationPreview(account_name=account_name, email=row.email, role=Role(row.role), invited_by=inviter)

    @strawberry.field(
        extensions=[OPERATOR],
        description="All accounts and stores. FORBIDDEN for everybody but this installation's operators.",
    )
    async def operator(self, info: Info) -> Operator | None:
        return Operator()

    @strawberry.field(extensions=[ANYONE], description="Whether anyone may sign up; also for an anonymous caller.")
    async def sign_up_open(self, info: Info) -> bool:
        return info.context.platform.settings.sign_up == "open"

    @strawberry.field(
        extensions=[ANYONE],
        description="The OpenID provider with which users sign in, at `/auth/oidc`; null: there is none. Also for an "
        "anonymous caller.",
    )
    async def identity_provider(self, info: Info) -> str | None:
        settings = info.context.platform.settings
        return settings.oidc_name if settings.oidc_issuer is not None else None
