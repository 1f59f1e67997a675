"""What mutations are given. Only what is marked so is required."""

from datetime import datetime

import strawberry

from schema.enums import EngineName, PlanName, Scope, StoreSetup
from stores.plans import DEFAULT_PLAN

_KEY = "Up to 255 characters, kept 24 hours: a repeat of this request under this key acts only once."


@strawberry.input
class CreateStoreInput:
    name: str = strawberry.field(description="1 to 80 characters of any script.")
    engine: EngineName
    account_id: strawberry.ID | None = strawberry.field(default=None, description="May be left out if there is one.")
    slug: str | None = strawberry.field(default=None, description="First label of its address; made from the name.")
    plan: PlanName = PlanName(DEFAULT_PLAN)
    admin_email: str | None = strawberry.field(default=None, description="Of the shop's owner; the user's by default.")
    country: str | None = strawberry.field(default=None, description="ISO 3166-1 alpha-2, e.g. DE.")
    currency: str | None = strawberry.field(default=None, description="ISO 4217, e.g. EUR.")
    language: str | None = strawberry.field(default=None, description="BCP 47, e.g. de-DE; see Query.languages.")
    setup: StoreSetup | None = strawberry.field(default=None, description="READY by default; see Engine.setups.")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class RetryStoreInput:
    id: strawberry.ID
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class DeleteStoreInput:
    id: strawberry.ID
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class RevealAdminCredentialsInput:
    id: strawberry.ID


@strawberry.input
class RotateAdminPasswordInput:
    id: strawberry.ID
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class CreateApiTokenInput:
    name: str
    scopes: list[Scope]
    account_id: strawberry.ID | None = strawberry.field(default=None, description="May be left out if there is one.")
    expires_at: datetime | None = None
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class RevokeApiTokenInput:
    id: strawberry.ID
