"""Session: a signed-in browser of the caller."""

from datetime import datetime

import strawberry

from accounts.actors import Actor
from accounts.models import Session as SessionRow
from accounts.sessions import password_optional
from schema.ids import encode_id
from schema.types.connections import Connection
from schema.types.nodes import Node


@strawberry.type(description="A browser in which the user is signed in.")
class Session(Node):
    created_at: datetime = strawberry.field(description="When the user signed in.")
    last_used_at: datetime | None = strawberry.field(description="Exact to a minute; null if not used since sign-in.")
    expires_at: datetime = strawberry.field(description="When the session expires.")
    user_agent: str | None = strawberry.field(description="The browser's User-Agent header at sign-in.")
    current: bool = strawberry.field(description="Whether this request uses the session.")
    password_optional: bool = strawberry.field(
        description="True: it began with a sign-in link less than an hour ago, so changePassword needs no "
        "currentPassword in it."
    )

    operator: bool = strawberry.field(description="Whether an operator is signed in as the user in it.")

    @classmethod
    def from_row(cls, row: SessionRow, actor: Actor) -> "Session":
        return cls(
            id=strawberry.ID(encode_id("Session", row.id)),
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            user_agent=row.user_agent,
            current=row.token_hash == actor.credential,
            operator=row.operator_id is not None,
            password_optional=password_optional(row),
        )


@strawberry.type(description="A page of the user's sessions.")
class SessionConnection(Connection[Session]): ...
