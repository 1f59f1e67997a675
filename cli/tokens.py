"""`storefleet tokens`: API tokens for scripts and integrations."""

import argparse
import sys

from sqlalchemy import func, select, update

from accounts.actors import Actor, fingerprint
from accounts.audit import audit
from accounts.errors import CallerError
from accounts.models import ApiToken, Membership, User
from accounts.tokens import create_token
from cli import screen
from runtime.changefeed import ring
from runtime.database import Sessions, connect
from runtime.settings import Settings


async def tokens(settings: Settings, options: argparse.Namespace) -> int:
    """Create one, or revoke one."""
    async with connect(settings.database_url, 2) as sessions:
        try:
            if options.action == "create":
                scopes = ["read"] if options.read_only else ["read", "write"]
                return await _create(sessions, options.email, options.name, scopes)
            return await _revoke(sessions, sys.stdin.readline().strip())
        except CallerError as error:
            screen.failed(error.message)
            return 1


async def _create(sessions: Sessions, email: str, name: str, scopes: list[str]) -> int:
    async with sessions.begin() as session:
        found = await session.execute(
            select(User.id, Membership.account_id, Membership.role)
            .join(Membership, Membership.user_id == User.id)
            .where(User.email == email.lower(), Membership.role != "viewer")
            .order_by(Membership.account_id)
        )
        row = found.first()
        if row is None:
            screen.failed(f"{email} has no account to make a token for")
            return 1
        actor = Actor("user", row.id, {row.account_id: row.role}, frozenset({"read", "write"}), b"")
        _, secret = await create_token(
            session, actor, row.account_id, name=name, scopes=scopes, expires_at=None, idempotency_key=None
        )
    print(secret)
    return 0


async def _revoke(sessions: Sessions, secret: str) -> int:
    async with sessions.begin() as session:
        account_id = await session.scalar(
            update(ApiToken)
            .where(ApiToken.token_hash == fingerprint(secret), ApiToken.revoked_at.is_(None))
            .values(revoked_at=func.now())
            .returning(ApiToken.account_id)
        )
        if account_id is None:
            screen.failed("there is no such token, or it is revoked already")
            return 1
        audit(session, account_id, "cli", "token.revoked", "token")
        await ring(session, account_id, access=True)
    screen.done("revoked")
    return 0
