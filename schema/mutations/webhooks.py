"""Mutations of webhooks. What they do is in stores/webhooks/commands.py."""

import strawberry

from accounts.errors import Code
from schema.access import ADMIN_WRITE
from schema.context import Info
from schema.enums import EventType
from schema.ids import decode_account_id, decode_id, encode_id
from schema.mutations.descriptions import ACCOUNT_ID, IDEMPOTENCY_KEY, USER_ERRORS
from schema.types.errors import UserError, may_answer
from schema.types.webhooks import Webhook
from stores.webhooks import commands

WEBHOOK_ID = "Global id of the webhook."
WEBHOOK = "The webhook; null when there are userErrors."


@strawberry.input(description="Input of createWebhook.")
class CreateWebhookInput:
    url: str = strawberry.field(description="A public https URL, without user, password and fragment.")
    event_types: list[EventType] | None = strawberry.field(
        default=None, description="The types of events to send: at least one. The default is all."
    )
    account_id: strawberry.ID | None = strawberry.field(default=None, description=ACCOUNT_ID)
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="Input of updateWebhook. What is left out stays as it is.")
class UpdateWebhookInput:
    id: strawberry.ID = strawberry.field(description=WEBHOOK_ID)
    url: str | None = strawberry.field(default=None, description="A public https URL.")
    event_types: list[EventType] | None = strawberry.field(
        default=None, description="The types of events to send: at least one."
    )
    enabled: bool | None = strawberry.field(
        default=None,
        description="False: send nothing. True: continue with the event at which the delivery stopped, at once.",
    )


@strawberry.input(description="Input of deleteWebhook.")
class DeleteWebhookInput:
    id: strawberry.ID = strawberry.field(description=WEBHOOK_ID)


@strawberry.input(description="Input of rotateWebhookSecret.")
class RotateWebhookSecretInput:
    id: strawberry.ID = strawberry.field(description=WEBHOOK_ID)
    overlap_hours: int = strawberry.field(
        default=24, description="How long the secret before it signs each message, too: 0 to 168 hours."
    )


@strawberry.input(description="Input of testWebhook.")
class TestWebhookInput:
    __test__ = False
    id: strawberry.ID = strawberry.field(description=WEBHOOK_ID)


@strawberry.input(description="Input of replayWebhook.")
class ReplayWebhookInput:
    id: strawberry.ID = strawberry.field(description=WEBHOOK_ID)
    after: str = strawberry.field(description="A cursor of the account's events: those that follow are sent again.")


