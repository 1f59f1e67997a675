"""The root of all queries. Each field reads in a database session of its own: sibling fields run concurrently."""

from uuid import UUID

import strawberry

from accounts.errors import CallerError
from accounts.queries import accounts_of, user_of
from schema import types
from schema.context import Info, RequestError
from schema.ids import account_id as read_account_id
from schema.ids import decode, encode, event_cursor, page_cursor, read_page_cursor
from stores.queries import Place, Seen, store_by_id, store_by_slug, stores_page

MAX_PAGE = 100


@strawberry.type
class Query:
    @strawberry.field(description="Who asks; null when nobody is signed in.")
    async def viewer(self, info: Info) -> types.Viewer | None:
        actor = info.context.actor
        if actor is None:
            return None
        async with info.context.platform.sessions() as session:
            user = await user_of(session, actor)
            found = await accounts_of(session, actor)
        return types.Viewer(
            user=types.User(id=strawberry.ID(encode("User", user.id)), email=user.email),
            accounts=[types.account(info, actor, item.account, item.tokens) for item in found],
        )

    @strawberry.field(description="One of the caller's accounts.")
    async def account(self, info: Info, id: strawberry.ID) -> types.Account | None:
        actor = info.context.caller()
        async with info.context.platform.sessions() as session:
            found = await accounts_of(session, actor)
        for item in found:
            if item.account.id == decode("Account", id):
                return types.account(info, actor, item.account, item.tokens)
        return None

    @strawberry.field(description="One of the caller's stores, by id or by slug; deleted ones too.")
    async def store(self, info: Info, id: strawberry.ID | None = None, slug: str | None = None) -> types.Store | None:
        actor = info.context.caller()
        if (id is None) == (slug is None):
            raise RequestError("BAD_USER_INPUT", "Give either id or slug.")
        seen: Seen | None = None
        async with info.context.platform.sessions() as session:
            if slug is not None:
                seen = await store_by_slug(session, actor, slug)
            elif (store_id := decode("Store", id or "")) is not None:
                seen = await store_by_id(session, actor, store_id)
        return types.store(info, seen) if seen is not None else None

    @strawberry.field(description="An account's stores, the newest first.")
    async def stores(
        self,
        info: Info,
        first: int,
        after: str | None = None,
        account_id: strawberry.ID | None = None,
        include_deleted: bool = False,
    ) -> types.StoreConnection:
        account = account_of(info, account_id)
        if not 1 <= first <= MAX_PAGE:
            raise RequestError("BAD_USER_INPUT", f"Ask for 1 to {MAX_PAGE} stores: first was {first}.")
        place = read_page_cursor(after) if after is not None else None
        if after is not None and place is None:
            raise RequestError("BAD_USER_INPUT", "`after` is no cursor of a page of stores.")
        async with info.context.platform.sessions() as session:
            rows, more, seq = await stores_page(session, account, first=first, after=place, deleted=include_deleted)
        nodes = [types.store(info, Seen(row, seq)) for row in rows]
        cursors = [page_cursor(Place(row.created_at, row.id)) for row in rows]
        return types.StoreConnection(
            edges=[types.StoreEdge(cursor=cursor, node=node) for cursor, node in zip(cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=types.PageInfo(has_next_page=more, end_cursor=cursors[-1] if cursors else None),
            event_cursor=event_cursor(account, seq),
        )

    @strawberry.field(description="The kinds of shop that this installation knows.")
    async def engines(self, info: Info) -> list[types.EngineInfo]:
        return [types.engine(module) for module in info.context.platform.engines.values()]

    @strawberry.field(description="What createStore takes as `language`, the default first.")
    async def languages(self, info: Info) -> list[str]:
        return list(info.context.platform.settings.languages)


def account_of(info: Info, given: strawberry.ID | None) -> UUID:
    """The account meant by an argument. Raises RequestError."""
    try:
        return info.context.caller().account(read_account_id(given))
    except CallerError as error:
        raise RequestError(error.code.value, error.message) from None
