"""Mutations of stores. The commands are in stores/commands.py."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import strawberry

from accounts.errors import Code
from schema.access import ADMIN_WRITE
from schema.context import Info
from schema.enums import EngineName, PlanName, StoreSetup
from schema.ids import decode_account_id, decode_id
from schema.mutations.descriptions import ACCOUNT_ID, IDEMPOTENCY_KEY, USER_ERRORS
from schema.types.errors import UserError, may_answer
from schema.types.stores import Store
from stores import commands
from stores.creation import NewStore, create_store
from stores.names import store_url
from stores.plans import DEFAULT_PLAN
from stores.queries import StoreWithCursor


@strawberry.input(description="Input of createStore.")
class CreateStoreInput:
    name: str = strawberry.field(description="1 to 80 characters of any script.")
    engine: EngineName = strawberry.field(description="The store's engine; see Query.engines.")
    account_id: strawberry.ID | None = strawberry.field(default=None, description=ACCOUNT_ID)
    slug: str | None = strawberry.field(
        default=None, description="First label of the store's address. The default is made from the name."
    )
    plan: PlanName = strawberry.field(default=PlanName(DEFAULT_PLAN), description="The store's plan; see Query.plans.")
    admin_email: str | None = strawberry.field(
        default=None, description="E-mail address of the store's owner. The default is the user's address."
    )
    country: str | None = strawberry.field(default=None, description="ISO 3166-1 alpha-2, e.g. DE.")
    currency: str | None = strawberry.field(default=None, description="ISO 4217, e.g. EUR.")
    language: str | None = strawberry.field(default=None, description="BCP 47, e.g. de-DE; see Query.languages.")
    setup: StoreSetup | None = strawberry.field(default=None, description="READY by default; see Engine.setups.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input
class StoreInput:
    """What a mutation of one store needs at least."""

    id: strawberry.ID = strawberry.field(description="Global id of the store.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="Input of retryStore.")
class RetryStoreInput(StoreInput): ...


@strawberry.input(description="Input of changePlan.")
class ChangePlanInput:
    id: strawberry.ID = strawberry.field(description="Global id of the store.")
    plan: PlanName = strawberry.field(description="The new plan; see Query.plans.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="Input of suspendStore.")
class SuspendStoreInput(StoreInput): ...


@strawberry.input(description="Input of resumeStore.")
class ResumeStoreInput(StoreInput): ...


@strawberry.input(description="Input of deleteStore.")
class DeleteStoreInput(StoreInput): ...


@strawberry.input(description="Input of rotateAdminPassword.")
class RotateAdminPasswordInput(StoreInput): ...


@strawberry.input(description="Input of revealAdminCredentials.")
class RevealAdminCredentialsInput:
    id: strawberry.ID = strawberry.field(description="Global id of the store.")


@strawberry.type
class StorePayload:
    store: Store | None = strawberry.field(
        default=None, description="The store after the mutation; null when there are userErrors."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


Payload = TypeVar("Payload", bound=StorePayload)


@strawberry.type(description="Result of createStore.")
class CreateStorePayload(StorePayload): ...


@strawberry.type(description="Result of retryStore.")
class RetryStorePayload(StorePayload): ...


@strawberry.type(description="Result of changePlan.")
class ChangePlanPayload(StorePayload): ...


@strawberry.type(description="Result of suspendStore.")
class SuspendStorePayload(StorePayload): ...


@strawberry.type(description="Result of resumeStore.")
class ResumeStorePayload(StorePayload): ...


@strawberry.type(description="Result of deleteStore.")
class DeleteStorePayload(StorePayload): ...


@strawberry.type(description="Result of rotateAdminPassword.")
class RotateAdminPasswordPayload(StorePayload): ...


@strawberry.type(description="The store's admin account.")
class AdminCredentials:
    url: str = strawberry.field(description="The sign-in page of the store's admin.")
    username: str = strawberry.field(description="The admin's user name.")
    password: str = strawberry.field(description="The admin's password.")
    pending_password: str | None = strawberry.field(
        description="The next password, while rotateAdminPassword is in progress or has failed: one of the two works."
    )


@strawberry.type(description="Result of revealAdminCredentials.")
class RevealAdminCredentialsPayload:
    credentials: AdminCredentials | None = strawberry.field(default=None, description="Null when there are userErrors.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class StoreMutations:
    @strawberry.mutation(
        extensions=[
            ADMIN_WRITE,
            may_answer(
                Code.INVALID_NAME,
                Code.INVALID_SLUG,
                Code.SLUG_TAKEN,
                Code.SLUG_RESERVED,
                Code.INVALID_EMAIL,
                Code.INVALID_COUNTRY,
                Code.INVALID_CURRENCY,
                Code.INVALID_LANGUAGE,
                Code.INVALID_SETUP,
                Code.ENGINE_UNAVAILABLE,
                Code.QUOTA_EXCEEDED,
                Code.RATE_LIMITED,
                Code.ACCOUNT_SUSPENDED,
            ),
        ],
        description="Request a new store. Subscribe to storeEvents to see when it becomes READY.",
    )
    async def create_store(self, info: Info, input: CreateStoreInput) -> CreateStorePayload:
        platform = info.context.platform
        new_store = NewStore(
            name=input.name,
            engine=input.engine.value,
            account_id=decode_account_id(input.account_id),
            slug=input.slug,
            plan=input.plan.value,
            admin_email=input.admin_email,
            country=input.country,
            currency=input.currency,
            language=input.language,
            setup=input.setup.value if input.setup else None,
        )
        command = partial(
            create_store,
            new=new_store,
            engines=platform.engines,
            limits=platform.limits,
            languages=platform.settings.languages,
            cluster=platform.settings.cluster,
            platform_label=platform.platform_label,
        )
        return await _run(info, CreateStorePayload, command, input.idempotency_key)

    @strawberry.mutation(
        extensions=[ADMIN_WRITE, may_answer(Code.WRONG_STATUS, Code.ACCOUNT_SUSPENDED)],
        description="Retry a FAILED store. It continues with the step that failed.",
    )
    async def retry_store(self, info: Info, input: RetryStoreInput) -> RetryStorePayload:
        return await _change(info, RetryStorePayload, commands.retry_store, input)

    @strawberry.mutation(
        extensions=[
            ADMIN_WRITE,
            may_answer(Code.WRONG_STATUS, Code.NOT_YET, Code.DISK_TOO_SMALL, Code.ACCOUNT_SUSPENDED),
        ],
        description="Give a READY or FAILED store another plan, whose disks may not be smaller. It is updated, and "
        "becomes READY after another synthetic checkout. The shop stops only while its database restarts.",
    )
    async def change_plan(self, info: Info, input: ChangePlanInput) -> ChangePlanPayload:
        command = partial(commands.change_plan, plan=input.plan.value)
        return await _change(info, ChangePlanPayload, command, input)

    @strawberry.mutation(
        extensions=[ADMIN_WRITE, may_answer(Code.WRONG_STATUS, Code.NOT_YET)],
        description="Stop all that a READY store runs. All data is kept, and visitors read that the store is paused.",
    )
    async def suspend_store(self, info: Info, input: SuspendStoreInput) -> SuspendStorePayload:
        return await _change(info, SuspendStorePayload, commands.suspend_store, input)

    @strawberry.mutation(
        extensions=[ADMIN_WRITE, may_answer(Code.WRONG_STATUS, Code.ACCOUNT_SUSPENDED)],
        description="Start a SUSPENDED store again. It becomes READY after another synthetic checkout.",
    )
    async def resume_store(self, info: Info, input: ResumeStoreInput) -> ResumeStorePayload:
        return await _change(info, ResumeStorePayload, commands.resume_store, input)

    @strawberry.mutation(
        extensions=[ADMIN_WRITE], description="Delete a store and all its data. Possible in every status."
    )
    async def delete_store(self, info: Info, input: DeleteStoreInput) -> DeleteStorePayload:
        return await _change(info, DeleteStorePayload, commands.delete_store, input)

    @strawberry.mutation(
        extensions=[
            ADMIN_WRITE,
            may_answer(Code.ENGINE_UNAVAILABLE, Code.NOT_SUPPORTED, Code.WRONG_STATUS, Code.ACCOUNT_SUSPENDED),
        ],
        description="Give the store's admin a new password. A NOTICE event says when it works; then reveal it.",
    )
    async def rotate_admin_password(self, info: Info, input: RotateAdminPasswordInput) -> RotateAdminPasswordPayload:
        command = partial(commands.rotate_admin_password, engines=info.context.platform.engines)
        return await _change(info, RotateAdminPasswordPayload, command, input)

    @strawberry.mutation(
        extensions=[ADMIN_WRITE, may_answer(Code.ENGINE_UNAVAILABLE, Code.WRONG_STATUS, Code.NOT_YET)],
        description="The username and password of the store's admin. Each call is written to the audit log.",
    )
    async def reveal_admin_credentials(
        self, info: Info, input: RevealAdminCredentialsInput
    ) -> RevealAdminCredentialsPayload:
        actor, platform = info.context.require_actor(), info.context.platform
        async with info.context.mutation_transaction(info.field_name) as session:
            row, revealed = await commands.reveal_admin_credentials(
                session, actor, decode_id("Store", input.id), platform.engines, platform.admin_keys
            )
        credentials = AdminCredentials(
            url=store_url(row.slug, platform.profile) + platform.engines[row.engine].admin_path,
            username=revealed.username,
            password=revealed.password,
            pending_password=revealed.pending,
        )
        return RevealAdminCredentialsPayload(credentials=credentials)


async def _change(
    info: Info,
    payload: type[Payload],
    command: Callable[..., Awaitable[StoreWithCursor]],
    input: StoreInput | ChangePlanInput,
) -> Payload:
    """Run a command of one store."""
    change = partial(command, store_id=decode_id("Store", input.id))
    return await _run(info, payload, change, input.idempotency_key)


async def _run(
    info: Info, payload: type[Payload], command: Callable[..., Awaitable[StoreWithCursor]], idempotency_key: str | None
) -> Payload:
    """Run the command in a transaction, then enqueue its store for the workers."""
    actor, platform = info.context.require_actor(), info.context.platform
    key = info.context.choose_idempotency_key(idempotency_key)
    async with info.context.mutation_transaction(info.field_name) as session:
        store = await command(session, actor, idempotency_key=key)
    platform.enqueuer.enqueue([store.store.id])
    return payload(store=Store.from_row(info, store))