@strawberry.type(description="Result of createWebhook.")
class CreateWebhookPayload:
    webhook: Webhook | None = strawberry.field(default=None, description=WEBHOOK)
    secret: str | None = strawberry.field(
        default=None,
        description="Verifies the signature of messages. Shown only once; null when an idempotency key is replayed.",
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Result of updateWebhook.")
class UpdateWebhookPayload:
    webhook: Webhook | None = strawberry.field(default=None, description=WEBHOOK)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Result of deleteWebhook.")
class DeleteWebhookPayload:
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="Global id of the deleted webhook; null when there are userErrors."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Result of rotateWebhookSecret.")
class RotateWebhookSecretPayload:
    webhook: Webhook | None = strawberry.field(default=None, description=WEBHOOK)
    secret: str | None = strawberry.field(default=None, description="The new secret. Shown only once.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Result of testWebhook.")
class TestWebhookPayload:
    __test__ = False
    webhook: Webhook | None = strawberry.field(default=None, description=WEBHOOK)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Result of replayWebhook.")
class ReplayWebhookPayload:
    webhook: Webhook | None = strawberry.field(default=None, description=WEBHOOK)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class WebhookMutations:
    @strawberry.mutation(
        extensions=[ADMIN_WRITE, may_answer(Code.INVALID_URL, Code.INVALID_EVENT_TYPES, Code.QUOTA_EXCEEDED)],
        description="Send the account's events to a URL, from the next event on. The secret is shown only once.",
    )
    async def create_webhook(self, info: Info, input: CreateWebhookInput) -> CreateWebhookPayload:
        actor, platform = info.context.require_actor(), info.context.platform
        async with info.context.mutation_transaction(info.field_name) as session:
            webhook, secret = await commands.create_webhook(
                session,
                actor,
                platform.admin_keys,
                platform.settings.webhook_private_networks,
                decode_account_id(input.account_id),
                url=input.url,
                event_types=_names(input.event_types),
                idempotency_key=info.context.choose_idempotency_key(input.idempotency_key),
            )
        return CreateWebhookPayload(webhook=Webhook.from_row(webhook), secret=secret)

    @strawberry.mutation(
        extensions=[ADMIN_WRITE, may_answer(Code.INVALID_URL, Code.INVALID_EVENT_TYPES, Code.CURSOR_EXPIRED)],
        description="Change a webhook, disable it, or enable it from where the delivery stopped.",
    )
    async def update_webhook(self, info: Info, input: UpdateWebhookInput) -> UpdateWebhookPayload:
        actor, settings = info.context.require_actor(), info.context.platform.settings
        async with info.context.mutation_transaction(info.field_name) as session:
            webhook = await commands.update_webhook(
                session,
                actor,
                settings.webhook_private_networks,
                decode_id("Webhook", input.id),
                url=input.url,
                event_types=_names(input.event_types),
                enabled=input.enabled,
            )
        return UpdateWebhookPayload(webhook=Webhook.from_row(webhook))

    @strawberry.mutation(
        extensions=[ADMIN_WRITE], description="Delete a webhook with its secrets and the log of its deliveries."
    )
    async def delete_webhook(self, info: Info, input: DeleteWebhookInput) -> DeleteWebhookPayload:
        actor = info.context.require_actor()
        async with info.context.mutation_transaction(info.field_name) as session:
            deleted = await commands.delete_webhook(session, actor, decode_id("Webhook", input.id))
        return DeleteWebhookPayload(deleted_id=strawberry.ID(encode_id("Webhook", deleted)))

    @strawberry.mutation(
        extensions=[ADMIN_WRITE, may_answer(Code.INVALID_EXPIRY)],
        description="Make a new secret for a webhook. Until the overlap ends, the secret before it signs, too.",
    )
    async def rotate_webhook_secret(self, info: Info, input: RotateWebhookSecretInput) -> RotateWebhookSecretPayload:
        actor, keys = info.context.require_actor(), info.context.platform.admin_keys
        async with info.context.mutation_transaction(info.field_name) as session:
            webhook, secret = await commands.rotate_webhook_secret(
                session, actor, keys, decode_id("Webhook", input.id), input.overlap_hours
            )
        return RotateWebhookSecretPayload(webhook=Webhook.from_row(webhook), secret=secret)

    @strawberry.mutation(
        extensions=[ADMIN_WRITE],
        description="Send a message of the type webhook.test, once. Its result is in the log of deliveries.",
    )
    async def test_webhook(self, info: Info, input: TestWebhookInput) -> TestWebhookPayload:
        actor = info.context.require_actor()
        async with info.context.mutation_transaction(info.field_name) as session:
            webhook = await commands.test_webhook(session, actor, decode_id("Webhook", input.id))
        return TestWebhookPayload(webhook=Webhook.from_row(webhook))

    @strawberry.mutation(
        extensions=[ADMIN_WRITE, may_answer(Code.INVALID_CURSOR, Code.CURSOR_EXPIRED)],
        description="Send the events after a cursor again, in order, and enable the webhook if it is disabled.",
    )
    async def replay_webhook(self, info: Info, input: ReplayWebhookInput) -> ReplayWebhookPayload:
        actor = info.context.require_actor()
        async with info.context.mutation_transaction(info.field_name) as session:
            webhook = await commands.replay_webhook(session, actor, decode_id("Webhook", input.id), input.after)
        return ReplayWebhookPayload(webhook=Webhook.from_row(webhook))


def _names(event_types: list[EventType] | None) -> list[str] | None:
    return None if event_types is None else [item.value for item in event_types]
