"""Who uses the API: Viewer, User, Account and ApiToken."""

from datetime import datetime

import strawberry

from accounts import access
from accounts.access import allows
from accounts.actors import Actor
from accounts.impersonation import impersonation_of
from accounts.invitations import invitations_page
from accounts.members import members_page
from accounts.models import Account as AccountRow
from accounts.models import ApiToken as ApiTokenRow
from accounts.models import User as UserRow
from accounts.queries import accounts_page
from accounts.sessions import sessions_page
from accounts.tokens import tokens_page
from runtime.pagination import ALL, PageRange
from schema.access import ADMIN_READ, AS_PARENT
from schema.arguments import Matching, SessionCount
from schema.context import Info
from schema.enums import Role, Scope
from schema.ids import RowCursors, encode_id
from schema.types.audit import AuditConnection, audit_connection, decode_audit_cursor_of
from schema.types.connections import UNPAGED, After, Before, Connection, First, Last, check_page_size, to_range
from schema.types.members import Invitation, InvitationConnection, Member, MemberConnection
from schema.types.nodes import Node
from schema.types.sessions import Session, SessionConnection
from schema.types.store_filters import to_filter
from schema.types.webhooks import WEBHOOK_CURSORS, Webhook, WebhookConnection
from stores.quota import Limits, effective_limits
from stores.store_pages import count_stores
from stores.webhooks.queries import webhooks_page

ACCOUNT_CURSORS, TOKEN_CURSORS, SESSION_CURSORS = RowCursors("Account"), RowCursors("ApiToken"), RowCursors("Session")
MEMBER_CURSORS, INVITATION_CURSORS = RowCursors("Member", by_text=True), RowCursors("Invitation")


@strawberry.type(description="A credential with which a program uses the API for one account.")
class ApiToken(Node):
    name: str = strawberry.field(description="The name that its creator gave it.")
    scopes: list[Scope] = strawberry.field(description="What the token may do.")
    created_at: datetime = strawberry.field(description="When the token was created.")
    expires_at: datetime | None = strawberry.field(description="When the token expires; null: never.")
    revoked_at: datetime | None = strawberry.field(description="When the token was revoked; null: it was not revoked.")
    last_used_at: datetime | None = strawberry.field(description="Exact to a minute; null if never used.")

    @classmethod
    def from_row(cls, row: ApiTokenRow) -> "ApiToken":
        """Without the secret: the database has only its hash."""
        return cls(
            id=strawberry.ID(encode_id("ApiToken", row.id)),
            name=row.name,
            scopes=[Scope(scope) for scope in row.scopes],
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            last_used_at=row.last_used_at,
        )


@strawberry.type(description="A page of an account's API tokens.")
class ApiTokenConnection(Connection[ApiToken]): ...


@strawberry.type(description="An operator has suspended the account: its stores sleep, and nothing is lost.")
class AccountSuspension:
    since: datetime = strawberry.field(description="When it was suspended.")
    reason: str = strawberry.field(description="Why, in the operator's words.")

    @classmethod
    def from_row(cls, row: AccountRow) -> "AccountSuspension | None":
        """None: the account isn't suspended."""
        if row.suspended_at is None:
            return None
        return cls(since=row.suspended_at, reason=row.suspension_reason or "")


