"""Who uses the API: Viewer, User, Account and ApiToken."""

from datetime import datetime

import strawberry

from accounts.actors import Actor
from accounts.invitations import open_invitations
from accounts.members import members
from accounts.models import Account as AccountRow
from accounts.models import ApiToken as ApiTokenRow
from accounts.models import User as UserRow
from accounts.queries import AccountWithTokens
from accounts.sessions import active_sessions
from schema.access import ADMIN_READ, AS_PARENT
from schema.context import Info
from schema.enums import Role, Scope
from schema.ids import encode_id
from schema.types.audit import AuditConnection, audit_connection
from schema.types.members import Invitation, Member
from schema.types.pages import check_page_size
from schema.types.sessions import Session
from schema.types.store_filters import StoreFilter, to_filter
from schema.types.webhooks import WebhookConnection
from stores.quota import Limits, effective_limits
from stores.store_pages import count_stores


@strawberry.type(description="A credential with which a program uses the API for one account.")
class ApiToken:
    id: strawberry.ID = strawberry.field(description="Global id.")
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


@strawberry.type(description="The tenant: it owns stores, limits and tokens.")
class Account:
    id: strawberry.ID = strawberry.field(description="Global id.")
    name: str = strawberry.field(description="The account's name.")
    role: Role = strawberry.field(description="The caller's role in this account.")
    store_quota: int = strawberry.field(description="How many stores the account may have.")
    creations_per_hour: int = strawberry.field(
        description="How many stores the account may create in an hour; deleted stores count."
    )
    tokens: list[ApiToken] = strawberry.field(description="The API tokens that are not revoked, the oldest first.")
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
    async def store_count(self, info: Info, filter: StoreFilter | None = None) -> int:
        matching = to_filter(filter)
        async with info.context.platform.sessions() as session:
            return await count_stores(session, self.row.id, matching)

    @strawberry.field(extensions=[AS_PARENT], description="Who belongs to the account, by e-mail address.")
    async def members(self, info: Info) -> list[Member]:
        async with info.context.platform.sessions() as session:
            return [Member.from_member(member) for member in await members(session, self.row.id)]

    @strawberry.field(
        extensions=[AS_PARENT],
        description="The invitations that can be accepted, the newest first; empty for a viewer.",
    )
    async def invitations(self, info: Info) -> list[Invitation]:
        if self.role is Role("viewer"):
            return []
        async with info.context.platform.sessions() as session:
            return [Invitation.from_row(row) for row, _, _ in await open_invitations(session, self.row.id)]

    @strawberry.field(
        extensions=[AS_PARENT], description="The webhooks, the oldest first; all of them without `first` and `last`."
    )
    async def webhooks(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> WebhookConnection:
        rows = await info.context.webhooks.load(self.row.id)
        return WebhookConnection.from_rows(rows, first=first, after=after, last=last, before=before)

    @strawberry.field(
        extensions=[ADMIN_READ],
        description="Who did what in the account, the newest entry first; for owners and admins. Give first or last.",
    )
    async def audit_log(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> AuditConnection | None:
        return await audit_connection(info, self.row.id, first=first, after=after, last=last, before=before)

    @classmethod
    def from_row(cls, info: Info, actor: Actor, found: AccountWithTokens) -> "Account":
        """Where the account has no limits of its own, the limits are those of the settings."""
        row, limits = found.account, effective_limits(found.account, info.context.platform.limits)
        return cls(
            id=strawberry.ID(encode_id("Account", row.id)),
            name=row.name,
            role=Role(actor.roles[row.id]),
            store_quota=limits.store_quota,
            creations_per_hour=limits.creations_per_hour,
            tokens=[ApiToken.from_row(token) for token in found.tokens],
            row=row,
            limits=limits,
        )


@strawberry.type(description="A person who can sign in.")
class User:
    id: strawberry.ID = strawberry.field(description="Global id.")
    email: str = strawberry.field(description="E-mail address, in lower case.")

    @classmethod
    def from_row(cls, row: UserRow) -> "User":
        return cls(id=strawberry.ID(encode_id("User", row.id)), email=row.email)


@strawberry.type(description="The caller. A token acts for the user who created it.")
class Viewer:
    user: User = strawberry.field(description="The signed-in user, or the user who created the token.")
    accounts: list[Account] = strawberry.field(description="The accounts that the caller can read, the oldest first.")

    @strawberry.field(
        extensions=[AS_PARENT], description="The user's active sessions, the newest first. Empty for an API token."
    )
    async def sessions(self, info: Info, first: int = 20) -> list[Session]:
        actor = info.context.require_actor()
        check_page_size(first)
        async with info.context.platform.sessions() as session:
            rows = await active_sessions(session, actor, first)
        return [Session.from_row(row, actor) for row in rows]
