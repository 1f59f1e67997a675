"""Reads the actor's accounts."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.models import Account, ApiToken, User


@dataclass(frozen=True)
class AccountWithTokens:
    """An account and its active tokens."""

    account: Account
    tokens: list[ApiToken]


async def readable_accounts(session: AsyncSession, actor: Actor) -> list[AccountWithTokens]:
    """The actor's accounts, the oldest first."""
    accounts = await session.scalars(
        select(Account).where(Account.id.in_(actor.roles)).order_by(Account.created_at, Account.id)
    )
    tokens: Sequence[ApiToken] = (
        await session.scalars(
            select(ApiToken)
            .where(ApiToken.account_id.in_(actor.roles), ApiToken.revoked_at.is_(None))
            .order_by(ApiToken.created_at, ApiToken.id)
        )
    ).all()
    return [AccountWithTokens(row, [token for token in tokens if token.account_id == row.id]) for row in accounts]


async def get_user(session: AsyncSession, actor: Actor) -> User:
    """The user, or the user who created the token."""
    return await session.get_one(User, actor.user_id)
