"""Actors: a signed-in user or an API token, with its roles and scopes. accounts/access.py says what they allow."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import LargeBinary, and_, bindparam, func, select

from accounts.audit import Origin
from accounts.errors import CallerError, Code
from accounts.models import ApiToken, Membership, Session
from runtime.database import SessionFactory
from runtime.statements import Statement

TOKEN_PREFIX = "sf_"  # noqa: S105  # the prefix, not a token


@dataclass(frozen=True)
class Actor:
    """An authenticated caller. `credential`: the hash of its token or cookie (hash_credential)."""

    kind: Literal["user", "token"]
    user_id: UUID
    """The user, or the user who created the token."""
    roles: Mapping[UUID, str]
    """Roles by account id; a token has exactly one account."""
    scopes: frozenset[str]
    credential: bytes = field(repr=False)
    token_id: UUID | None = None
    session_id: UUID | None = None
    operator_id: UUID | None = None
    """The operator who is signed in as the user (accounts/impersonation.py)."""
    expires_at: datetime | None = None
    """When the credential expires; None: never."""

    @property
    def name(self) -> str:
        """`user:<id>` or `token:<id>`, for audit and idempotency."""
        return f"user:{self.user_id}" if self.token_id is None else f"token:{self.token_id}"

    def origin(self, address: str | None, user_agent: str | None) -> Origin:
        """What the audit log says about a request of this actor."""
        credential = f"session:{self.session_id}" if self.token_id is None else f"token:{self.token_id}"
        return Origin(address, user_agent, self.user_id, credential, self.operator_id)

    def resolve_account(self, given: UUID | None) -> UUID:
        """`given` if it is an account of the actor; None: the actor's only account. Raises CallerError."""
        if given is None and len(self.roles) == 1:
            return next(iter(self.roles))
        if given is None:
            raise CallerError(Code.ACCOUNT_REQUIRED, "accountId", "You have several accounts, or none: say which one.")
        if given not in self.roles:
            raise CallerError(Code.NOT_FOUND, "accountId", "There is no such account.")
        return given


def generate_secret() -> str:
    """256 random bits, as URL-safe text."""
    return secrets.token_urlsafe(32)


def hash_credential(secret: str) -> bytes:
    """SHA-256 of a token or cookie: the only form that is stored. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


_CREDENTIAL = bindparam("credential", type_=LargeBinary())
TOKEN_ACTORS = Statement(
    select(
        ApiToken.id,
        ApiToken.account_id,
        ApiToken.created_by,
        ApiToken.scopes,
        ApiToken.expires_at,
        Membership.role,  # a token has no more rights than its creator has now
    )
    .join(Membership, and_(Membership.account_id == ApiToken.account_id, Membership.user_id == ApiToken.created_by))
    .where(
        ApiToken.token_hash == _CREDENTIAL,
        ApiToken.revoked_at.is_(None),
        func.coalesce(ApiToken.expires_at > func.now(), True),
    )
)
USER_ACTORS = Statement(
    select(Session.id, Session.user_id, Session.expires_at, Session.operator_id, Membership.account_id, Membership.role)
    .outerjoin(Membership, Membership.user_id == Session.user_id)
    .where(Session.token_hash == _CREDENTIAL, Session.revoked_at.is_(None), Session.expires_at > func.now())
    .order_by(Membership.account_id)
)


async def load_actor(sessions: SessionFactory, credential: bytes, kind: Literal["user", "token"]) -> Actor | None:
    """The actor of a credential, by its hash (hash_credential); None: unknown, expired or revoked."""
    if kind == "token":
        tokens = await TOKEN_ACTORS.fetch(sessions, credential=credential)
        if not tokens:
            return None
        [token] = tokens
        return Actor(
            "token",
            token.created_by,
            {token.account_id: token.role},
            frozenset(token.scopes),
            credential,
            token.id,
            expires_at=token.expires_at,
        )
    found = await USER_ACTORS.fetch(sessions, credential=credential)
    if not found:
        return None
    roles = {row.account_id: row.role for row in found if row.role}  # a user without account is one row with NULLs
    scopes = frozenset({"read", "write"})
    return Actor(
        "user",
        found[0].user_id,
        roles,
        scopes,
        credential,
        session_id=found[0].id,
        operator_id=found[0].operator_id,
        expires_at=found[0].expires_at,
    )
