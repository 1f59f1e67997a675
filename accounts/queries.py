"""Reads the actor's accounts, and the users whom it may see."""

from collections.abc import Collection
from typing import cast
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.models import Account, Membership, User
from runtime.database import SessionFactory
from runtime.pagination import ALL, Page, PageRange, page_of, within
from runtime.statements import Statement

ALL_ACCOUNTS = Statement(
    select(*Account.__table__.columns)
    .where(Account.id == func.any(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(Account.created_at, Account.id)
)
USERS = Statement(select(User.id, User.email, User.is_operator).where(User.id == bindparam("id")))


async def accounts_page(sessions: SessionFactory, actor: Actor, wanted: PageRange) -> Page[Account]:
    """The actor's accounts, the oldest first. The key of the range: time of creation and id."""
    if wanted == ALL:
        return page_of(await ALL_ACCOUNTS.fetch(sessions, ids=list(actor.roles)), wanted)
    query = select(Account).where(Account.id.in_(actor.roles))
    key = [Account.created_at, Account.id]
    async with sessions() as session:
        found = (await session.scalars(within(query, key, wanted))).all()
    return page_of(found, wanted, from_the_end=wanted.last)


async def accounts_by_id(session: AsyncSession, actor: Actor, ids: Collection[UUID]) -> dict[UUID, Account]:
    """The actor's accounts that are found."""
    wanted = set(ids) & set(actor.roles)
    return {row.id: row for row in await session.scalars(select(Account).where(Account.id.in_(wanted)))}


async def users_by_id(session: AsyncSession, actor: Actor, ids: Collection[UUID]) -> dict[UUID, User]:
    """The actor's user, and members of its accounts, that are found."""
    members = select(Membership.user_id).where(Membership.account_id.in_(actor.roles))
    query = select(User).where(User.id.in_(ids), or_(User.id == actor.user_id, User.id.in_(members)))
    return {row.id: row for row in await session.scalars(query)}


async def get_user(sessions: SessionFactory, actor: Actor) -> User:
    """The user, or the user who created the token: its id, e-mail address, and whether it is an operator."""
    return cast("User", (await USERS.fetch(sessions, id=actor.user_id))[0])
