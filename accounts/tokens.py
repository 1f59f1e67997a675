"""API tokens: shown once, stored as SHA-256, valid for one account."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import TOKEN_PREFIX, Actor, generate_secret, hash_credential
from accounts.audit import audit
from accounts.errors import CallerError, Code
from accounts.idempotency import claim_idempotency_key
from accounts.models import SCOPES, ApiToken
from runtime.pagination import Page, PageRange, page_of, within

MAX_NAME = 80
RETENTION = timedelta(days=30)
"""How long a revoked or expired token is still listed."""


async def create_token(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID | None,
    *,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    idempotency_key: str | None,
) -> tuple[ApiToken, str | None]:
    """The token and its secret; None instead of the secret when this is a replay. Raises CallerError.

    A token that a token creates has at most its scopes, expires no later, and is revoked with it.
    """
    account_id = actor.resolve_account(account_id)
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise CallerError(Code.INVALID_NAME, "name", f"Give the token a name of 1 to {MAX_NAME} printable characters.")
    unknown = set(scopes) - set(SCOPES)
    if not scopes or unknown or not set(scopes) <= actor.scopes:
        raise CallerError(
            Code.INVALID_SCOPES, "scopes", "Choose READ, WRITE or both, and no more than you have yourself."
        )
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= datetime.now(UTC)):
        raise CallerError(Code.INVALID_EXPIRY, "expiresAt", "Give a time in the future, with its offset from UTC.")
    token_id = uuid4()
    if idempotency_key is not None:
        given = {"name": name, "scopes": sorted(set(scopes)), "expiresAt": expires_at}
        first = await claim_idempotency_key(session, account_id, "createApiToken", idempotency_key, given, token_id)
        if first is not None:
            return await session.get_one(ApiToken, first), None
    if actor.token_id is not None:
        expires_at = await _child_expiry(session, actor.token_id, expires_at)
    secret = TOKEN_PREFIX + generate_secret()
    token = ApiToken(
        id=token_id,
        account_id=account_id,
        created_by=actor.user_id,
        parent_id=actor.token_id,
        name=name,
        token_hash=hash_credential(secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    session.add(token)
    await session.flush()
    audit(session, account_id, actor.name, "token.created", f"token:{token_id}", name=name, scopes=token.scopes)
    return token, secret


async def _child_expiry(session: AsyncSession, parent_id: UUID, wanted: datetime | None) -> datetime | None:
    """The expiry of a new child: `wanted`, or the parent's. Raises CallerError FORBIDDEN, INVALID_EXPIRY.

    Locks the parent, because a parallel revocation would miss the child.
    """
    query = select(ApiToken).where(ApiToken.id == parent_id, ApiToken.revoked_at.is_(None)).with_for_update(read=True)
    parent = await session.scalar(query)
    if parent is None:
        raise CallerError(Code.FORBIDDEN, None, "Your token has been revoked.")
    if parent.expires_at is not None and wanted is not None and wanted > parent.expires_at:
        message = f"Give a time no later than {parent.expires_at:%Y-%m-%dT%H:%M:%SZ}, when your own token expires."
        raise CallerError(Code.INVALID_EXPIRY, "expiresAt", message)
    return wanted or parent.expires_at


async def tokens_page(session: AsyncSession, account_id: UUID, wanted: PageRange) -> Page[ApiToken]:
    """The account's tokens that are not revoked, the oldest first. The key of the range: time of creation and id."""
    query = select(ApiToken).where(ApiToken.account_id == account_id, ApiToken.revoked_at.is_(None))
    key = [ApiToken.created_at, ApiToken.id]
    found = (await session.scalars(within(query, key, wanted))).all()
    return page_of(found, wanted, from_the_end=wanted.last)


async def revoke_token(session: AsyncSession, actor: Actor, token_id: UUID | None) -> ApiToken:
    """Revoke a token of the actor's accounts. Raises CallerError NOT_FOUND, also for a malformed id (None)."""
    token = await session.scalar(
        select(ApiToken).where(ApiToken.id == token_id, ApiToken.account_id.in_(actor.roles)).with_for_update()
    )
    if token is None:
        raise CallerError(Code.NOT_FOUND, "id", "There is no such token.")
    await revoke(session, token, actor.name)
    return token


async def revoke(session: AsyncSession, token: ApiToken, actor: str) -> None:
    """Revoke a (locked) token and all its descendants; WebSockets that were opened with them end
    (accounts/access_changes.py).

    Does nothing for a revoked token.
    """
    if token.revoked_at is not None:
        return
    family = select(ApiToken.id).where(ApiToken.id == token.id).cte(recursive=True)
    family = family.union(select(ApiToken.id).join(family, ApiToken.parent_id == family.c.id))
    revoked = await session.scalars(
        update(ApiToken)
        .where(ApiToken.id.in_(select(family.c.id)), ApiToken.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(ApiToken.id)
        .execution_options(synchronize_session=False)
    )
    for token_id in revoked:
        audit(session, token.account_id, actor, "token.revoked", f"token:{token_id}")
    await session.flush()
    await session.refresh(token)


def expired() -> ColumnElement[bool]:
    """Tokens that ended more than RETENTION ago; the workers' maintenance deletes them."""
    before = func.now() - RETENTION
    return or_(ApiToken.revoked_at < before, ApiToken.expires_at < before)
