"""`storefleet tokens`: API tokens for scripts and integrations."""

import argparse
import sys

from sqlalchemy import select

from accounts.actors import Actor, hash_credential
from accounts.errors import CallerError
from accounts.models import ApiToken, Membership, User
from accounts.tokens import create_token, revoke
from cli import output
from runtime.database import SessionFactory, session_factory
from runtime.settings import Settings


async def tokens(settings: Settings, options: argparse.Namespace) -> int:
    """Create or revoke a token. Returns the exit code."""
    async with session_factory(settings.direct_database_url, 2) as sessions:
        try:
            if options.action == "create":
                scopes = ["read"] if options.read_only else ["read", "write"]
                return await _create(sessions, options.email, options.name, scopes)
            return await _revoke(sessions, sys.stdin.readline().strip())
        except CallerError as error:
            output.error(error.message)
            return 1


async def _create(sessions: SessionFactory, email: str, name: str, scopes: list[str]) -> int:
    async with sessions.begin() as session:
        result = await session.execute(
            select(User.id, Membership.account_id, Membership.role)
            .join(Membership, Membership.user_id == User.id)
            .where(User.email == email.lower(), Membership.role != "viewer")
            .order_by(Membership.account_id)
        )
        row = result.first()
        if row is None:
            output.error(f"{email} has no account to create a token for")
            return 1
        actor = Actor("user", row.id, {row.account_id: row.role}, frozenset({"read", "write"}), b"")
        _, secret = await create_token(
            session, actor, row.account_id, name=name, scopes=scopes, expires_at=None, idempotency_key=None
        )
    print(secret)
    return 0


async def _revoke(sessions: SessionFactory, secret: str) -> int:
    async with sessions.begin() as session:
        token = await session.scalar(
            select(ApiToken).where(ApiToken.token_hash == hash_credential(secret)).with_for_update()
        )
        if token is None or token.revoked_at is not None:
            output.error("there is no such token, or it is already revoked")
            return 1
        await revoke(session, token, "cli")
    output.success("revoked")
    return 0
