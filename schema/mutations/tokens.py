"""Mutations of API tokens. What they do is in accounts/tokens.py."""

from datetime import datetime

import strawberry

from accounts.errors import Code
from accounts.tokens import create_token, revoke_token
from schema.access import ADMIN_WRITE
from schema.context import Info
from schema.enums import Scope
from schema.ids import decode_account_id, decode_id
from schema.mutations.descriptions import ACCOUNT_ID, IDEMPOTENCY_KEY, USER_ERRORS
from schema.types.accounts import ApiToken
from schema.types.errors import UserError, may_answer


@strawberry.input(description="Input of createApiToken.")
class CreateApiTokenInput:
    name: str = strawberry.field(description="1 to 80 printable characters.")
    scopes: list[Scope] = strawberry.field(description="At least one, and none that the caller does not have.")
    account_id: strawberry.ID | None = strawberry.field(default=None, description=ACCOUNT_ID)
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="A time in the future. A token that creates a token needs a time no later than its own expiry, "
        "which is also the default. For a signed-in user, the default is that the token never expires.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="Input of revokeApiToken.")
class RevokeApiTokenInput:
    id: strawberry.ID = strawberry.field(description="Global id of the token.")


@strawberry.type(description="Result of createApiToken.")
class CreateApiTokenPayload:
    token: ApiToken | None = strawberry.field(default=None, description="The token; null when there are userErrors.")
    secret: str | None = strawberry.field(
        default=None, description="Shown only once; null when an idempotency key is replayed."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Result of revokeApiToken.")
class RevokeApiTokenPayload:
    token: ApiToken | None = strawberry.field(default=None, description="The token; null when there are userErrors.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class TokenMutations:
    @strawberry.mutation(
        extensions=[ADMIN_WRITE, may_answer(Code.INVALID_NAME, Code.INVALID_SCOPES, Code.INVALID_EXPIRY)],
        description="Create a token for one account. Its secret is shown only once.",
    )
    async def create_api_token(self, info: Info, input: CreateApiTokenInput) -> CreateApiTokenPayload:
        actor = info.context.require_actor()
        async with info.context.mutation_transaction(info.field_name) as session:
            token, secret = await create_token(
                session,
                actor,
                decode_account_id(input.account_id),
                name=input.name,
                scopes=[scope.value for scope in input.scopes],
                expires_at=input.expires_at,
                idempotency_key=info.context.choose_idempotency_key(input.idempotency_key),
            )
        return CreateApiTokenPayload(token=ApiToken.from_row(token), secret=secret)

    @strawberry.mutation(
        extensions=[ADMIN_WRITE],
        description="Revoke a token, and all tokens that it created. WebSockets that were opened with them end.",
    )
    async def revoke_api_token(self, info: Info, input: RevokeApiTokenInput) -> RevokeApiTokenPayload:
        actor = info.context.require_actor()
        async with info.context.mutation_transaction(info.field_name) as session:
            token = await revoke_token(session, actor, decode_id("ApiToken", input.id))
        return RevokeApiTokenPayload(token=ApiToken.from_row(token))
