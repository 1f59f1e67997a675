"""What resolvers work with: who asks, and the process's connections. One an HTTP request or WebSocket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLError
from strawberry.dataloader import DataLoader

from accounts.actors import Actor
from runtime.database import Sessions
from runtime.queue import Nudger
from runtime.sealing import Keyring
from runtime.settings import ClusterProfile, Settings
from stores.engines import Engine
from stores.log_tail import LogTail
from stores.models import Step
from stores.names import own_label
from stores.queries import steps_of
from stores.tail import Tail


class RequestError(GraphQLError):
    """A mistake in the request itself. Shown as it is, with its code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, extensions={"code": code})


@dataclass(frozen=True)
class Platform:
    """What the API process has, once."""

    settings: Settings
    profile: ClusterProfile
    sessions: Sessions
    nudger: Nudger
    tail: Tail
    logs: LogTail
    engines: Mapping[str, Engine]
    admin_keys: Keyring

    @property
    def own_label(self) -> str | None:
        """Of its own host below the base domain; None when it lives elsewhere."""
        return own_label(self.settings.public_url, self.profile.base_domain)


@dataclass
class Context:
    """What one request has."""

    platform: Platform
    request_id: str
    actor: Actor | None
    """None: anonymous."""
    connection_params: dict[str, Any] = field(default_factory=dict)
    """What a WebSocket's connection_init carried."""

    def __post_init__(self) -> None:
        self.steps: DataLoader[UUID, list[Step]] = DataLoader(load_fn=self._load_steps)

    async def _load_steps(self, store_ids: list[UUID]) -> Sequence[list[Step]]:
        async with self.platform.sessions() as session:
            found = await steps_of(session, store_ids)
        return [found[store_id] for store_id in store_ids]

    def caller(self) -> Actor:
        """Who asks. Raises RequestError when nobody is signed in."""
        if self.actor is None:
            message = "Sign in, or send an API token: `Authorization: Bearer sf_…`."
            raise RequestError("UNAUTHENTICATED", message)
        return self.actor


Info = strawberry.Info[Context, None]
