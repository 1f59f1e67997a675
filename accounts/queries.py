"""Reading accounts, always the actor's own."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.models import Account, ApiToken, User


@dataclass(frozen=True)
class AccountSeen:
    """An account and its tokens that are not revoked."""

    account: Account
    tokens: list[ApiToken]


async def accounts_of(session: AsyncSession, actor: Actor) -> list[AccountSeen]:
    """All that the actor may see, in the order of their making."""
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
    return [AccountSeen(row, [token for token in tokens if token.account_id == row.id]) for row in accounts]


async def user_of(session: AsyncSession, actor: Actor) -> User:
    """The user, or who made the token."""
    return await session.get_one(User, actor.user_id)
