"""Tables of users, accounts and credentials. Credentials are stored only as hashes."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from runtime.database import Base

ROLES = ("owner", "admin", "viewer")
SCOPES = ("read", "write")


class User(Base):
    """A person who signs in. `email` is in lower case."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    """None: the user signs in with an identity."""
    is_operator: Mapped[bool] = mapped_column(server_default=false())
    """Whether the user may see and limit all accounts; `storefleet users operator` sets it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (CheckConstraint("email = lower(email)", name="email_lower"),)


class UserIdentity(Base):
    """A user as an OpenID provider knows the user: `subject` never changes, unlike an e-mail address."""

    __tablename__ = "identities"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (UniqueConstraint("issuer", "user_id"),)


class Account(Base):
    """A tenant. Its limits override the defaults of the settings; None: the default."""

    __tablename__ = "accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    store_quota: Mapped[int | None]
    creations_per_hour: Mapped[int | None]
    suspended_at: Mapped[datetime | None]
    """When an operator suspended the account; None: it isn't suspended."""
    suspension_reason: Mapped[str | None]
    """What the operator tells the account's members."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("store_quota >= 0", name="store_quota"),
        CheckConstraint("creations_per_hour >= 0", name="creations_per_hour"),
        Index("ix_accounts_suspended_at", "suspended_at", postgresql_where=text("suspended_at IS NOT NULL")),
    )


class Membership(Base):
    """A user's role in an account."""

    __tablename__ = "memberships"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    role: Mapped[str]
    created_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    """None: the membership is older than this column."""

    __table_args__ = (CheckConstraint("role IN ('owner', 'admin', 'viewer')", name="role"),)


class Invitation(Base):
    """An invitation into an account for one e-mail address. `token_hash`: the SHA-256 of the link's token."""

    __tablename__ = "invitations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    email: Mapped[str]
    role: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    invited_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    accepted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("role IN ('owner', 'admin', 'viewer')", name="role"),
        CheckConstraint("(accepted_by IS NULL) = (accepted_at IS NULL)", name="accepted"),
    )


class Session(Base):
    """A session of a browser. `token_hash`: the SHA-256 of the cookie's value."""

    __tablename__ = "sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[UUID] = mapped_column(server_default=func.gen_random_uuid())
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    user_agent: Mapped[str | None]
    """The browser's User-Agent header at sign-in."""
    by_link: Mapped[bool] = mapped_column(server_default=false())
    """Whether it began with a sign-in link, not with a password."""
    operator_id: Mapped[UUID | None]
    """The operator who is signed in as the user; None: the user is."""
    reason: Mapped[str | None]
    """Why the operator is."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]
    """Exact to a minute."""
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ApiToken(Base):
    """An API token for one account. `token_hash`: the SHA-256 of `sf_…`."""

    __tablename__ = "api_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_tokens.id", ondelete="CASCADE"), index=True)
    """The token that created this token, which ends with its parent. None: a signed-in user created it."""
    name: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    last_used_at: Mapped[datetime | None]
    """Exact to a minute."""
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("scopes <@ ARRAY['read', 'write'] AND cardinality(scopes) > 0", name="scopes"),
        CheckConstraint("length(token_hash) = 32", name="token_hash"),
    )


class SignInLink(Base):
    """A link with which its user signs in once, without a password. `token_hash`: the SHA-256 of the link's token."""

    __tablename__ = "sign_in_links"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class SignInThrottle(Base):
    """Sign-in attempts for one e-mail address or from one IP address in the current window."""

    __tablename__ = "sign_in_throttle"

    key: Mapped[str] = mapped_column(primary_key=True)
    tries: Mapped[int]
    window_ends: Mapped[datetime]


class AuditEntry(Base):
    """An entry of the audit log. Never holds a secret. A trigger refuses changes, and deletions within 30 days."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    actor: Mapped[str]
    """`user:<id>`, `token:<id>`, or `cli` and `operator` for commands."""
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]
    result: Mapped[str] = mapped_column(server_default="succeeded")
    """`succeeded` or `refused`."""
    user_id: Mapped[UUID | None]
    """The user, or the user who created the token."""
    credential: Mapped[str | None]
    """`session:<id>` or `token:<id>`."""
    address: Mapped[str | None]
    """The client's IP address."""
    user_agent: Mapped[str | None]
    operator_id: Mapped[UUID | None]
    """The operator who was signed in as the user."""

    __table_args__ = (Index("ix_audit_account_id_at", "account_id", "at"), Index("ix_audit_at", "at"))


class IdempotencyKey(Base):
    """A mutation that succeeded: another call with the same key gets the same object and changes nothing."""

    __tablename__ = "idempotency_keys"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    actor: Mapped[str] = mapped_column(primary_key=True)
    """Whose key it is: `account`, or an actor's name (accounts/idempotency.py)."""
    mutation: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    input_hash: Mapped[bytes] = mapped_column(LargeBinary)
    result_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)

    __table_args__ = (CheckConstraint("length(key) BETWEEN 1 AND 255", name="key"),)