@strawberry.type(description="The tenant: it owns stores, limits and tokens.")
class Account(Node):
    name: str = strawberry.field(description="The account's name.")
    role: Role = strawberry.field(description="The caller's role in this account.")
    store_quota: int = strawberry.field(description="How many stores the account may have.")
    creations_per_hour: int = strawberry.field(
        description="How many stores the account may create in an hour; deleted stores count."
    )
    suspension: AccountSuspension | None = strawberry.field(description="Null: the account isn't suspended.")
    row: strawberry.Private[AccountRow]
    limits: strawberry.Private[Limits]

    @strawberry.field(extensions=[AS_PARENT], description="How many stores count against storeQuota.")
    async def stores_used(self, info: Info) -> int:
        return (await info.context.usage.load(self.row.id)).stores

    @strawberry.field(
        extensions=[AS_PARENT], description="How many stores can be created now, by storeQuota and by creationsPerHour."
    )
    async def creations_left(self, info: Info) -> int:
        return (await info.context.usage.load(self.row.id)).creations_left(self.limits)

    @strawberry.field(
        extensions=[AS_PARENT],
        description="When creationsPerHour allows the next creation; null if it does now, or if it is 0.",
    )
    async def next_creation_at(self, info: Info) -> datetime | None:
        return (await info.context.usage.load(self.row.id)).next_creation_at(self.limits)

    @strawberry.field(
        extensions=[AS_PARENT], description="How many stores match; DELETED stores only if the filter asks for them."
    )
    async def store_count(self, info: Info, filter: Matching = None) -> int:
        matching = to_filter(filter)
        async with info.context.platform.sessions() as session:
            return await count_stores(session, self.row.id, matching)

    @strawberry.field(
        extensions=[AS_PARENT], description="The API tokens that are not revoked, the oldest first. Give first or last."
    )
    async def tokens_connection(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> ApiTokenConnection:
        wanted = to_range(first, after, last, before, TOKEN_CURSORS.decode)
        async with info.context.platform.sessions() as session:
            page = await tokens_page(session, self.row.id, wanted)
        cursors = [TOKEN_CURSORS.encode(row.created_at, row.id) for row in page.rows]
        return ApiTokenConnection.of(map(ApiToken.from_row, page.rows), cursors, page)

    @strawberry.field(
        extensions=[AS_PARENT], description="Who belongs to the account, by e-mail address. Give first or last."
    )
    async def members_connection(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> MemberConnection:
        wanted = to_range(first, after, last, before, MEMBER_CURSORS.decode)
        async with info.context.platform.sessions() as session:
            page = await members_page(session, self.row.id, wanted)
        cursors = [MEMBER_CURSORS.encode(row.email, row.user_id) for row in page.rows]
        return MemberConnection.of(map(Member.from_member, page.rows), cursors, page)

    @strawberry.field(
        extensions=[ADMIN_READ],
        description="The invitations that can be accepted, the newest first; for owners and admins. "
        "Give first or last.",
    )
    async def invitations_connection(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> InvitationConnection | None:
        wanted = to_range(first, after, last, before, INVITATION_CURSORS.decode)
        async with info.context.platform.sessions() as session:
            page = await invitations_page(session, self.row.id, wanted)
        cursors = [INVITATION_CURSORS.encode(row.created_at, row.id) for row in page.rows]
        return InvitationConnection.of(map(Invitation.from_row, page.rows), cursors, page)

    @strawberry.field(
        extensions=[AS_PARENT], description="The webhooks, the oldest first; all of them without `first` and `last`."
    )
    async def webhooks(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> WebhookConnection:
        wanted = to_range(first, after, last, before, WEBHOOK_CURSORS.decode, default=UNPAGED)
        async with info.context.platform.sessions() as session:
            page = await webhooks_page(session, self.row.id, wanted)
        cursors = [WEBHOOK_CURSORS.encode(row.created_at, row.id) for row in page.rows]
        return WebhookConnection.of(map(Webhook.from_row, page.rows), cursors, page)

    @strawberry.field(
        extensions=[ADMIN_READ],
        description="Who did what in the account, the newest entry first; for owners and admins. Give first or last.",
    )
    async def audit_log(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> AuditConnection | None:
        wanted = to_range(first, after, last, before, decode_audit_cursor_of(self.row.id))
        return await audit_connection(info, self.row.id, wanted)

    @strawberry.field(
        extensions=[AS_PARENT],
        description="The API tokens that are not revoked, the oldest first.",
        deprecation_reason="Use tokensConnection, which has pages.",
    )
    async def tokens(self, info: Info) -> list[ApiToken]:
        async with info.context.platform.sessions() as session:
            return [ApiToken.from_row(row) for row in (await tokens_page(session, self.row.id, ALL)).rows]

    @strawberry.field(
        extensions=[AS_PARENT],
        description="Who belongs to the account, by e-mail address.",
        deprecation_reason="Use membersConnection, which has pages.",
    )
    async def members(self, info: Info) -> list[Member]:
        async with info.context.platform.sessions() as session:
            return [Member.from_member(row) for row in (await members_page(session, self.row.id, ALL)).rows]

    @strawberry.field(
        extensions=[AS_PARENT],
        description="The invitations that can be accepted, the newest first; empty for a viewer.",
        deprecation_reason="Use invitationsConnection, which has pages.",
    )
    async def invitations(self, info: Info) -> list[Invitation]:
        if not allows(info.context.require_actor(), access.ADMIN_READ, self.row.id):
            return []
        async with info.context.platform.sessions() as session:
            return [Invitation.from_row(row) for row in (await invitations_page(session, self.row.id, ALL)).rows]

    @classmethod
    def from_row(cls, info: Info, actor: Actor, row: AccountRow) -> "Account":
        """Where the account has no limits of its own, the limits are those of the settings."""
        limits = effective_limits(row, info.context.platform.limits)
        return cls(
            id=strawberry.ID(encode_id("Account", row.id)),
            name=row.name,
            role=Role(actor.roles[row.id]),
            store_quota=limits.store_quota,
            creations_per_hour=limits.creations_per_hour,
            suspension=AccountSuspension.from_row(row),
            row=row,
            limits=limits,
        )


@strawberry.type(description="A person who can sign in.")
class User(Node):
    email: str = strawberry.field(description="E-mail address, in lower case.")

    @classmethod
    def from_row(cls, row: UserRow) -> "User":
        return cls(id=strawberry.ID(encode_id("User", row.id)), email=row.email)


@strawberry.type(description="A page of the caller's accounts.")
class AccountConnection(Connection[Account]): ...


@strawberry.type(description="An operator is signed in as the user.")
class Impersonation:
    operator: str = strawberry.field(description="The operator's e-mail address.")
    reason: str = strawberry.field(description="Why, in the operator's words.")
    expires_at: datetime = strawberry.field(description="When the session expires.")


@strawberry.type(description="The caller. A token acts for the user who created it.")
class Viewer:
    user: User = strawberry.field(description="The signed-in user, or the user who created the token.")
    is_operator: bool = strawberry.field(description="Whether the caller may use `operator`.")

    @strawberry.field(extensions=[AS_PARENT], description="Null: the user is signed in, or an API token is used.")
    async def impersonation(self, info: Info) -> Impersonation | None:
        async with info.context.platform.sessions() as session:
            found = await impersonation_of(session, info.context.require_actor())
        return Impersonation(operator=found[0], reason=found[1], expires_at=found[2]) if found is not None else None

    @strawberry.field(
        extensions=[AS_PARENT],
        description="The accounts that the caller can read, the oldest first. Give first or last.",
    )
    async def accounts_connection(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> AccountConnection:
        wanted = to_range(first, after, last, before, ACCOUNT_CURSORS.decode)
        page = await accounts_page(info.context.platform.sessions, info.context.require_actor(), wanted)
        nodes = [Account.from_row(info, info.context.require_actor(), row) for row in page.rows]
        cursors = [ACCOUNT_CURSORS.encode(row.created_at, row.id) for row in page.rows]
        return AccountConnection.of(nodes, cursors, page)

    @strawberry.field(
        extensions=[AS_PARENT],
        description="The user's active sessions, the newest first; none for an API token. Give first or last.",
    )
    async def sessions_connection(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> SessionConnection:
        wanted = to_range(first, after, last, before, SESSION_CURSORS.decode)
        async with info.context.platform.sessions() as session:
            page = await sessions_page(session, info.context.require_actor(), wanted)
        nodes = [Session.from_row(row, info.context.require_actor()) for row in page.rows]
        cursors = [SESSION_CURSORS.encode(row.created_at, row.id) for row in page.rows]
        return SessionConnection.of(nodes, cursors, page)

    @strawberry.field(
        extensions=[AS_PARENT],
        description="The accounts that the caller can read, the oldest first.",
        deprecation_reason="Use accountsConnection, which has pages.",
    )
    async def accounts(self, info: Info) -> list[Account]:
        actor = info.context.require_actor()
        page = await accounts_page(info.context.platform.sessions, actor, ALL)
        return [Account.from_row(info, actor, row) for row in page.rows]

    @strawberry.field(
        extensions=[AS_PARENT],
        description="The user's active sessions, the newest first; none for an API token.",
        deprecation_reason="Use sessionsConnection, which has cursors.",
    )
    async def sessions(self, info: Info, first: SessionCount = 20) -> list[Session]:
        actor = info.context.require_actor()
        check_page_size(first)
        async with info.context.platform.sessions() as session:
            rows = (await sessions_page(session, actor, PageRange(first))).rows
        return [Session.from_row(row, actor) for row in rows]
