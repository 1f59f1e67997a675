"""The context of resolvers: actor, connections of the process, and dataloaders. One per request or WebSocket."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLError
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.audit import audit, set_origin
from accounts.errors import CallerError, Code
from accounts.impersonation import require_mutation
from accounts.last_used import LastUsed
from accounts.point_budgets import budgets_of_caller
from runtime.budgets import Balance, Budget, Budgets
from runtime.changefeed import Changefeed
from runtime.concurrency_limiter import ConcurrencyLimiter, LimitTimeout
from runtime.database import SessionFactory
from runtime.pagination import Page, PageRange
from runtime.queue import Enqueuer
from runtime.sealing import Keyring
from runtime.settings import ClusterProfile, Settings
from schema.dataloader import Loader
from schema.ids import decode_account_id
from schema.trusted_documents import TrustedDocuments
from stores.engines import Engine
from stores.event_pages import event_pages
from stores.event_stream import EventStream
from stores.log_stream import LogStream
from stores.models import Event, Step
from stores.names import platform_label
from stores.queries import StoreWithCursor, steps_by_store, stores_by_id
from stores.quota import Limits, Usage, usage_by_account
from stores.step_durations import StepDurations
from stores.webhooks.models import WebhookDelivery
from stores.webhooks.queries import delivery_pages

MUTATIONS_PER_USER = 4
"""Parallel mutations of one user in this process. More of them wait, and leave the connections to other users."""
MUTATION_WAIT_SECONDS = 30.0
SIGN_IN_WAIT_SECONDS = 30.0


class RequestError(GraphQLError):
    """An error in the request itself, as a top-level GraphQL error. The caller sees its code and message unchanged.

    `retry_after`: seconds after which the same request may succeed.
    """

    def __init__(self, code: str, message: str, *, retry_after: int | None = None) -> None:
        extensions = {"code": code} if retry_after is None else {"code": code, "retryAfterSeconds": retry_after}
        super().__init__(message, extensions=extensions)


@dataclass(frozen=True)
class Platform:
    """Settings and connections that all requests of the API process share."""

    settings: Settings
    profile: ClusterProfile
    sessions: SessionFactory
    enqueuer: Enqueuer
    changefeed: Changefeed
    event_stream: EventStream
    log_stream: LogStream
    last_used: LastUsed
    step_durations: StepDurations
    engines: Mapping[str, Engine]
    admin_keys: Keyring
    budgets: Budgets
    trusted: TrustedDocuments
    sign_in_limiter: ConcurrencyLimiter = field(default_factory=lambda: ConcurrencyLimiter(1, SIGN_IN_WAIT_SECONDS))
    """One attempt is counted in the database at a time; others wait, and leave the event loop to other requests."""
    mutation_limiter: ConcurrencyLimiter = field(
        default_factory=lambda: ConcurrencyLimiter(MUTATIONS_PER_USER, MUTATION_WAIT_SECONDS)
    )

    @property
    def limits(self) -> Limits:
        """The limits of accounts that have none of their own."""
        return Limits(self.settings.store_quota, self.settings.creations_per_hour)

    @property
    def platform_label(self) -> str | None:
        """First label of the API's own host, if that host is below the base domain; None otherwise."""
        return platform_label(self.settings.public_url, self.profile.base_domain)


