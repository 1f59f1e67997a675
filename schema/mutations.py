"""The root of all mutations: one input, one payload with the object and `userErrors`. One transaction a field."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.errors import CallerError
from accounts.tokens import create_token, revoke_token
from schema import types
from schema.context import Info
from schema.ids import account_id, decode
from schema.inputs import (
    CreateApiTokenInput,
    CreateStoreInput,
    DeleteStoreInput,
    RetryStoreInput,
    RevealAdminCredentialsInput,
    RevokeApiTokenInput,
    RotateAdminPasswordInput,
)
from stores import commands
from stores.events import last_seq
from stores.models import Store
from stores.queries import Seen, url_of
from stores.quota import Limits


@strawberry.type
class StorePayload:
    store: types.Store | None = None
    user_errors: list[types.UserError] = strawberry.field(default_factory=list)


Payload = TypeVar("Payload", bound=StorePayload)


@strawberry.type
class CreateStorePayload(StorePayload): ...


@strawberry.type
class RetryStorePayload(StorePayload): ...


@strawberry.type
class DeleteStorePayload(StorePayload): ...


@strawberry.type
class RotateAdminPasswordPayload(StorePayload): ...


@strawberry.type
class AdminCredentials:
    url: str = strawberry.field(description="Where to sign in.")
    username: str
    password: str
    pending_password: str | None = strawberry.field(
        description="The next one, while rotateAdminPassword is under way or has failed: one of the two signs in."
    )


@strawberry.type
class RevealAdminCredentialsPayload:
    credentials: AdminCredentials | None = None
    user_errors: list[types.UserError] = strawberry.field(default_factory=list)


@strawberry.type
class CreateApiTokenPayload:
    token: types.ApiToken | None = None
    secret: str | None = strawberry.field(
        default=None, description="Shown this once; null when an idempotency key is replayed."
    )
    user_errors: list[types.UserError] = strawberry.field(default_factory=list)


@strawberry.type
class RevokeApiTokenPayload:
    token: types.ApiToken | None = None
    user_errors: list[types.UserError] = strawberry.field(default_factory=list)


@strawberry.type
class Mutation:
    @strawberry.mutation(description="Ask for a store; follow storeEvents to see it become READY.")
    async def create_store(self, info: Info, input: CreateStoreInput) -> CreateStorePayload:
        actor, platform = info.context.caller(), info.context.platform
        given = commands.NewStore(
            name=input.name,
            engine=input.engine.value,
            account_id=account_id(input.account_id),
            slug=input.slug,
            plan=input.plan.value,
            admin_email=input.admin_email,
            country=input.country,
            currency=input.currency,
            language=input.language,
            setup=input.setup.value if input.setup else None,
        )
        limits = Limits(platform.settings.store_quota, platform.settings.creations_per_hour)
        try:
            async with platform.sessions.begin() as session:
                row = await commands.create_store(
                    session,
                    actor,
                    given,
                    engines=platform.engines,
                    limits=limits,
                    languages=platform.settings.languages,
                    cluster=platform.settings.cluster,
                    own_label=platform.own_label,
                    idempotency_key=input.idempotency_key,
                )
                seen = await _seen(session, row)
        except CallerError as error:
            return CreateStorePayload(user_errors=[types.user_error(error)])
        platform.nudger.nudge([row.id])
        return CreateStorePayload(store=types.store(info, seen))

    @strawberry.mutation(description="Let a FAILED store try again from where it failed.")
    async def retry_store(self, info: Info, input: RetryStoreInput) -> RetryStorePayload:
        command = partial(
            commands.retry_store, store_id=decode("Store", input.id), idempotency_key=input.idempotency_key
        )
        return await _changed(info, RetryStorePayload, command)

    @strawberry.mutation(description="Delete a store with all it has, whatever it is doing now.")
    async def delete_store(self, info: Info, input: DeleteStoreInput) -> DeleteStorePayload:
        command = partial(
            commands.delete_store, store_id=decode("Store", input.id), idempotency_key=input.idempotency_key
        )
        return await _changed(info, DeleteStorePayload, command)

    @strawberry.mutation(
        description="Give the owner's account another password. A NOTICE tells when it is in force; then reveal it."
    )
    async def rotate_admin_password(self, info: Info, input: RotateAdminPasswordInput) -> RotateAdminPasswordPayload:
        command = partial(
            commands.rotate_admin_password,
            store_id=decode("Store", input.id),
            engines=info.context.platform.engines,
            idempotency_key=input.idempotency_key,
        )
        return await _changed(info, RotateAdminPasswordPayload, command)

    @strawberry.mutation(description="How the owner signs in to the shop. Each call is written to the audit log.")
    async def reveal_admin_credentials(
        self, info: Info, input: RevealAdminCredentialsInput
    ) -> RevealAdminCredentialsPayload:
        actor, platform = info.context.caller(), info.context.platform
        try:
            async with platform.sessions.begin() as session:
                row, found = await commands.reveal_admin_credentials(
                    session, actor, decode("Store", input.id), platform.engines, platform.admin_keys
                )
        except CallerError as error:
            return RevealAdminCredentialsPayload(user_errors=[types.user_error(error)])
        url = url_of(row, platform.profile) + platform.engines[row.engine].admin_path
        credentials = AdminCredentials(
            url=url, username=found.username, password=found.password, pending_password=found.pending
        )
        return RevealAdminCredentialsPayload(credentials=credentials)

    @strawberry.mutation(description="Make a token for one account. Its secret is shown once.")
    async def create_api_token(self, info: Info, input: CreateApiTokenInput) -> CreateApiTokenPayload:
        actor = info.context.caller()
        try:
            async with info.context.platform.sessions.begin() as session:
                account = actor.account(account_id(input.account_id))
                actor.must_change(account)
                token, secret = await create_token(
                    session,
                    actor,
                    account,
                    name=input.name,
                    scopes=[scope.value for scope in input.scopes],
                    expires_at=input.expires_at,
                    idempotency_key=input.idempotency_key,
                )
        except CallerError as error:
            return CreateApiTokenPayload(user_errors=[types.user_error(error)])
        return CreateApiTokenPayload(token=types.api_token(token), secret=secret)

    @strawberry.mutation(description="End a token, and the sockets opened with it.")
    async def revoke_api_token(self, info: Info, input: RevokeApiTokenInput) -> RevokeApiTokenPayload:
        actor = info.context.caller()
        try:
            async with info.context.platform.sessions.begin() as session:
                token = await revoke_token(session, actor, decode("ApiToken", input.id))
        except CallerError as error:
            return RevokeApiTokenPayload(user_errors=[types.user_error(error)])
        return RevokeApiTokenPayload(token=types.api_token(token))


async def _changed(
    info: Info, payload: type[Payload], command: Callable[[AsyncSession, Actor], Awaitable[Store]]
) -> Payload:
    """What a command makes of a store that is there, and a worker told of it."""
    actor, platform = info.context.caller(), info.context.platform
    try:
        async with platform.sessions.begin() as session:
            row = await command(session, actor)
            seen = await _seen(session, row)
    except CallerError as error:
        return payload(user_errors=[types.user_error(error)])
    platform.nudger.nudge([row.id])
    return payload(store=types.store(info, seen))


async def _seen(session: AsyncSession, row: Store) -> Seen:
    await session.refresh(row)
    return Seen(row, await last_seq(session, row.account_id))
