"""Who is asking: a signed-in user or an API token, and what that one may see and do."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.errors import CallerError, Code
from accounts.models import ApiToken, Membership, Session

TOKEN_PREFIX = "sf_"  # noqa: S105  # the prefix, not a token


@dataclass(frozen=True)
class Actor:
    """One caller. `credential` is the SHA-256 that stands for it in the database."""

    kind: Literal["user", "token"]
    user_id: UUID
    """The user, or who made the token."""
    roles: Mapping[UUID, str]
    """Account id to role; a token has exactly one account."""
    scopes: frozenset[str]
    credential: bytes = field(repr=False)
    token_id: UUID | None = None

    @property
    def name(self) -> str:
        """For audit and idempotency: `user:<id>` or `token:<id>`."""
        return f"user:{self.user_id}" if self.token_id is None else f"token:{self.token_id}"

    def may_see(self, account_id: UUID) -> bool:
        return account_id in self.roles

    def may_change(self, account_id: UUID) -> bool:
        """Viewers and read-only tokens may not."""
        return "write" in self.scopes and self.roles.get(account_id) in ("owner", "admin")

    def must_change(self, account_id: UUID) -> None:
        """Raises CallerError when it may not change what that account has. The account must be one it may see."""
        if not self.may_change(account_id):
            message = "This needs a token with the scope WRITE, and the role owner or admin in the account."
            raise CallerError(Code.FORBIDDEN, None, message)

    def account(self, given: UUID | None) -> UUID:
        """The account meant: the given one if it is the actor's, or the only one. Raises CallerError."""
        if given is None and len(self.roles) == 1:
            return next(iter(self.roles))
        if given is None:
            raise CallerError(Code.ACCOUNT_REQUIRED, "accountId", "You have several accounts, or none: say which one.")
        if given not in self.roles:
            raise CallerError(Code.NOT_FOUND, "accountId", "There is no such account.")
        return given


def new_secret() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> bytes:
    """What is stored of a credential. SHA-256 is enough for 256 random bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


async def authenticate(session: AsyncSession, credential: bytes, kind: Literal["user", "token"]) -> Actor | None:
    """The actor behind a credential's fingerprint as of now, or None: unknown, expired or revoked."""
    if kind == "token":
        token = await session.scalar(
            select(ApiToken).where(
                ApiToken.token_hash == credential,
                ApiToken.revoked_at.is_(None),
                func.coalesce(ApiToken.expires_at > func.now(), True),
            )
        )
        if token is None:
            return None
        # a token can do no more than its maker still can
        role = await session.scalar(
            select(Membership.role).where(
                Membership.account_id == token.account_id, Membership.user_id == token.created_by
            )
        )
        if role is None:
            return None
        return Actor("token", token.created_by, {token.account_id: role}, frozenset(token.scopes), credential, token.id)
    rows = await session.execute(
        select(Session.user_id, Membership.account_id, Membership.role)
        .outerjoin(Membership, Membership.user_id == Session.user_id)
        .where(Session.token_hash == credential, Session.revoked_at.is_(None), Session.expires_at > func.now())
        .order_by(Membership.account_id)
    )
    found = rows.all()
    if not found:
        return None
    roles = {account_id: role for _, account_id, role in found if role}  # a user without account has one row of NULLs
    return Actor("user", found[0].user_id, roles, frozenset({"read", "write"}), credential)