@dataclass
class Context:
    """Belongs to one HTTP request or one WebSocket."""

    platform: Platform
    request_id: str
    actor: Actor | None
    """None: the caller is anonymous."""
    address: str
    """As client_address has it."""
    idempotency_key: str | None = None
    """The header Idempotency-Key of an HTTP request."""
    peer_address: str | None = None
    """The client's whole IP address, for the audit log."""
    user_agent: str | None = None
    connection_params: dict[str, Any] = field(default_factory=dict)
    """Payload of the WebSocket's connection_init message."""
    last_event_id: str | None = None
    """Of a client that connects to /graphql/stream again: the cursor after which a subscription continues."""
    event_cursor: str | None = None
    """The cursor of the event that the subscription yielded last."""

    def __post_init__(self) -> None:
        self.steps: Loader[UUID, list[Step]] = Loader(self._load_steps)
        self.stores: Loader[UUID, StoreWithCursor] = Loader(self._load_stores)
        self.event_pages: Loader[tuple[UUID, PageRange], Page[Event]] = Loader(self._load_events)
        self.usage: Loader[UUID, Usage] = Loader(self._load_usage)
        self.delivery_pages: Loader[tuple[UUID, PageRange], Page[WebhookDelivery]] = Loader(self._load_deliveries)

    async def _load_steps(self, store_ids: list[UUID]) -> Sequence[list[Step]]:
        async with self.platform.sessions() as session:
            steps = await steps_by_store(session, store_ids)
        return [steps[store_id] for store_id in store_ids]

    async def _load_stores(self, store_ids: list[UUID]) -> Sequence[StoreWithCursor | RequestError]:
        async with self.platform.sessions() as session:
            stores = await stores_by_id(session, self.require_actor(), set(store_ids))
        missing = RequestError("NOT_FOUND", "There is no such store.")
        return [stores.get(store_id, missing) for store_id in store_ids]

    async def _load_events(self, keys: list[tuple[UUID, PageRange]]) -> Sequence[Page[Event]]:
        pages = {}
        async with self.platform.sessions() as session:
            for wanted in {wanted for _, wanted in keys}:
                store_ids = {store_id for store_id, other in keys if other == wanted}
                found = await event_pages(session, list(store_ids), wanted)
                pages.update({(store_id, wanted): page for store_id, page in found.items()})
        return [pages[key] for key in keys]

    async def _load_usage(self, account_ids: list[UUID]) -> Sequence[Usage]:
        async with self.platform.sessions() as session:
            usage = await usage_by_account(session, set(account_ids))
        return [usage[account_id] for account_id in account_ids]

    async def _load_deliveries(self, keys: list[tuple[UUID, PageRange]]) -> Sequence[Page[WebhookDelivery]]:
        pages = {}
        async with self.platform.sessions() as session:
            for wanted in {wanted for _, wanted in keys}:
                webhook_ids = {webhook_id for webhook_id, other in keys if other == wanted}
                found = await delivery_pages(session, webhook_ids, wanted)
                pages.update({(webhook_id, wanted): page for webhook_id, page in found.items()})
        return [pages[key] for key in keys]

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """Whose points the caller's operations take."""
        return budgets_of_caller(self.actor, self.address, self.platform.settings)

    @property
    def points_per_request(self) -> int:
        """The most that an operation may cost."""
        return self.platform.settings.points_per_request

    @property
    def only_trusted(self) -> TrustedDocuments | None:
        """The documents that are accepted; None: all."""
        return self.platform.trusted if self.platform.settings.accepted_documents == "trusted" else None

    @property
    def shows_schema(self) -> bool:
        """Whether introspection is answered, and errors have suggestions."""
        return self.platform.settings.introspection == "open"

    def charge(self, points: int) -> Balance:
        """Take the points, and return what is left of the budget that is used up first."""
        self.platform.budgets.charge(self.budgets, points)
        return self.platform.budgets.lowest(self.budgets)

    def choose_idempotency_key(self, given: str | None) -> str | None:
        """The argument of a mutation, or the request's header. Raises CallerError if they differ."""
        header = self.idempotency_key
        if given is not None and header is not None and given != header:
            message = "The header Idempotency-Key and the argument idempotencyKey differ. Send one of them."
            raise CallerError(Code.INVALID_IDEMPOTENCY_KEY, "idempotencyKey", message)
        return header if given is None else given

    def require_actor(self) -> Actor:
        """The caller. Raises RequestError UNAUTHENTICATED for an anonymous caller."""
        if self.actor is None:
            message = "Sign in, or send an API token: `Authorization: Bearer sf_…`."
            raise RequestError("UNAUTHENTICATED", message)
        return self.actor

    @asynccontextmanager
    async def mutation_transaction(self, mutation: str) -> AsyncIterator[AsyncSession]:
        """A transaction for a mutation of the caller, who waits if MUTATIONS_PER_USER others are in progress.

        Raises RequestError: UNAUTHENTICATED, or BUSY after MUTATION_WAIT_SECONDS. What the caller may not do in one of
        its accounts is written to the account's audit log.
        """
        actor = self.require_actor()
        origin = actor.origin(self.peer_address, self.user_agent)
        try:
            async with self.platform.mutation_limiter.hold(actor.user_id):
                try:
                    require_mutation(actor, mutation)
                    async with self.platform.sessions.begin() as session:
                        set_origin(session, origin)
                        yield session
                except CallerError as error:
                    if error.account_id is not None:
                        async with self.platform.sessions.begin() as session:
                            set_origin(session, origin)
                            subject = f"account:{error.account_id}"
                            audit(session, error.account_id, actor.name, mutation, subject, result="refused")
                    raise
        except LimitTimeout:
            message = "Your earlier requests are still in progress; nothing was done. Try again in a moment."
            raise RequestError("BUSY", message) from None

    def require_account(self, global_id: strawberry.ID | None) -> UUID:
        """The caller's account that an argument names. Raises RequestError."""
        try:
            return self.require_actor().resolve_account(decode_account_id(global_id))
        except CallerError as error:
            raise RequestError(error.code.value, error.message) from None


Info = strawberry.Info[Context, None]
